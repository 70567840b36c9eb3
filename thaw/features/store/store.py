"""The feature store: features by content, in immutable Parquet parts, and the canonical index that later stages depend on.

Layout: `<root>/<fingerprint>/<layer>/part-<name>.parquet` with the columns `digest` (32 bytes) and `feature` (dim x itemsize
bytes, little endian). A part is written to a temporary name, synced and renamed; its name comes from the digests in it. So
writers never conflict, and a reader sees whole parts only.
"""

import io
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from blake3 import blake3

from thaw.dataset.manifest import Example
from thaw.features.store.coverage import Coverage
from thaw.features.store.hearing import CLEARLY, Hearing
from thaw.foundation.errors import BadArtifact, BadParameters, IncompleteFeatures
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic, write_text
from thaw.kinds.kind import IDENTITY, View

if TYPE_CHECKING:
    import torch  # the import takes seconds, and a look at the store does not need it

log = logging.getLogger(__name__)

ONE_PAGE = "one uncompressed page a column"
"""The mark of parts whose features lie in the file as one block, which a memory map gives without decoding."""
SEQUENCES = "a sequence a row"
"""The mark of parts whose rows have different lengths."""
MOST_PAGE_BYTES = 2**31 - 2**20
FloatRows = np.ndarray[tuple[int, int], np.dtype[np.float32]]
EXTRACT_AGAIN = "run `thaw run --stage extract` to compute the missing features"


@dataclass(frozen=True)
class Layer:
    """The place of the features of one cut layer in one view, and their dimension."""

    fingerprint: str
    name: str
    dim: int
    view: View = IDENTITY


@dataclass(frozen=True)
class SequenceLayer:
    """The place of the sequences of one cut layer, or without a backbone. dim: of a place. period_s: the distance of two places. window_s: the sound that a
    place is computed from. hearing: how the recordings are heard."""

    fingerprint: str
    name: str
    dim: int
    period_s: float
    window_s: float
    hearing: Hearing = CLEARLY

    @property
    def stored(self) -> Layer:
        """The layer of the store that holds them."""
        return Layer(self.fingerprint, f"{self.name}.sequence", self.dim)


@dataclass(frozen=True)
class FeatureIndex:
    """The canonical index: the same examples and backbone give the same index, in any order of the examples.

    layers: in the order of the parameters, view by view. rows: the number of distinct digests of the manifest. digests: BLAKE3 over them sorted, hex. dtype: of
    the stored features. coverage: how much of the examples the backbone takes in; None: there is nothing to count. sequences: of a trigger's recordings; None:
    the target needs none. further: of the same recordings, or some of them, heard in other ways.
    """

    architecture: str
    dtype: str
    layers: tuple[Layer, ...]
    rows: int
    digests: str
    coverage: Coverage | None = None
    sequences: SequenceLayer | None = None
    further: tuple[SequenceLayer, ...] = ()

    @property
    def stored(self) -> tuple[Layer, ...]:
        """Every layer of the store that the index names."""
        own = () if self.sequences is None else (self.sequences.stored,)
        return (*self.layers, *own, *(each.stored for each in self.further))

    def layer(self, name: str | None, view: View = IDENTITY) -> Layer:
        """The cut layer of that name in a view; None: the last one.

        Raises:
            IncompleteFeatures: no features of that layer, or of that view, were extracted.
        """
        seen = [layer for layer in self.layers if layer.view == view]
        if not seen:
            raise IncompleteFeatures(f"head.views: no features of {view}; add it to extract.views")
        if name is None:
            return seen[-1]
        for layer in seen:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in seen)
        raise IncompleteFeatures(f"strategy.layer: no features of {name!r}, only of {known}; add it to backbone.layers")


def hash_digests(digests: Iterable[bytes]) -> str:
    """BLAKE3 over the sorted distinct digests, hex."""
    return blake3(b"".join(sorted(set(digests)))).hexdigest()


