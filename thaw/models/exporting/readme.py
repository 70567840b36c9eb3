"""The `README.md` beside an exported model: its inputs, its outputs, and a script that runs it."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from thaw.foundation.files.atomic import write_text
from thaw.kinds.registry import kind_named
from thaw.models.exporting.card import Card
from thaw.models.exporting.formats import Format

README = "README.md"


def write_readme(card: Card, folder: Path) -> None:
    """Write `README.md`; its script needs only NumPy, the runtime, and the packages of the kind's recipe."""
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
    write_text(folder / README, environment.get_template("readme.md.j2").render(card=card, **_of_kind(card)))


def _of_kind(card: Card) -> dict[str, Any]:
    """The words and the recipe of the kind, and the packages that the script needs."""
    kind = kind_named(card.kind)
    runtime = "torch" if card.format == Format.TORCH else "onnxruntime"
    recipe = kind.recipe(kind.preprocessing_from_json(json.dumps(dict(card.preprocessing))))
    return {"words": kind.words, "recipe": recipe, "packages": sorted({"numpy", runtime, *recipe.packages})}
