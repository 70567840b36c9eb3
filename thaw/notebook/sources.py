"""Sources as people name them in a notebook, and the kind of their examples."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.dataset.candidates import Candidate
from thaw.dataset.foreseen import spread_over
from thaw.dataset.ingestion import is_of_kind
from thaw.dataset.places import Places
from thaw.dataset.row_columns import find_row_columns
from thaw.dataset.sources import source_of_kind
from thaw.foundation.errors import BadParameters, BadSource
from thaw.foundation.files.atomic import digest_bytes, write_bytes
from thaw.kinds.kind import Kind, Limits
from thaw.kinds.registry import kind_named, kind_names
from thaw.notebook.cache import FRAME, Cache

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 8
"""The number of files that tell the kind of a source."""


def locate(source: "str | Path | pd.DataFrame", cache: Cache) -> Path:
    """The whole path of a source: a folder or a table; a data frame with a column of texts becomes a table in the cache.

    Raises:
        BadSource: there is no such source, or the data frame has no column of texts.
    """
    if not isinstance(source, str | Path):
        return _table_of(source, cache)
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise BadSource(f"`{source}` does not exist; name a folder of class folders, or a table of texts")
    return path


def kind_of_source(source: Path, listing: str | None = None) -> Kind:
    """The kind of a source's examples, by a few of its files.

    Raises:
        BadSource: they are of no kind, or no kind can read the layout.
    """
    found: list[tuple[int, Kind]] = []
    refused: BadSource | None = None
    for name in reversed(kind_names()):
        kind = kind_named(name)
        try:
            candidates = spread_over(source_of_kind(kind, source, listing).candidates, _LOOKED_AT)
        except BadSource as error:
            refused = error
            continue
        found.append((sum(_fits(kind, Places(source), each) for each in candidates), kind))
    count, best = max(found, key=lambda pair: pair[0], default=(0, None))
    if best is not None and count:
        return best
    if refused is not None and not found:
        raise refused
    raise BadSource(f"`{source}` has no file that Thaw can read; it reads {', '.join(kind_names())}")


def _fits(kind: Kind, places: Places, candidate: Candidate) -> bool:
    return is_of_kind(kind, places.at(candidate.path), Limits())


def kind_of_values(values: "list[object]") -> Kind:
    """The kind of examples that are given as paths, bytes, arrays or strings.

    Raises:
        BadParameters: the first of them are of no kind.
    """
    some = values[:_LOOKED_AT]
    fitting = [kind for kind in _kinds() if any(_reads(kind, value) for value in some)]
    if not fitting:
        raise BadParameters(
            "the examples can be read as no kind; name a backbone by backbone=, and their kind is its own"
        )
    return fitting[0]


def _kinds() -> Iterator[Kind]:
    yield from (kind_named(name) for name in reversed(kind_names()))


def _reads(kind: Kind, value: object) -> bool:
    given = Path(value) if isinstance(value, str) and names_a_file(value) else value
    try:
        kind.inspect(kind.from_value(given), Limits())
    except Exception:  # a value of another kind may fail in any way
        return False
    return True


def names_a_file(text: str) -> bool:
    """Whether a string is the path of a file or folder that is there."""
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError):  # too long for a path, or with a null character
        return False


def _table_of(frame: "pd.DataFrame", cache: Cache) -> Path:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(frame, pd.DataFrame):
        raise BadSource(
            f"{type(frame).__name__} given as a source; name a folder, a table, or give a data frame of texts"
        )
    if find_row_columns([str(name).strip().casefold() for name in frame.columns]) is None:
        raise BadSource("the data frame has no column `text`; give texts there, and their labels in a column `label`")
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), buffer)
    content = buffer.getvalue()
    path = cache.tables / digest_bytes(content).hex()[:24] / FRAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    return path
