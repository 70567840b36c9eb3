"""Slices of examples: the values of the columns that `dataset.slices` names. They stand in a file beside the manifest, whose columns are fixed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.manifest import Manifest
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic

FILE = "slices.parquet"
_DIGEST, _PATH = "digest", "path"
RESERVED = (_DIGEST, _PATH)
"""The names that no slice has."""


@dataclass(frozen=True)
class Slices:
    """The slices of N examples, sorted by path. digests: 32 bytes each. values: of each name, N texts; None: it is not stated."""

    names: tuple[str, ...]
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]

    def of_paths(self, paths: Sequence[str]) -> "Slices":
        """The slices of some examples, in their order.

        Raises:
            BadArtifact: the slices of one are not known.
        """
        place = {path: row for row, path in enumerate(self.paths)}
        if lacking := [path for path in paths if path not in place]:
            raise BadArtifact(f"the slices of `{lacking[0]}` are not known; run `thaw run --stage ingest`")
        return self._rows([place[path] for path in paths])

    def of_digests(self, digests: Collection[bytes]) -> "Slices":
        """The slices of the examples with such a content."""
        return self._rows([row for row, digest in enumerate(self.digests) if digest in digests])

    def column(self, name: str) -> tuple[str | None, ...]:
        """The values of one name."""
        return self.values[self.names.index(name)]

    def _rows(self, rows: Sequence[int]) -> "Slices":
        return Slices(
            self.names,
            tuple(self.digests[row] for row in rows),
            tuple(self.paths[row] for row in rows),
            tuple(tuple(column[row] for row in rows) for column in self.values),
        )


def slices_of(manifest: Manifest, names: tuple[str, ...], stated: Mapping[str, tuple[str, ...]]) -> Slices | None:
    """The slices of a manifest's rows, in their order; None: none are named. stated: the values of each path; "": it is not stated."""
    if not names:
        return None
    paths = [str(path) for path in manifest.table["path"].to_pylist()]
    columns = tuple(tuple(stated[path][place] or None for path in paths) for place in range(len(names)))
    return Slices(names, tuple(manifest.digests), tuple(paths), columns)


def write_slices(slices: Slices, path: Path) -> None:
    """Write Parquet with the columns digest, path and each name, atomically; the same slices give the same bytes."""
    columns = [
        pa.array(slices.digests, pa.binary(DIGEST_SIZE)),
        pa.array(slices.paths, pa.string()),
        *(pa.array(column, pa.string()) for column in slices.values),
    ]
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, names=[*RESERVED, *slices.names]), temporary, compression="zstd")


def read_slices(path: Path) -> Slices | None:
    """Read slices of `write_slices`; None: there is no such file, because no slices are named.

    Raises:
        BadArtifact: the file is damaged, or of another version.
    """
    if not path.exists():
        return None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); `thaw run` makes it again") from error
    if tuple(table.column_names[:2]) != RESERVED:
        raise BadArtifact(f"{path} holds no slices of this version; `thaw run` makes it again")
    columns = [tuple(table.column(name).to_pylist()) for name in table.column_names]
    return Slices(tuple(table.column_names[2:]), columns[0], columns[1], tuple(columns[2:]))
