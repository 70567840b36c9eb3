"""Where a version comes from: the tags that tie it to the commit, the hashes in `dvc.lock`, the features and the flow run."""

import json
import os
import subprocess
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tasks.paths import FEATURES_INDEX, REPORT
from tasks.registry import KEY
from thaw import __version__
from thaw.errors import BadArtifact
from thaw.features import read_index
from thaw.strategy import Strategy

LOCK = Path("dvc.lock")
MEASURED = ("accuracy", "exact_match", "macro_f1")
"""What a version is tagged with; exact match where it names sets of labels, accuracy where it gives one."""


def version_tags(key: str, strategy: Strategy) -> dict[str, str]:
    """Tags of a version, all below `thaw.`; what cannot be known (no Git, no DVC) is left out."""
    index = read_index(FEATURES_INDEX)
    test = json.loads((REPORT / "metrics.json").read_text())["test"]
    tags = {
        KEY: key,
        "thaw.version": __version__,
        "thaw.fingerprint": index.layer(strategy.layer).fingerprint,
        "thaw.strategy": str(strategy),
        "thaw.architecture": index.architecture,
        **{f"thaw.test.{name}": f"{test[name]:.6f}" for name in MEASURED if name in test},
        "thaw.test.n": str(test["n"]),
        "thaw.flow_run": os.environ.get("THAW_FLOW_RUN", ""),
        **_commit(),
        **_lock(),
    }
    return {name: value for name, value in tags.items() if value}


def _commit() -> dict[str, str]:
    """The Git commit, and whether tracked files differ from it."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    # DVC has just written its lock; that alone makes no other model.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    return {"thaw.git.commit": commit, "thaw.git.dirty": str(bool(changed)).lower()}


def _git(*arguments: str) -> str:
    try:
        found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _lock() -> dict[str, str]:
    """The hash of each output in `dvc.lock`, as `thaw.dvc.STAGE.NAME`."""
    if not LOCK.is_file():
        return {}
    try:
        stages = YAML(typ="safe").load(LOCK.read_text(encoding="utf-8"))["stages"]
    except (YAMLError, KeyError, TypeError) as error:
        raise BadArtifact(f"{LOCK} cannot be read; restore it, or delete it and run `dvc repro`") from error
    return {
        f"thaw.dvc.{name}.{Path(out['path']).name}": str(out.get("md5", ""))
        for name, stage in stages.items()
        for out in stage.get("outs", [])
    }
