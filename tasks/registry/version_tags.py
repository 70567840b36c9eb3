"""The tags of a version that name its origin: the commit, the hashes in `dvc.lock`, the features and the flow run."""

import json
from pathlib import Path

from tasks.project.dvc_lock import LOCK, parse_lock
from tasks.project.git import changed_files, head_commit
from tasks.project.paths import FEATURES_INDEX, REPORT
from tasks.registry.registry import KEY
from thaw import __version__
from thaw.features.store.store import read_index
from thaw.params.values.strategy import PLAIN, Strategy

OUTPUT = "thaw.dvc."
"""The prefix of the tags with the hashes of outputs."""
MEASURED = ("accuracy", "exact_match", "macro_f1", "misses")
"""The metrics in the tags; a version has exact match if it names sets of labels, accuracy if it names one label."""


def version_tags(key: str, strategy: Strategy, flow_run: str) -> dict[str, str]:
    """The tags of a version, all below `thaw.`; unknown values (no Git, no DVC) are left out. flow_run: the Prefect flow run's id."""
    index = read_index(FEATURES_INDEX)
    test = json.loads((REPORT / "metrics.json").read_text())["test"]
    tags = {
        KEY: key,
        "thaw.version": __version__,
        "thaw.fingerprint": index.layer(strategy.layer).fingerprint,
        "thaw.strategy": str(strategy),
        "thaw.architecture": "" if strategy.kind == PLAIN else index.architecture,
        **{f"thaw.test.{name}": f"{test[name]:.6f}" for name in MEASURED if name in test},
        "thaw.test.n": str(test["n"]),
        "thaw.flow_run": flow_run,
        **_commit(),
        **_lock(),
    }
    return {name: value for name, value in tags.items() if value}


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
