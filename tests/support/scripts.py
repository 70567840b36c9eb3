"""Texts and names that pages must not break: right-to-left scripts, marks, emoji of several code points, scripts without spaces, markup, marks of direction."""

FAMILY, FLAG, SKIN = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1f9\U0001f1ed", "\U0001f44d\U0001f3fd"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
ZALGO = "Z\u0351\u036b\u0343\u036a\u0302a\u0322\u035dlgo"
HEBREW = "הסרט היה נהדר (באמת!), 5 כוכבים"
ARABIC = "فِيلْمٌ رَائِعٌ (2024), أنصح به!"
PERSIAN = "می\u200cخواهم دوباره ببینم"
HINDI = "क्षमा करें, फ़िल्म अच्छी नहीं थी"
THAI = "หนังเรื่องนี้สนุกมากและน้ำตาไหล" * 8
CHINESE = "这部电影非常精彩，值得再看一遍。" * 60
EMOJI = (FAMILY + FLAG + SKIN + SCOTLAND) * 60
NFD = "cafe\u0301 \u1112\u1161\u11ab \u00e5\u0323 naïve"
MARKUP = '<b onclick="x">&amp;</b><script>document.title="broken"</script>'
OVERRIDE = "abc \u202egpj.exe\u202c and \u2067isolated\u2069 end"
TEXTS = (HEBREW, ARABIC, PERSIAN, HINDI, THAI, CHINESE, EMOJI, NFD, ZALGO * 40, MARKUP, OVERRIDE)
NAMES = ("חיובי (טוב)", "سلبي!", f"mixed {FAMILY}", "好", MARKUP)
"""Of classes."""
