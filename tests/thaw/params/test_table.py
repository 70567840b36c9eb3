"""The table of parameters in docs/parameters.md is the models' own."""

from pathlib import Path

from thaw.params.table import parameters_markdown, with_table


def test_the_page_is_up_to_date() -> None:
    text = Path("docs/parameters.md").read_text(encoding="utf-8")
    assert with_table(text) == text, "run `python -m thaw.params.table docs/parameters.md`"


def test_every_kind_of_default_is_shown() -> None:
    table = parameters_markdown()
    assert "| `dataset.splits.val` | `0.15` |" in table
    assert "| `strategy.layer` | `null` |" in table
    assert "`float32`, `float16`" in table
