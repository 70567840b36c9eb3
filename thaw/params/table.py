"""The table of every parameter, as Markdown, made from the models; docs/parameters.md holds it between two marks.

`python -m thaw.params.table docs/parameters.md` brings the page up to date.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from thaw.foundation.files.atomic import write_text
from thaw.params.reading import leaves
from thaw.params.sections import Params

START, END = "<!-- parameters: start -->", "<!-- parameters: end -->"


def parameters_markdown() -> str:
    """One row a parameter: key, default, meaning, with the choices where there is a closed set of them."""
    rows = [f"| `{key}` | {_default(field)} | {_meaning(field)} |" for key, field in leaves(Params)]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows])


def with_table(text: str) -> str:
    """The text with the table between its marks made anew; the marks must be there."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{parameters_markdown()}\n{END}{after}"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=False)
    return f"`{json.dumps(value)}`"


def _meaning(field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|")
    choices = _choices(field.annotation)
    unnamed = [choice for choice in choices if f"`{choice}`" not in text]
    return f"{text} ({', '.join(f'`{choice}`' for choice in choices)})" if unnamed and choices else text


def _choices(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(choice) for choice in get_args(annotation))
    return tuple(choice for inner in get_args(annotation) for choice in _choices(inner))


if __name__ == "__main__":
    page = Path(sys.argv[1])
    write_text(page, with_table(page.read_text(encoding="utf-8")))