def part_name(digests: Iterable[bytes]) -> str:
    """The file name of the part that holds these digests."""
    return f"part-{hash_digests(digests)[:24]}.parquet"


def check_part_rows(layer: Layer, rows: int) -> None:
    """Raise BadParameters if parts of that many rows would not fit one page; the size is that of float32, for any stored type."""
    most = MOST_PAGE_BYTES // (4 * layer.dim)
    if rows > most:
        raise BadParameters(
            f"extract.part_rows: a part of {layer.name} with {layer.dim} numbers a row holds at most {most:,} rows"
        )


def write_index(index: FeatureIndex, path: Path) -> None:
    """Write the index as JSON, atomically."""
    values = asdict(index)
    for optional in ("coverage", "sequences", "further"):
        if not values[optional]:
            del values[optional]
    write_text(path, json.dumps(values, indent=2) + "\n")


def read_index(path: Path) -> FeatureIndex:
    """Read the index.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    try:
        values = json.loads(path.read_text())
        layers = tuple(Layer(**layer) for layer in values.pop("layers"))
        coverage = Coverage(**values.pop("coverage")) if "coverage" in values else None
        sequences = _sequence_layer(values.pop("sequences")) if "sequences" in values else None
        further = tuple(_sequence_layer(each) for each in values.pop("further", ()))
        return FeatureIndex(layers=layers, coverage=coverage, sequences=sequences, further=further, **values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadArtifact(f"{path} cannot be read as a feature index ({error}); {EXTRACT_AGAIN}") from error


def _sequence_layer(values: dict[str, Any]) -> SequenceLayer:
    return SequenceLayer(**{**values, "hearing": Hearing(**values.get("hearing", {}))})


@dataclass(frozen=True)
class FeatureStore:
    """Features below one folder. Reading takes no lock, and writing needs none."""

    root: Path

    def digests(self, fingerprint: str, layer: str) -> pa.Array:
        """The digests (fixed binary 32) that have features, once each, in no set order."""
        chunks = [part.digests for part in self._parts(fingerprint, layer)]
        return pa.concat_arrays(chunks).unique() if chunks else pa.array([], pa.binary(DIGEST_SIZE))

    def write(self, layer: Layer, digests: Sequence[bytes], features: "torch.Tensor", metadata: dict[str, str]) -> Path:
        """Write one part: `features` is [N, dim], float32 or float16, row i for `digests[i]`. Returns its path."""
        path = self.path(layer, part_name(digests))
        values = features.detach().cpu().contiguous().numpy()
        assert values.shape == (len(digests), layer.dim), (
            f"{values.shape} for {len(digests)} digests of dim {layer.dim}"
        )
        check_part_rows(layer, len(digests))
        feature = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(layer.dim * values.itemsize), len(digests), [None, pa.py_buffer(values)]
        )
        stated = {
            **metadata,
            "dtype": str(values.dtype),
            "dim": str(layer.dim),
            "layer": layer.name,
            "view": layer.view,
            "layout": ONE_PAGE,
        }
        # Columns that cannot be null have no definition levels, so the read of a page is the copy of one block.
        fields = [
            pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
            pa.field("feature", feature.type, nullable=False),
        ]
        table = pa.table([pa.array(digests, fields[0].type), feature], schema=pa.schema(fields, stated))
        with _named(path), atomic(path) as temporary:
            pq.write_table(
                table,
                temporary,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
                write_page_checksum=True,
                row_group_size=len(digests),
                write_batch_size=len(digests),
                data_page_size=MOST_PAGE_BYTES,
                max_rows_per_page=len(digests),
            )
        return path

    def read(self, fingerprint: str, layer: str, digests: Sequence[bytes]) -> "torch.Tensor":
        """The features of `digests`, in their order: float32 [N, dim].

        Raises:
            IncompleteFeatures: some digest has none.
            BadArtifact: a part is torn.
        """
        import torch

        wanted = pa.array(digests, pa.binary(DIGEST_SIZE))
        parts = list(self._parts(fingerprint, layer))
        if not parts:
            raise IncompleteFeatures(f"{self._folder(fingerprint, layer)} holds no features; {EXTRACT_AGAIN}")
        places = pc.index_in(wanted, value_set=pa.concat_arrays([part.digests for part in parts]))  # type: ignore[attr-defined]
        if places.null_count:
            raise IncompleteFeatures(f"{places.null_count} of {len(wanted)} examples have no features; {EXTRACT_AGAIN}")
        return torch.from_numpy(_gather(parts, places.to_numpy()))

    def set_aside_damaged(self, fingerprint: str, layer: str) -> list[Path]:
        """Check every part against its checksums and its name, rename damaged parts to `*.damaged` and return their new paths."""
        damaged = []
        for path in self._paths(fingerprint, layer):
            aside = path.with_suffix(".parquet.damaged")
            try:
                if is_sound(path, path.name):
                    continue
                path.replace(aside)
            except FileNotFoundError:
                pass  # another run has set it aside
            else:
                log.warning("%s is damaged; it is now %s, and its features are computed again", path, aside.name)
                damaged.append(aside)
        return damaged

    def path(self, layer: Layer, name: str) -> Path:
        """The path of the part with that file name, which need not exist."""
        return self._folder(layer.fingerprint, layer.name) / name

    def parts(self, layer: Layer) -> list[Path]:
        """The files that hold a layer, sorted."""
        return self._paths(layer.fingerprint, layer.name)

    def stated(self, layer: Layer) -> list[dict[str, str]]:
        """The record of each part of a layer on how it was made."""
        schemas = (pq.read_schema(path) for path in self.parts(layer))
        return [{key.decode(): value.decode() for key, value in (schema.metadata or {}).items()} for schema in schemas]

    def _folder(self, fingerprint: str, layer: str) -> Path:
        return self.root / fingerprint / layer

    def _paths(self, fingerprint: str, layer: str) -> list[Path]:
        return sorted(self._folder(fingerprint, layer).glob("part-*.parquet"))

    def _parts(self, fingerprint: str, layer: str) -> Iterator["Part"]:
        for path in self._paths(fingerprint, layer):
            try:
                yield open_part(path)
            except (OSError, pa.ArrowInvalid) as error:
                if is_of_the_system(error) and not isinstance(error, FileNotFoundError):
                    raise
                raise BadArtifact(f"{path} is gone or damaged ({error}); {EXTRACT_AGAIN}") from error


def read_views(store: FeatureStore, views: Sequence[Layer], examples: Sequence[Example]) -> "torch.Tensor":
    """The features of examples in each of some views of a layer: float32 [N, V, dim].

    Raises:
        IncompleteFeatures: some example has no features.
    """
    import torch

    digests = [example.digest for example in examples]
    return torch.stack([store.read(view.fingerprint, view.name, digests) for view in views], 1)


@dataclass(frozen=True)
class Part:
    """One part of a layer, with its digests in memory and its features on disk. end: the end of the block of features in the file, if they are one block."""

    path: Path
    digests: pa.Array
    dtype: "np.dtype[Any]"
    dim: int
    end: int | None

    def read_into(self, first: int, out: FloatRows) -> None:
        """Fill `out`, float32 [rows, dim], with the features from row `first` on.

        If the file holds float32 as one block, the system copies the features to their place, without a map of the file.
        """
        if self.end is None or self.dtype != out.dtype:
            out[:] = self.features()[first : first + len(out)]
            return
        row = self.dim * self.dtype.itemsize
        start = self.end - (len(self.digests) - first) * row
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(start)
                got = _fill(file, out.reshape(-1).view(np.uint8).data)
        except OSError as error:
            raise self._damaged(error) from error
        if got < out.nbytes:
            raise self._damaged("it ends too early")

    def features(self) -> "np.ndarray[Any, Any]":
        """The features, [rows, dim] of the stored dtype: a map of the file if they are one block, else decoded by Arrow."""
        rows, width = len(self.digests), self.dim * self.dtype.itemsize
        try:
            if self.end is not None:
                block = _map_block(self.path, self.end, rows * width)
            else:
                array = _one(pq.read_table(self.path, columns=["feature"], memory_map=True)["feature"])
                block = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * width :][: rows * width]
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            raise self._damaged(error) from error
        return block.view(self.dtype).reshape(rows, self.dim)

    def _damaged(self, why: object) -> BadArtifact:
        return BadArtifact(f"{self.path} is damaged ({why}); {EXTRACT_AGAIN}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A context that adds the file's name to Arrow's errors, so that the user knows which disk is full."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error


def _fill(file: io.FileIO, space: memoryview) -> int:
    """Read until `space` is full or the file ends; returns the number of bytes."""
    got = 0
    while got < len(space) and (more := file.readinto(space[got:])):
        got += more
    return got


def open_part(path: Path) -> Part:
    """A part with its digests read.

    Raises:
        OSError, ArrowInvalid: the file is gone, or its header is damaged.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        metadata, names = file.schema_arrow.metadata, file.schema_arrow.names
        dtype, dim = np.dtype(metadata[b"dtype"].decode()), int(metadata[b"dim"])
        if metadata.get(b"layout") != ONE_PAGE.encode() or file.num_row_groups != 1:
            return Part(path, _one(file.read(columns=["digest"])["digest"]), dtype, dim, None)
        columns = {name: file.metadata.row_group(0).column(names.index(name)) for name in names}
        ends = {name: column.data_page_offset + column.total_compressed_size for name, column in columns.items()}
        rows = file.metadata.num_rows
    # The digests are copied, because a map would keep the file open, and a process may open only so many files.
    block = _map_block(path, ends["digest"], rows * DIGEST_SIZE).tobytes()
    digests = pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_SIZE), rows, [None, pa.py_buffer(block)])
    return Part(path, digests, dtype, dim, ends["feature"])


