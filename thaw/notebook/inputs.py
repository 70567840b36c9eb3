"""Examples as people give them in a notebook: paths, folders, globs, addresses, tables, texts, bytes, arrays, and lists and columns of these."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from thaw.dataset.places import Place as DatasetPlace
from thaw.dataset.places import read_within
from thaw.dataset.row_columns import find_row_columns
from thaw.foundation.errors import BadExample, BadParameters, BadSource
from thaw.kinds.kind import Cutting, Kind
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import RefuseSize, RowText, is_url
from thaw.models.scoring.taken import Taken
from thaw.notebook.sources import names_a_file

_LONGEST = 200
"""The most letters of a text that stand for it in a table."""


@dataclass(frozen=True)
class Placed:
    """An example of a source, in the form of an example to score."""

    is_here: ClassVar[bool] = True
    held: ClassVar[int] = 0
    place: DatasetPlace

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The bytes. Raises BadExample: they cannot be read, or are more than the limits allow."""
        try:
            return read_within(self.place, refuse_size)
        except OSError as error:
            raise BadExample(f"cannot be opened ({error.strerror})") from error


def values_of(given: object) -> list[object] | None:
    """The examples of a list, an array of texts or paths, or a column; None: what is given is one example, or names several.

    Raises:
        BadParameters: a data frame has neither a column of texts nor one of paths.
    """
    columns = getattr(given, "columns", None)
    if columns is not None:
        return list(_column(given, [str(name) for name in columns]))
    if isinstance(given, list | tuple):
        return list(given)
    if getattr(given, "ndim", None) == 1 and hasattr(given, "tolist"):
        return list(given.tolist())  # an array or a series of strings or paths
    return None


def inputs_of(given: object, kind: Kind, encoding: str | None = None) -> list[Input]:
    """Examples of a kind, in order. One that cannot be used comes with its reason.

    A string is the path of a file, a folder, a glob or an address; where people can type examples (texts), a string that is none of these is an example itself.

    Raises:
        BadSource: what was given alone is not there, or holds nothing.
        BadParameters: see `values_of`.
    """
    values = values_of(given)
    taken = Taken(kind.words.ending, kind.takes_rows, encoding, isinstance(kind, Cutting))
    if values is None:
        return list(_opened(given, kind, taken, 0))
    return [entry for number, value in enumerate(values) for entry in _kept(value, kind, taken, number)]


def _kept(value: object, kind: Kind, taken: Taken, number: int) -> Iterator[Input]:
    """An example of a list; what is not there is a row with its reason, and the others go on."""
    try:
        yield from _opened(value, kind, taken, number)
    except BadSource as error:
        yield Input(str(value), None, "", str(error).partition(";")[0].removeprefix(f"`{value}` "))


def _opened(value: object, kind: Kind, taken: Taken, number: int) -> Iterator[Input]:
    if isinstance(value, Path):
        yield from open_inputs([str(value.expanduser())], taken)
    elif isinstance(value, str) and not _is_typed(value, kind):
        yield from open_inputs([value if is_url(value) else str(Path(value).expanduser())], taken)
    else:
        yield _value(value, kind, number)


def _is_typed(text: str, kind: Kind) -> bool:
    return text.startswith("data:") or (kind.can_be_typed and not is_url(text) and not names_a_file(text))


def _value(value: object, kind: Kind, number: int) -> Input:
    name = value[:_LONGEST] if isinstance(value, str) and not value.startswith("data:") else f"#{number}"
    try:
        return Input(name, RowText(kind.from_value(_plain(value))))
    except (BadExample, TypeError, ValueError) as error:
        return Input(name, None, "", str(error))


def _plain(value: object) -> object:
    """A value of another library as an array, if it can be one."""
    is_bytes = isinstance(value, str | bytes | bytearray | memoryview)
    if is_bytes or not (hasattr(value, "__array__") or hasattr(value, "__array_interface__")):
        return value
    import numpy as np

    return np.asarray(value)


def _column(frame: Any, names: list[str]) -> Any:
    if "path" in names:
        return frame["path"].map(Path)
    found = find_row_columns([name.strip().casefold() for name in names])
    if found is None:
        raise BadParameters("the data frame has neither a column `text` nor a column `path`; give one of them")
    return frame.iloc[:, [name.strip().casefold() for name in names].index(found["text"])]
