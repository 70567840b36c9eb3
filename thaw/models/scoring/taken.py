"""What a project takes as examples, beside files of its kind."""

from dataclasses import dataclass

_SOURCES = "name examples, folders, globs, listings (CSV, JSON lines or Parquet with a column path) or addresses"
_WITH_ROWS = (
    "name examples, folders, globs, tables (CSV, JSON lines or Parquet with a column text, or path) or addresses"
)


@dataclass(frozen=True)
class Taken:
    """ending: the usual ending of examples, such as `.wav`. rows: whether rows of tables are examples, see `Kind.takes_rows`.

    encoding: of tables and text files; None: UTF-8. pieces: whether rows of listings may name pieces of recordings, see `Cutting`.
    """

    ending: str = ""
    rows: bool = False
    encoding: str | None = None
    pieces: bool = False

    @property
    def advice(self) -> str:
        """The end of a sentence on what to name."""
        return _WITH_ROWS if self.rows else _SOURCES
