"""The files for the rebuild of a version, from its MLflow run, and the comparison with the rebuilt model; the registry is not changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tasks.lineage.lineage import Lineage, download_lineage, download_manifest, read_lineage
from tasks.lineage.wording import TELLING
from tasks.project.code_digests import STAGES, code_digests
from tasks.project.code_record import changed_code
from tasks.project.dvc_lock import LOCK, LockedStage
from tasks.project.paths import MANIFEST, REPORT
from tasks.registry.gate_evidence import PREDICTIONS
from tasks.registry.lineage_files import LISTING
from tasks.registry.registry import ModelVersion, Registry
from thaw.dataset.manifest import Manifest, read_manifest
from thaw.foundation.errors import BadArtifact, NotReproducible
from thaw.lineage.agreement import Agreement, compare_predictions
from thaw.lineage.surroundings import installed_packages
from thaw.params.values.reading import PARAMS
from thaw.targets.predictions import read_predictions

METRICS = "report/metrics.json"
_OWN_CODE = ("thaw", "tasks")
WHOLE = "settings"
"""The stage that depends on all of `params.yaml`."""
_SHOWN = 5


@dataclass(frozen=True)
class Recipe:
    """The files for the rebuild of a version; they lie in a folder of the caller, who keeps it as long as they are needed."""

    lineage: Lineage
    commit: str
    manifest: Manifest
    lock: Path | None
    listing: Path | None
    predictions: Path
    metrics: Path

    @property
    def version(self) -> ModelVersion:
        return self.lineage.version


def read_recipe(registry: Registry, version: ModelVersion, folder: Path, commit: str | None = None) -> Recipe:
    """Download the files of the version's run to `folder`; `commit` replaces the recorded commit.

    Raises:
        NotReproducible: no commit was recorded, or the version comes from uncommitted changes.
        RegistryError: the run lacks its predictions.
    """
    lineage = read_lineage(registry, version)
    at = commit or _recorded_commit(lineage)
    manifest = download_manifest(registry, version, folder)
    if manifest is None:
        raise NotReproducible(
            f"the MLflow run of {version.uri} is gone, and with it the list of its examples; restore the run"
        )
    kept = download_lineage(registry, version, folder)
    return Recipe(
        lineage=lineage,
        commit=at,
        manifest=read_manifest(manifest),
        lock=kept / LOCK if (kept / LOCK).is_file() else None,
        listing=next(kept.glob(f"{LISTING}.*"), None),
        predictions=registry.download(version, PREDICTIONS, folder),
        metrics=registry.download(version, METRICS, folder),
    )


def _recorded_commit(lineage: Lineage) -> str:
    uri, commit = lineage.version.uri, lineage.commit
    if commit is None:
        raise NotReproducible(
            f"no Git commit was recorded with {uri}; if you know it, name it: "
            f"`thaw reproduce {lineage.version.number} --commit COMMIT`"
        )
    if commit.dirty:
        files = f" ({_listed(commit.changed)})" if commit.changed else ""
        raise NotReproducible(
            f"{uri} was made from uncommitted changes on {commit.id[:12]}{files}; commit them as they were, then "
            f"`thaw reproduce {lineage.version.number} --commit HEAD`, which checks that they are the same"
        )
    return commit.id


def code_differences(stages: Sequence[LockedStage], root: Path) -> tuple[str, ...]:
    """The code and parameters of the stages that differ in the checkout at `root`: paths and dotted keys, sorted.

    Every file of the checkout that the lock names is compared. The project's own code, files and folders, must exist. Where Thaw is installed beside the
    project, the digests of the installed code are compared.
    """
    differing = _installed_differences(stages)
    for stage in stages:
        for dep in stage.deps:
            path = root / dep.path
            if path.is_file() and not Path(dep.path).is_absolute():
                if _md5(path) != dep.md5:
                    differing.add(dep.path)
            elif Path(dep.path).parts[0] in _OWN_CODE and _folder_md5(path) != dep.md5:
                differing.add(dep.path)
    return tuple(sorted(differing | _parameter_differences(stages, root / PARAMS)))


def _installed_differences(stages: Sequence[LockedStage]) -> set[str]:
    """The stages, as `the code of head`, whose code is not the installed one; none if the checkout brings its own code."""
    recorded = {stage.name: stage.code for stage in stages if stage.code}
    if any(dep.path in _OWN_CODE for stage in stages for dep in stage.deps):
        return set()
    now = code_digests(name for name in recorded if name in STAGES)
    return {f"the code of {name}" for name in changed_code(recorded, now)}


def _parameter_differences(stages: Sequence[LockedStage], path: Path) -> set[str]:
    """A key that the file has and `settings` has not seen counts too: that stage depends on the whole file."""
    values = read_values(path)
    return {
        key
        for stage in stages
        for key in stage.params.keys() | (values.keys() if stage.name == WHOLE else set())
        if _plain(value_at(values, key)) != _plain(stage.params.get(key))
    }


def read_values(path: Path) -> Mapping[str, object]:
    """The values of a parameters file, unchecked, perhaps of an older version of Thaw.

    Raises:
        NotReproducible: the file cannot be read.
    """
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise NotReproducible(
            f"the commit's {path.name} cannot be read ({error}); name another commit with --commit"
        ) from error
    return values if isinstance(values, dict) else {}


def value_at(values: object, key: str) -> object:
    """The value of a dotted key; None if there is no such key."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _plain(value: object) -> object:
    return json.loads(json.dumps(value, default=str))


def _md5(path: Path) -> str:
    """DVC's hash of a file."""
    return md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _folder_md5(folder: Path) -> str:
    """DVC's hash of a folder: over the names and hashes of its files, without bytecode, which `.dvcignore` leaves out; a missing folder counts as empty."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    entries = [{"md5": _md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    listing = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
    return f"{md5(listing.encode(), usedforsecurity=False).hexdigest()}.dir"


def package_differences(lineage: Lineage) -> tuple[str, ...]:
    """The packages of `TELLING` that have another version now, as `torch 2.12.0, now 2.13.0`; empty if no packages were recorded."""
    now = {name.casefold(): version for name, version in installed_packages().items()}
    then = {name.casefold(): version for name, version in (lineage.packages or {}).items()}
    named = [name for name in TELLING if then and then.get(name) != now.get(name)]
    return tuple(f"{name} {then.get(name, 'none')}, now {now.get(name, 'none')}" for name in named)


def compare_rebuilt(recipe: Recipe, root: Path, tolerance: float) -> Agreement:
    """Compare the outputs of the stages below `root` with the files of the version's run."""
    return compare_predictions(
        read_predictions(recipe.predictions),
        read_predictions(root / REPORT / "predictions.parquet"),
        (_test_metrics(recipe.metrics), _test_metrics(root / REPORT / "metrics.json")),
        tolerance,
    )


def equal_outputs(before: Sequence[LockedStage], after: Sequence[LockedStage]) -> dict[str, bool]:
    """Whether DVC's hashes are equal, for each output that both have."""
    now = {out.path: out.md5 for stage in after for out in stage.outs}
    return {out.path: out.md5 == now[out.path] for stage in before for out in stage.outs if out.path in now}


def rebuilt_manifest(root: Path) -> Manifest:
    """The manifest that the stage `ingest` wrote below `root`."""
    return read_manifest(root / MANIFEST)


def _test_metrics(path: Path) -> dict[str, float]:
    try:
        test = json.loads(path.read_text(encoding="utf-8"))["test"]
        return {name: float(value) for name, value in test.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArtifact(f"{path} holds no metrics ({error}); restore it in the version's MLflow run") from error


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
