"""Tables with a column for each finding, as hospitals have them (CheXpert, MIMIC-CXR): 1 is there, 0 is not, -1 is uncertain, an empty cell says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thaw.dataset.class_names import listed_names
from thaw.dataset.label_sets import join_labels
from thaw.dataset.listing_tables import Row
from thaw.foundation.errors import BadSource
from thaw.params.sections import DatasetParams, Uncertain

_ROLE = "finding "
_ONE, _ZERO, _UNCERTAIN = {"1", "1.0", "true"}, {"0", "0.0", "false"}, {"-1", "-1.0"}


@dataclass(frozen=True)
class FindingColumns:
    """The columns that make the label set of a row, by their names, which are the labels. uncertain: the reading of -1."""

    names: tuple[str, ...]
    uncertain: Uncertain

    def roles(self, file: Path, columns: Sequence[str]) -> dict[str, str]:
        """The column of each label, by the role under which a row has it; columns: in the form of `thaw.dataset.listing_tables.column_names`.

        Raises:
            BadSource: the listing has no such column.
        """
        lacking = [name for name in self.names if _column(name) not in columns]
        if lacking:
            raise BadSource(
                f"the listing `{file}` has no column {listed_names(lacking)}, which dataset.columns names; it has {', '.join(filter(None, columns))}"
            )
        return {_ROLE + name: _column(name) for name in self.names}

    def with_labels(self, row: Row) -> Row:
        """The row with its label set as text in the role `labels`; empty if no column says anything, or one is uncertain and that is ignored."""
        cells = {name: row.values[_ROLE + name].strip().casefold() for name in self.names}
        if row.wrong is None and (
            odd := [name for name, cell in cells.items() if cell not in _ONE | _ZERO | _UNCERTAIN | {""}]
        ):
            value = row.values[_ROLE + odd[0]]
            return replace(row, wrong=f"has `{value}` in the column {odd[0]}; 1, 0, -1 and nothing are read")
        return replace(row, values={**row.values, "labels": self._labels(cells)})

    def _labels(self, cells: Mapping[str, str]) -> str:
        uncertain = any(cell in _UNCERTAIN for cell in cells.values())
        if not any(cells.values()) or (uncertain and self.uncertain == "ignored"):
            return ""
        ones = _ONE | _UNCERTAIN if self.uncertain == "ones" else _ONE
        return join_labels(sorted(name for name, cell in cells.items() if cell in ones))

    def notes(self, rows: Sequence[Row]) -> list[str]:
        """A sentence on uncertain rows, as they were read."""
        count = sum(any(row.values[_ROLE + name].strip() in _UNCERTAIN for name in self.names) for row in rows)
        how = {"ignored": "unlabelled", "zeros": "read without the label", "ones": "read with the label"}[
            self.uncertain
        ]
        return (
            [f"Rows of the listing with an uncertain label (-1): {count}. They are {how} (dataset.uncertain)."]
            if count
            else []
        )


def findings_of(params: DatasetParams) -> FindingColumns | None:
    """The columns of a project's listing; None: it has a column label or labels."""
    return FindingColumns(params.columns, params.uncertain) if params.columns else None


def _column(name: str) -> str:
    return name.strip().casefold()
