"""The preview of a text: its beginning."""

from thaw.foundation.files.graphemes import end_before
from thaw.kinds.kind import Limits, Preview
from thaw.kinds.texts.files import text_in

LONGEST, SHORT = 600, 160
"""Characters of a preview, and of a small one."""


def preview(content: bytes, limits: Limits, *, small: bool) -> Preview:
    """The beginning of a text with single spaces, cut between words; a text without spaces is cut between letters with all their marks.

    Raises:
        BadExample: see `thaw.kinds.texts.files.text_in`.
    """
    longest = SHORT if small else LONGEST
    # A longer text is cut first, so that a preview costs the same for a text of any length.
    text = text_in(content, limits)
    words = " ".join(text[: end_before(text, 4 * longest)].split())
    if len(words) <= longest:
        return Preview("text/plain", (words if len(text) <= 4 * longest else f"{words} …").encode())
    start = words[: end_before(words, longest)]
    cut = start.rpartition(" ")[0] if " " in start[longest // 2 :] else start
    return Preview("text/plain", f"{cut} …".encode())
