"""The measurement of `thaw watch`: scored examples against the reference of the version that scored them. No stage: a person or a schedule asks for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.project.locks import exclusive
from tasks.project.paths import FEATURES, SCORED_FEATURES
from tasks.registry.mlflow_store import STATE
from tasks.registry.registry import ModelVersion, Registry, open_registry
from tasks.requests.watch_history import open_history
from thaw.drift import words
from thaw.drift.measuring import measure_drift
from thaw.drift.observed import Floats
from thaw.drift.page import render_drift
from thaw.drift.record import DriftReport, Origin, write_report
from thaw.drift.reference import Reference, read_reference
from thaw.drift.scored import Scored, choose_rows, read_scored
from thaw.features.store.store import FeatureStore, Layer, hash_digests
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.foundation.files.atomic import write_text
from thaw.params.sections import Params

DRIFT = Path("data/drift")
RECORD, PAGE = DRIFT / "drift.json", DRIFT / "drift.html"
LOCK = STATE / "watch.lock"
REFERENCE = "report/reference.parquet"
STORES = (SCORED_FEATURES, FEATURES)
"""The stores that may hold features of scored examples; the pipeline's own store is read and never written."""


@dataclass(frozen=True)
class Measured:
    """A report and the path of its page. batch: a hash of the contents of the scored examples, the same for every model. repeated: whether the history has this
    batch of this version already."""

    report: DriftReport
    page: Path
    batch: str
    repeated: bool


@dataclass(frozen=True)
class Batch:
    """Scored examples. digests: of all usable ones. compare: with the reference of the version that scored them."""

    origin: Origin
    digests: Sequence[bytes]
    compare: Callable[[Reference], DriftReport]


def measure(scores: Path, params: Params, stores: tuple[Path, ...] = STORES) -> Measured:
    """Compare the examples of a scores table with the reference of the version that scored them; see `measure_batch`.

    Args:
        scores: a Parquet file that scoring wrote
        params: `watch` has the settings of the tests, `registry` the model's name
        stores: folders of feature stores that hold the examples' features

    Raises:
        BadArtifact: the table cannot be read, or features are missing.
        RegistryError: there is no such version, or it has no reference.
    """
    scored = read_scored(scores)

    def compare(reference: Reference) -> DriftReport:
        return _compare(scored, reference, params, stores)

    return measure_batch(Batch(scored.origin, scored.digests, compare), params)


def measure_batch(batch: Batch, params: Params) -> Measured:
    """Compare a batch with its version's reference.

    The function writes `data/drift/`, adds a point to the version's history in MLflow, and tags the version if drift was found. The same batch again writes
    equal files and changes nothing else.

    Raises:
        RegistryError: there is no such version, or it has no reference.
    """
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        version = _version_of(batch.origin, registry)
        report = batch.compare(fetch_reference(registry, version))
        history = open_history(registry, version.number)
        name = hash_digests(batch.digests)[:16]
        fresh = history.record(report, name)
        if report.drifted:
            registry.tag(version.number, drift=f"{report.origin.scored_at}: {words.verdict(report)}")
        write_text(PAGE, render_drift(report, history.points()))
        write_report(report, RECORD)
    return Measured(report, PAGE, name, repeated=not fresh)


def claim_retraining(measured: Measured, params: Params) -> str | None:
    """Note that training starts now because of a batch, and return None; if it was noted before, return that time. Of two calls at once, one gets None."""
    with exclusive(LOCK):
        history = open_history(open_registry(params.registry), measured.report.origin.version)
        before = history.retrained(measured.batch)
        if before is None:
            history.note_retraining(measured.batch)
    return before


def release_retraining(measured: Measured, params: Params) -> None:
    """Remove the note, after a training that failed."""
    with exclusive(LOCK):
        open_history(open_registry(params.registry), measured.report.origin.version).forget_retraining(measured.batch)


def fetch_reference(registry: Registry, version: ModelVersion) -> Reference:
    """The reference of a version.

    Raises:
        RegistryError: the version has no reference.
        BadArtifact: the reference is damaged.
    """
    with TemporaryDirectory() as folder:
        try:
            path = registry.download(version, REFERENCE, Path(folder))
        except RegistryError as error:
            raise RegistryError(
                f"{version.uri} has no reference to compare new examples with: it is older than `thaw watch`, or its MLflow run is gone; "
                "`thaw run` registers a version with a reference"
            ) from error
        return read_reference(path)


def _version_of(origin: Origin, registry: Registry) -> ModelVersion:
    if origin.model != registry.name:
        raise RegistryError(
            f"the examples were scored by {origin.model!r}, and this project's model is {registry.name!r} (registry.name); score them with that model"
        )
    return registry.version(origin.version)


def _compare(scored: Scored, reference: Reference, params: Params, stores: tuple[Path, ...]) -> DriftReport:
    if (scored.layer.dim, scored.class_names) != (reference.layer.dim, reference.class_names):
        raise BadArtifact(
            f"the scores and the reference of version {scored.origin.version} are of different models ({scored.layer.dim} and {reference.layer.dim} features, "
            f"{len(scored.class_names)} and {len(reference.class_names)} classes); score the examples again"
        )
    rows, left_out = choose_rows(scored.digests, reference.rows.digests, scored.unusable)
    features = read_features(stores, scored.layer, [scored.digests[row] for row in rows])
    return measure_drift(
        reference,
        scored.observed(rows, features),
        params.watch,
        confidence=params.statistics.confidence,
        origin=scored.origin,
        left_out=left_out,
        other_way=scored.layer.fingerprint != reference.layer.fingerprint,
    )


def read_features(stores: tuple[Path, ...], layer: Layer, digests: list[bytes]) -> Floats:
    """Features from any of the stores, in the order of `digests`: float32 [N, dim].

    Raises:
        BadArtifact: no store has the features of some example.
    """
    features = np.empty((len(digests), layer.dim), np.float32)
    missing = dict(zip(digests, range(len(digests)), strict=True))
    for store in map(FeatureStore, stores):
        stored = store.digests(layer.fingerprint, layer.name)
        there = stored.filter(pc.is_in(stored, pa.array(missing, stored.type))).to_pylist()  # type: ignore[attr-defined]
        if there:
            rows = [missing.pop(digest) for digest in there]
            features[rows] = store.read(layer.fingerprint, layer.name, there).numpy()
    if missing:
        raise BadArtifact(
            f"{len(missing)} of {len(digests)} scored examples have no features in {' or '.join(map(str, stores))}; score them again, as with `thaw watch PATH`"
        )
    return features
