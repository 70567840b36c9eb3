"""The commands that the documentation shows, to be run as they stand."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str = "sh") -> list[str]:
    """The blocks of a page in that language, in order."""
    return [content for kind, content in _BLOCK.findall(page.read_text()) if kind == language]


def block_with(page: Path, beginning: str) -> str:
    """The one block of commands that has a line which begins so."""
    (found,) = [block for block in blocks(page) if any(line.startswith(beginning) for line in block.splitlines())]
    return found


def filled_in(text: str, stands_for: dict[str, str]) -> str:
    """A text in which what a reader has to fill in is filled in."""
    for placeholder, content in stands_for.items():
        text = text.replace(placeholder, content)
    return text
