"""The versions that know an example, by its content: the example's split in each, and whether the version was trained on it."""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.compute as pc

from tasks.lineage.lineage import download_lineage, download_manifest
from tasks.registry.lineage_files import TRAINING
from tasks.registry.registry import ModelVersion, Registry
from thaw.dataset.manifest import Example, Manifest, read_manifest
from thaw.foundation.errors import BadExample
from thaw.foundation.files.atomic import DIGEST_SIZE, digest_file
from thaw.foundation.parallel.progress import Progress, untold
from thaw.lineage.training_examples import read_training_examples

_DIGEST = re.compile(rf"[0-9a-fA-F]{{{2 * DIGEST_SIZE}}}")


@dataclass(frozen=True)
class Appearance:
    """An example in the data of one version. trained: whether the version was trained on it; None: not recorded."""

    version: int
    aliases: tuple[str, ...]
    split: str
    path: str
    labels: tuple[str, ...] | None
    trained: bool | None


@dataclass(frozen=True)
class ExampleHistory:
    """Every appearance, the newest version first. versions: the number of all versions. unknown: the versions whose manifest is gone."""

    digest: str
    appearances: tuple[Appearance, ...]
    versions: int
    unknown: tuple[int, ...]


def digest_of(example: str) -> bytes:
    """The BLAKE3 digest of a file, or the digest that is given as 64 hex digits; 32 bytes.

    Raises:
        BadExample: `example` is neither a file nor a digest.
    """
    path = Path(example)
    if path.is_file():
        return digest_file(path)
    if _DIGEST.fullmatch(example):
        return bytes.fromhex(example)
    raise BadExample(
        f"`{example}` is neither a file nor a digest of {2 * DIGEST_SIZE} hex digits; give the path of an example, or its digest"
    )


def example_history(registry: Registry, digest: bytes, progress: Progress = untold) -> ExampleHistory:
    """The appearances of the example with a digest in the data of every version."""
    versions = registry.versions()
    seen: list[Appearance] = []
    unknown: list[int] = []
    for number, version in enumerate(versions, start=1):
        appearances = _appearances(registry, version, digest)
        if appearances is None:
            unknown.append(version.number)
        else:
            seen.extend(appearances)
        progress(number, len(versions))
    return ExampleHistory(digest.hex(), tuple(seen), len(versions), tuple(unknown))


def _appearances(registry: Registry, version: ModelVersion, digest: bytes) -> list[Appearance] | None:
    with TemporaryDirectory() as folder:
        manifest = download_manifest(registry, version, Path(folder))
        if manifest is None:
            return None
        rows = _rows(read_manifest(manifest), digest)
        if not rows:
            return []
        training = download_lineage(registry, version, Path(folder)) / TRAINING
        trained = None
        if training.is_file():
            trained = any(example.digest == digest for example in read_training_examples(training))
    return [Appearance(version.number, version.aliases, row.split, row.path, row.names, trained) for row in rows]


def _rows(manifest: Manifest, digest: bytes) -> list[Example]:
    chosen = manifest.table.filter(pc.field("digest") == digest)
    return Manifest(chosen).examples()
