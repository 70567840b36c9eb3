"""The `README.md` beside an exported model: its inputs, its outputs, and a script that runs it."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from thaw.foundation.files.atomic import write_text
from thaw.models.exporting.card import Card

README = "README.md"


def write_readme(card: Card, folder: Path) -> None:
    """Write `README.md`; its script needs only Pillow, NumPy and the runtime."""
    environment = Environment(
        loader=PackageLoader("thaw", "models/exporting"),
        autoescape=select_autoescape(
            ("html",)
        ),  # this is Markdown, and names stand in no place where they could do harm
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    write_text(folder / README, environment.get_template("readme.md.j2").render(card=card))
