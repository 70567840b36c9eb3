"""The words that a person reads on a page."""

import re

OF_IMAGES = re.compile(r"\b(image|picture|pixel|photo)s?\b", re.IGNORECASE)


def visible(html: str) -> str:
    """The text of a page, without tags, styles and scripts."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", bare))
