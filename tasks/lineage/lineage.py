"""The lineage of a version, read from the registry and from the version's MLflow run. A record that an older version lacks is None, and no error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.project.dvc_lock import LOCK, LockedFile, LockedStage, parse_lock
from tasks.registry.lineage_files import CHANGED, LINEAGE, MACHINE, PACKAGES, TRAINING
from tasks.registry.mlflow_store import explained, tracking_uri
from tasks.registry.promotion_history import Event
from tasks.registry.registry import ModelVersion, Registry
from tasks.registry.version_tags import OUTPUT
from tasks.registry.write_once import MOVES
from thaw.dataset.manifest import Manifest, read_manifest
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.kind import ANY, Words
from thaw.kinds.registry import words_of
from thaw.lineage.surroundings import Machine
from thaw.lineage.training_examples import TrainingExample, read_training_examples

MANIFEST_FILE = "manifest.parquet"
TRACKING = frozenset({"track", "register"})
"""The stage that makes the MLflow run, and its name in older versions."""


@dataclass(frozen=True)
class Run:
    """An MLflow run, the address of its store, and its parameters by dotted name."""

    id: str
    store: str
    started: datetime
    params: Mapping[str, str]


@dataclass(frozen=True)
class Commit:
    """A Git commit. dirty: whether tracked files differed from it. changed: their names; None: not recorded."""

    id: str
    dirty: bool
    changed: tuple[str, ...] | None


@dataclass(frozen=True)
class Dataset:
    """The version's manifest: BLAKE3 of the file, hex, the name of the kind of its examples, and their number by split."""

    source: str | None
    manifest: str
    kind: str
    splits: Mapping[str, int]


@dataclass(frozen=True)
class Lineage:
    """All records of a version's origin."""

    version: ModelVersion
    run: Run | None
    commit: Commit | None
    flow_run: str | None
    """The Prefect flow run's id."""
    promotions: tuple[Event, ...]
    """The promotions of the version, the oldest first."""
    stages: tuple[LockedStage, ...]
    """The stages of `dvc.lock`; without inputs if only the outputs were recorded; empty without DVC."""
    packages: Mapping[str, str] | None
    machine: Machine | None
    dataset: Dataset | None
    training: tuple[TrainingExample, ...] | None

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the features."""
        return self.version.tags.get("thaw.fingerprint")

    @property
    def words(self) -> Words:
        """The words for the version's examples."""
        return ANY if self.dataset is None else words_of(self.dataset.kind)


def read_lineage(registry: Registry, version: ModelVersion) -> Lineage:
    """Collect the records of a version.

    Raises:
        BadArtifact: a record is damaged.
    """
    tags = version.tags
    run = _read_run(registry, version)
    with TemporaryDirectory() as folder:
        kept = download_lineage(registry, version, Path(folder))
        manifest = download_manifest(registry, version, Path(folder))
        return Lineage(
            version=version,
            run=run,
            commit=_commit(tags, kept),
            flow_run=tags.get("thaw.flow_run"),
            promotions=tuple(event for event in registry.history() if event.version == version.number),
            stages=_stages(tags, kept),
            packages=_packages(kept / PACKAGES),
            machine=_machine(kept / MACHINE),
            dataset=None if manifest is None else _dataset(manifest, run),
            training=read_training_examples(kept / TRAINING) if (kept / TRAINING).is_file() else None,
        )


def download_lineage(registry: Registry, version: ModelVersion, folder: Path) -> Path:
    """The folder of the version's lineage records; it does not exist if there are none."""
    if has_artifact(registry, version, LINEAGE):
        return registry.download(version, LINEAGE, folder)
    return folder / LINEAGE


def download_manifest(registry: Registry, version: ModelVersion, folder: Path) -> Path | None:
    """The version's manifest; None if its run is gone."""
    if has_artifact(registry, version, MANIFEST_FILE):
        return registry.download(version, MANIFEST_FILE, folder)
    return None


def has_artifact(registry: Registry, version: ModelVersion, artifact: str) -> bool:
    """Whether the version's run holds a file or folder of that name; false if the run is gone."""
    folder, _, _ = artifact.rpartition("/")
    try:
        with explained():
            return any(
                entry.path == artifact for entry in registry.client.list_artifacts(version.run_id, folder or None)
            )
    except (RegistryError, OSError):
        return False


def splits_of(manifest: Manifest) -> dict[str, int]:
    """The number of rows of each split."""
    counts = manifest.table["split"].value_counts().to_pylist()
    return {str(count["values"]): int(count["counts"]) for count in counts}


def _read_run(registry: Registry, version: ModelVersion) -> Run | None:
    try:
        with explained():
            run = registry.client.get_run(version.run_id)
    except RegistryError:
        return None
    started = datetime.fromtimestamp(int(run.info.start_time) / 1000, UTC)
    params = {name: value for name, value in run.data.params.items() if not name.startswith(MOVES)}
    return Run(str(run.info.run_id), tracking_uri(), started, params)


def _commit(tags: Mapping[str, str], kept: Path) -> Commit | None:
    if "thaw.git.commit" not in tags:
        return None
    changed = _json(kept / CHANGED) if (kept / CHANGED).is_file() else None
    named = tuple(map(str, changed)) if isinstance(changed, list) else None
    return Commit(tags["thaw.git.commit"], tags.get("thaw.git.dirty") == "true", named)


def _stages(tags: Mapping[str, str], kept: Path) -> tuple[LockedStage, ...]:
    if (kept / LOCK).is_file():
        stages = parse_lock((kept / LOCK).read_text(encoding="utf-8"), f"{LINEAGE}/{LOCK}")
        # The lock was copied while the model was tracked: its entry for that stage describes the run before.
        return tuple(stage for stage in stages if stage.name not in TRACKING)
    outs: dict[str, list[LockedFile]] = {}
    for tag in sorted(name for name in tags if name.startswith(OUTPUT)):
        stage, _, path = tag.removeprefix(OUTPUT).partition(".")
        outs.setdefault(stage, []).append(LockedFile(path, tags[tag]))
    return tuple(LockedStage(name, outs=tuple(files)) for name, files in outs.items() if name not in TRACKING)


def _packages(path: Path) -> dict[str, str] | None:
    packages = _json(path) if path.is_file() else None
    return {str(name): str(version) for name, version in packages.items()} if isinstance(packages, dict) else None


def _machine(path: Path) -> Machine | None:
    machine = _json(path) if path.is_file() else None
    try:
        return Machine(**{**machine, "gpus": tuple(machine["gpus"])}) if isinstance(machine, dict) else None
    except (TypeError, KeyError) as error:
        raise BadArtifact(f"{LINEAGE}/{path.name} describes no machine ({error}); mend it in MLflow's run") from error


def _json(path: Path) -> object:
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadArtifact(f"{LINEAGE}/{path.name} cannot be read ({error}); mend it in MLflow's run") from error
    return value


def _dataset(path: Path, run: Run | None) -> Dataset:
    source = None if run is None else run.params.get("dataset.source")
    manifest = read_manifest(path)
    return Dataset(source, digest_file(path).hex(), manifest.kind, splits_of(manifest))
