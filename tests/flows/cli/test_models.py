"""`thaw models` fits a terminal of 80 columns."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from flows.cli.models import COLUMNS, WHOLE, row_of
from flows.cli.terminal import table
from tasks.registry.registry import ModelVersion


def version_of(number: int, aliases: tuple[str, ...], tags: dict[str, str]) -> ModelVersion:
    return ModelVersion("thaw", number, aliases, datetime(2026, 11, 28, tzinfo=UTC), "run", "models:/m-1", tags)


def test_a_version_with_both_aliases_is_readable_in_80_columns() -> None:
    tags = {"thaw.test.accuracy": "0.9607", "thaw.test.macro_f1": "0.96", "thaw.test.n": "12000"}
    version = version_of(1234, ("challenger", "champion"), tags)
    console = Console(width=80, record=True)
    console.print(table(COLUMNS, [row_of(version, "promote: the challenger is better")], whole=WHOLE))
    printed = console.export_text()
    for word in (
        *COLUMNS,
        "1234",
        "challenger",
        "champion",
        "accuracy 0.961",
        "macro F1 0.960",
        "12000",
        "promote: the",
    ):
        assert word in printed


@pytest.mark.parametrize(("tags", "shown"), [({}, ""), ({"thaw.test.exact_match": "0.5"}, "exact match 0.500")])
def test_what_was_not_measured_is_left_out(tags: dict[str, str], shown: str) -> None:
    version = version_of(1, (), tags)
    assert row_of(version, "")[2] == shown