def _map_block(path: Path, end: int, nbytes: int) -> "np.ndarray[Any, Any]":
    """The `nbytes` bytes of a file before `end`, uint8, through a memory map."""
    return np.memmap(path, np.uint8, "r", offset=end - nbytes, shape=(nbytes,))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _gather(parts: Sequence[Part], rows: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Rows of the concatenated parts, as float32 [len(rows), dim]; each part is read once, by several threads."""
    starts = np.cumsum([0, *(len(part.digests) for part in parts)])
    out = np.empty((len(rows), parts[0].dim), np.float32)
    owner = np.searchsorted(starts, rows, side="right") - 1

    def copy(number: int) -> None:
        target = np.flatnonzero(owner == number)
        if not len(target):
            return
        part, source = parts[number], rows[target] - starts[number]
        first, last = target[0], target[-1] + 1
        if len(target) == last - first and np.array_equal(source, np.arange(source[0], source[0] + len(source))):
            part.read_into(int(source[0]), out[first:last])  # one block: several times faster than a gather
        else:
            out[target] = part.features()[source]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(copy, range(len(parts))))
    return out


def is_sound(path: Path, name: str) -> bool:
    """Whether a file is a sound part of that name: all checksums are right, the digests give the name, and the size of a feature is as stated.

    Raises:
        OSError: the file cannot be read, so nothing is known about its content.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        metadata = table.schema.metadata or {}
        width = int(metadata[b"dim"]) * np.dtype(metadata[b"dtype"].decode()).itemsize
        named = name == part_name(table["digest"].to_pylist())
        whole = pa.binary() if metadata.get(b"layout") == SEQUENCES.encode() else pa.binary(width)
        return named and table.schema.field("feature").type == whole
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        if is_of_the_system(error):
            raise
        return False


def is_of_the_system(error: Exception) -> bool:
    """Whether the system could not read a file; for a damaged file Arrow raises an OSError without a number."""
    return isinstance(error, OSError) and error.errno is not None
