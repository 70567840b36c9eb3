"""The tags of a version that name its origin: the commit, the hashes in `dvc.lock`, the features and the flow run."""

import json
from pathlib import Path

from tasks.project.dvc_lock import LOCK, parse_lock
from tasks.project.git import changed_files, head_commit
from tasks.project.paths import FEATURES_INDEX, REPORT
from tasks.registry.registry import KEY, ModelVersion
from thaw import __version__
from thaw.backbones.providers.origin import origin_in
from thaw.foundation.files.content import metadata_in
from thaw.params.values.strategy import PLAIN, Strategy

TARGET, TRIGGER = "thaw.target", "trigger"
"""The tag of versions that hear triggers; others have none."""
MISSES = "thaw.test.misses"
"""The tag that models of triggers alone have."""
OUTPUT = "thaw.dvc."
"""The prefix of the tags with the hashes of outputs."""
MEASURED = ("accuracy", "exact_match", "macro_f1", "misses")
"""The metrics in the tags; a version has exact match if it names sets of labels, accuracy if it names one label."""


def version_tags(key: str, strategy: Strategy, flow_run: str, weights: Path) -> dict[str, str]:
    """The tags of a version, all below `thaw.`; unknown values (no Git, no DVC) are left out. flow_run: the Prefect flow run's id. weights: of the backbone."""
    from thaw.features.store.store import read_index  # Parquet's library takes a tenth of a second to load

    index = read_index(FEATURES_INDEX)
    test = json.loads((REPORT / "metrics.json").read_text())["test"]
    tags = {
        KEY: key,
        "thaw.version": __version__,
        "thaw.fingerprint": index.layer(strategy.layer).fingerprint,
        "thaw.strategy": str(strategy),
        TARGET: "" if index.sequences is None else TRIGGER,
        **({} if strategy.kind == PLAIN else _backbone(index.architecture, weights)),
        **{f"thaw.test.{name}": f"{test[name]:.6f}" for name in MEASURED if name in test},
        "thaw.test.n": str(test["n"]),
        "thaw.flow_run": flow_run,
        **_commit(),
        **_lock(),
    }
    return {name: value for name, value in tags.items() if value}


def hears_triggers(version: ModelVersion) -> bool:
    """Whether a version is a model of triggers, by its tags; the first of them have no tag of the target, and one with their misses."""
    return version.tags.get(TARGET) == TRIGGER or MISSES in version.tags


def _backbone(architecture: str, weights: Path) -> dict[str, str]:
    """The network, and the origin and the licence of its weights, where their file states them."""
    origin = origin_in(metadata_in(weights)) if weights.is_file() else None
    return {"thaw.architecture": architecture, "thaw.weights": "" if origin is None else str(origin)}


def _commit() -> dict[str, str]:
    """The Git commit, and whether tracked files differ from it."""
    commit = head_commit()
    if not commit:
        return {}
    return {"thaw.git.commit": commit, "thaw.git.dirty": str(bool(changed_files())).lower()}


def _lock() -> dict[str, str]:
    """The hash of each output in `dvc.lock`, as `thaw.dvc.STAGE.NAME`."""
    if not LOCK.is_file():
        return {}
    return {
        f"{OUTPUT}{stage.name}.{Path(out.path).name}": out.md5
        for stage in parse_lock(LOCK.read_text(encoding="utf-8"))
        for out in stage.outs
    }
