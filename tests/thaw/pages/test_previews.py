"""Each kind of preview becomes HTML that shows it, and nothing in it is run."""

from base64 import b64decode

from thaw.kinds.kind import Preview
from thaw.kinds.parts import Mark, Span
from thaw.pages.previews import level, preview_html

HOSTILE = '"><script>document.title = "broken"</script>'


def test_a_picture_is_embedded_and_its_name_escaped() -> None:
    shown = preview_html(Preview("image/png", b"\x89PNG"), HOSTILE)
    assert shown.startswith("<img ") and "<script>" not in shown
    assert b64decode(shown.partition("base64,")[2].partition('"')[0]) == b"\x89PNG"


def test_a_sound_has_a_player_and_its_picture() -> None:
    shown = preview_html(Preview("audio/wav", b"RIFF", b"\x89PNG"), "bell.wav")
    assert (
        shown.startswith('<img alt="bell.wav"')
        and '<audio controls preload="none" src="data:audio/wav;base64,' in shown
    )
    assert "<img" not in preview_html(Preview("audio/wav", b"RIFF"), "bell.wav")


def test_a_text_is_an_excerpt_whatever_it_holds() -> None:
    shown = preview_html(Preview("text/plain", HOSTILE.encode() + b"\xff"), "x.txt")
    assert (
        shown.startswith('<pre class="excerpt" dir="auto">') and "<script>" not in shown and "&lt;script&gt;" in shown
    )
    assert "data:image/png" in preview_html(Preview("text/plain", b"1 2 3", b"\x89PNG"), "x.csv")


def test_marks_say_side_and_strength_without_colours_and_change_no_letter() -> None:
    text = '<b>ok</b> שלום "bad"'
    marks = (Mark(Span(3, 5), 0.5), Mark(Span(10, 14), 1.0), Mark(Span(16, 19), -0.2))
    shown = preview_html(Preview("text/plain", text.encode(), marks=marks), "x.txt")
    assert '<mark class="for s2">ok</mark>' in shown and '<mark class="for s3">שלום</mark>' in shown
    assert '<mark class="against s1">bad</mark>' in shown and "<b>" not in shown
    assert shown.striptags() == text
    assert [level(strength) for strength in (0.1, -0.34, 0.67, -1)] == [1, 2, 3, 3]
