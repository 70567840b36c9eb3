"""The gallery: features and small pictures of training images, so that an answer can be shown beside the nearest of what was learnt from."""

import io
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
from thaw.foundation.errors import BadArtifact, BadExample, BadSource
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads.standardisation import Standardisation
from thaw.kinds.images.files import open_image, upright_rgb
from thaw.kinds.images.reading import read_ingested
from thaw.kinds.kind import Limits

FILE = "gallery.parquet"
SIDE = 128
"""The longer side of a thumbnail, in pixels; smaller images stay as they are."""
_LOSSLESS = 64
"""Up to this side a thumbnail is PNG: JPEG blurs what is so small, and saves nothing."""
_QUALITY = 82
_FORMAT = "thaw.gallery/1"
_AGAIN = "run `thaw run --stage evaluate` to make it again"


@dataclass(frozen=True, eq=False)
class Gallery:
    """Row i is the training image `digests[i]`, at `paths[i]` below the source, that shows `labels[i]`.

    features: float32 [N, D], of `layer` by what has that fingerprint. thumbnails: PNG or JPEG files.
    """

    fingerprint: str
    layer: str
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    features: Tensor
    thumbnails: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def dim(self) -> int:
        """Numbers in a feature."""
        return int(self.features.shape[1])


@dataclass(frozen=True, eq=False)
class Nearness:
    """A gallery made ready to be searched. rows: float32 [N, D], standardised, of length 1."""

    standardisation: Standardisation
    rows: Tensor

    @classmethod
    def of(cls, gallery: Gallery, standardisation: Standardisation) -> "Nearness":
        """The gallery in the measure of a head: as its features were standardised."""
        return cls(standardisation, F.normalize(standardisation.apply(gallery.features)))

    def nearest(self, feature: Tensor, count: int) -> list[tuple[int, float]]:
        """The rows most like a feature, float32 [D], the most alike first, each with its cosine similarity."""
        similar = self.rows @ F.normalize(self.standardisation.apply(feature[None]))[0]
        found = similar.topk(min(count, len(similar)))
        return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))


def spread_over_classes(examples: Sequence[Example], most: int) -> tuple[Example, ...]:
    """At most `most` labelled examples, as many of each class as of any other while they last, sorted by path.

    Within a class they come in the order of their digests, so the same examples give the same choice. An example with a set of labels stands for the class
    that needs it most.
    """
    ranks: dict[bytes, int] = {}
    seen: dict[str | None, int] = defaultdict(int)
    for example in sorted(examples, key=lambda one: one.digest):
        names: tuple[str | None, ...] = example.names or (None,)
        ranks[example.digest] = min(seen[name] for name in names)
        for name in names:
            seen[name] += 1
    chosen = sorted(examples, key=lambda one: (ranks[one.digest], one.digest))[:most]
    return tuple(sorted(chosen, key=lambda one: one.path))


def build_gallery(
    examples: Sequence[Example],
    source: Path,
    features_of: Callable[[Sequence[Example]], Tensor],
    *,
    fingerprint: str,
    layer: str,
    limits: Limits,
    progress: Progress = untold,
) -> Gallery:
    """A gallery of labelled examples; those whose image is gone or has changed since it was ingested are left out.

    features_of: gives float32 [N, D] of examples.
    """

    def picture(example: Example) -> bytes | None:
        try:
            return _thumbnail(read_ingested(example.digest, source / example.path), limits)
        except (BadSource, BadExample):
            return None

    kept, thumbnails = [], []
    for done, (example, found) in enumerate(map_ahead(picture, examples, depth=4 * usable_cores()), 1):
        if found is not None:
            kept.append(example)
            thumbnails.append(found)
        progress(done, len(examples))
    return Gallery(
        fingerprint=fingerprint,
        layer=layer,
        digests=tuple(example.digest for example in kept),
        paths=tuple(example.path for example in kept),
        labels=tuple(example.names or () for example in kept),
        features=features_of(kept).float() if kept else torch.empty(0, 1),  # Parquet has no bytes of length 0
        thumbnails=tuple(thumbnails),
    )


def _thumbnail(content: bytes, limits: Limits) -> bytes:
    opened = open_image(content, limits.max_pixels)
    opened.draft(
        "RGB", (2 * SIDE, 2 * SIDE)
    )  # of JPEG alone: decoded at a fraction of its size, still twice as large as needed
    image = upright_rgb(opened)
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    if max(image.size) <= _LOSSLESS:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def media_type(thumbnail: bytes) -> str:
    """What a thumbnail is, as HTTP names it."""
    return "image/png" if thumbnail.startswith(b"\x89PNG") else "image/jpeg"


def _schema(dim: int, metadata: dict[str, str]) -> pa.Schema:
    fields = [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("feature", pa.binary(4 * dim), nullable=False),
        pa.field("thumbnail", pa.binary(), nullable=False),
    ]
    return pa.schema(fields, metadata)


def write_gallery(gallery: Gallery, path: Path) -> None:
    """Write Parquet, atomically: `digest`, `path`, `labels` (one or several), `feature` (float32, little-endian, as bytes), `thumbnail` (a PNG or JPEG file).

    The metadata say the fingerprint, the layer and the dimension of the features.
    """
    features = np.ascontiguousarray(gallery.features.numpy(), dtype="<f4")
    columns = [
        pa.array(gallery.digests, pa.binary(DIGEST_SIZE)),
        pa.array(gallery.paths, pa.string()),
        pa.array([list(names) for names in gallery.labels], pa.list_(pa.string())),
        pa.array([row.tobytes() for row in features], pa.binary(4 * gallery.dim)),
        pa.array(gallery.thumbnails, pa.binary()),
    ]
    stated = {"fingerprint": gallery.fingerprint, "layer": gallery.layer, "dim": json.dumps(gallery.dim)}
    schema = _schema(gallery.dim, {"format": _FORMAT, **stated})
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_gallery(path: Path) -> Gallery:
    """Read what `write_gallery` wrote.

    Raises:
        BadArtifact: the file is missing, torn, or of another version.
    """
    try:
        table = pq.read_table(path)
        stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        dim = int(stated.get("dim", "-1"))
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); {_AGAIN}") from error
    if stated.get("format") != _FORMAT or dim < 0 or not table.schema.equals(_schema(dim, {})):
        raise BadArtifact(f"{path} is no gallery of this version; {_AGAIN}")
    features = np.frombuffer(b"".join(table["feature"].to_pylist()), "<f4").reshape(table.num_rows, dim)
    return Gallery(
        fingerprint=stated["fingerprint"],
        layer=stated["layer"],
        digests=tuple(table["digest"].to_pylist()),
        paths=tuple(table["path"].to_pylist()),
        labels=tuple(tuple(names) for names in table["labels"].to_pylist()),
        features=torch.from_numpy(features.copy()),
        thumbnails=tuple(table["thumbnail"].to_pylist()),
    )
