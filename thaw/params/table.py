"""The table of every parameter, as Markdown, made from the models; docs/parameters.md holds it between two marks.

`python -m thaw.params.table docs/parameters.md` brings the page up to date.
"""

import json
import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from thaw.foundation.files.atomic import write_text
from thaw.params.sections import Params
from thaw.params.values.listing import choices_of, default_of
from thaw.params.values.reading import leaves

START, END = "<!-- parameters: start -->", "<!-- parameters: end -->"


def parameters_markdown() -> str:
    """One row a parameter: key, default and meaning, with the choices if they are a closed set."""
    rows = [f"| `{key}` | `{json.dumps(default_of(field))}` | {_meaning(field)} |" for key, field in leaves(Params)]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows])


def with_table(text: str) -> str:
    """The text with a new table between its marks; the marks must exist."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{parameters_markdown()}\n{END}{after}"


def _meaning(field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|")
    choices = choices_of(field.annotation)
    unnamed = [choice for choice in choices if f"`{choice}`" not in text]
    return f"{text} ({', '.join(f'`{choice}`' for choice in choices)})" if unnamed and choices else text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    write_text(page, with_table(page.read_text(encoding="utf-8")))
