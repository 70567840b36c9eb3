"""The gallery: features and small previews of training examples, so that an answer can be shown beside the nearest of them."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.dataset.manifest import Example
from thaw.dataset.places import Places
from thaw.foundation.errors import BadArtifact, BadExample, BadSource
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads.standardisation import Standardisation
from thaw.kinds.kind import Kind, Limits, Preview
from thaw.kinds.prepared import preview_of

FILE = "gallery.parquet"
_FORMAT = "thaw.gallery/1"
_AGAIN = "run `thaw run --stage evaluate` to make it again"


@dataclass(frozen=True, eq=False)
class Gallery:
    """Row i is the training example `digests[i]`, at `paths[i]` below the source, that shows `labels[i]`.

    features: float32 [N, D], of `layer`, under the fingerprint. previews: of each example, for pages.
    """

    fingerprint: str
    layer: str
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    features: Tensor
    previews: tuple[Preview, ...]

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def dim(self) -> int:
        """The number of numbers in a feature."""
        return int(self.features.shape[1])


@dataclass(frozen=True, eq=False)
class Nearness:
    """A gallery prepared for searches. rows: float32 [N, D], standardised, of length 1."""

    standardisation: Standardisation
    rows: Tensor

    @classmethod
    def of(cls, gallery: Gallery, standardisation: Standardisation) -> "Nearness":
        """The gallery with the standardisation of a head."""
        return cls(standardisation, F.normalize(standardisation.apply(gallery.features)))

    def nearest(self, feature: Tensor, count: int) -> list[tuple[int, float]]:
        """The rows most like a feature, float32 [D], the most alike first, each with its cosine similarity."""
        similar = self.rows @ F.normalize(self.standardisation.apply(feature[None]))[0]
        best = similar.topk(min(count, len(similar)))
        return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def spread_over_classes(examples: Sequence[Example], most: int) -> tuple[Example, ...]:
    """At most `most` labelled examples, equally many of each class as long as it has more, sorted by path.

    Within a class they are taken in the order of their digests, so the same examples give the same choice. An example with a set of labels counts for the class
    that has the fewest so far.
    """
    ranks: dict[bytes, int] = {}
    seen: dict[str | None, int] = defaultdict(int)
    for example in sorted(examples, key=lambda example: example.digest):
        names: tuple[str | None, ...] = example.names or (None,)
        ranks[example.digest] = min(seen[name] for name in names)
        for name in names:
            seen[name] += 1
    chosen = sorted(examples, key=lambda example: (ranks[example.digest], example.digest))[:most]
    return tuple(sorted(chosen, key=lambda example: example.path))


def build_gallery(
    examples: Sequence[Example],
    places: Places,
    features_of: Callable[[Sequence[Example]], Tensor],
    *,
    fingerprint: str,
    layer: str,
    kind: Kind,
    limits: Limits,
    progress: Progress = untold,
) -> Gallery:
    """A gallery of labelled examples; those whose file is gone or has changed since the ingestion are left out.

    features_of: a function from examples to float32 [N, D].
    """

    def preview(example: Example) -> Preview | None:
        try:
            return preview_of((example.digest, places.at(example.path)), kind, limits, small=True)
        except (BadSource, BadExample):
            return None

    kept, previews = [], []
    for done, (example, shown) in enumerate(map_ahead(preview, examples, depth=4 * usable_cores()), 1):
        if shown is not None:
            kept.append(example)
            previews.append(shown)
        progress(done, len(examples))
    return Gallery(
        fingerprint=fingerprint,
        layer=layer,
        digests=tuple(example.digest for example in kept),
        paths=tuple(example.path for example in kept),
        labels=tuple(example.names or () for example in kept),
        features=features_of(kept).float() if kept else torch.empty(0, 1),  # Parquet has no bytes of length 0
        previews=tuple(previews),
    )


def _without_types(previews: Sequence[Preview]) -> bool:
    """Whether the bytes of every preview show its media type, so that the file needs no column for it."""
    return all(preview.drawing is None and preview.media_type == _sniffed(preview.content) for preview in previews)


def _sniffed(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"


def _schema(dim: int, metadata: dict[str, str], *, is_plain: bool) -> pa.Schema:
    fields = [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("feature", pa.binary(4 * dim), nullable=False),
        pa.field("thumbnail", pa.binary(), nullable=False),
    ]
    others = [pa.field("media_type", pa.string(), nullable=False), pa.field("drawing", pa.binary())]
    return pa.schema(fields if is_plain else fields + others, metadata)


def write_gallery(gallery: Gallery, path: Path) -> None:
    """Write Parquet, atomically: `digest`, `path`, `labels` (one or several), `feature` (float32, little-endian, as bytes), `thumbnail` (a PNG or JPEG
    file). For other previews, `thumbnail` is their content, and there are the columns `media_type` and `drawing` (a PNG file, or null).

    The metadata hold the fingerprint, the layer and the dimension of the features.
    """
    features = np.ascontiguousarray(gallery.features.numpy(), dtype="<f4")
    columns = [
        pa.array(gallery.digests, pa.binary(DIGEST_SIZE)),
        pa.array(gallery.paths, pa.string()),
        pa.array([list(names) for names in gallery.labels], pa.list_(pa.string())),
        pa.array([row.tobytes() for row in features], pa.binary(4 * gallery.dim)),
        pa.array([preview.content for preview in gallery.previews], pa.binary()),
    ]
    if not (is_plain := _without_types(gallery.previews)):
        columns.append(pa.array([preview.media_type for preview in gallery.previews], pa.string()))
        columns.append(pa.array([preview.drawing for preview in gallery.previews], pa.binary()))
    stated = {"fingerprint": gallery.fingerprint, "layer": gallery.layer, "dim": json.dumps(gallery.dim)}
    schema = _schema(gallery.dim, {"format": _FORMAT, **stated}, is_plain=is_plain)
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_gallery(path: Path) -> Gallery:
    """Read a gallery of `write_gallery`.

    Raises:
        BadArtifact: the file is missing, torn, or of another version.
    """
    try:
        table = pq.read_table(path)
        stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        dim = int(stated.get("dim", "-1"))
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); {_AGAIN}") from error
    if stated.get("format") != _FORMAT or dim < 0 or not _fits(table.schema, dim):
        raise BadArtifact(f"{path} is no gallery of this version; {_AGAIN}")
    features = np.frombuffer(b"".join(table["feature"].to_pylist()), "<f4").reshape(table.num_rows, dim)
    return Gallery(
        fingerprint=stated["fingerprint"],
        layer=stated["layer"],
        digests=tuple(table["digest"].to_pylist()),
        paths=tuple(table["path"].to_pylist()),
        labels=tuple(tuple(names) for names in table["labels"].to_pylist()),
        features=torch.from_numpy(features.copy()),
        previews=_previews_in(table),
    )


def _fits(schema: pa.Schema, dim: int) -> bool:
    return any(schema.equals(_schema(dim, {}, is_plain=is_plain)) for is_plain in (True, False))


def _previews_in(table: pa.Table) -> tuple[Preview, ...]:
    contents = table["thumbnail"].to_pylist()
    if "media_type" not in table.column_names:
        return tuple(Preview(_sniffed(content), content) for content in contents)
    others = zip(table["media_type"].to_pylist(), contents, table["drawing"].to_pylist(), strict=True)
    return tuple(Preview(media_type, content, drawing) for media_type, content, drawing in others)
