"""A small project that is ready to be registered, and versions that hold nothing but predictions."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from stage_runs import run_stage

from thaw.evaluation.checks import Checks, Leakage, NearCopies, Suspects, write_checks
from thaw.targets.predictions import Predictions, write_predictions

if TYPE_CHECKING:
    from tasks.registry.registering import Registered
    from tasks.registry.registry import Registry

PARAMS = """\
dataset: {source: photos}
backbone: {weights: small.safetensors}
strategy: {minutes: 0}
head: {l2: [0.001]}
evaluate: {baselines: [majority], seeds: 1}
registry: {name: photos}
statistics: {bootstrap: 50}
"""
CLASSES = {"dark": 60, "light and bright": 200}
"""Mean grey of the pictures of each class; one name has spaces."""
LABELS = ["ant", "bee"] * 30
"""Of the test rows of versions that hold predictions alone."""
CLEAN = Checks(Leakage(40, 0, 0), NearCopies(60, 0), Suspects(40, 0))
"""Of a version that nothing can be held against."""


@contextmanager
def inside(folder: Path) -> Iterator[Path]:
    """Work in `folder`, as the stages do in the project's root."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


def make_empty_store(root: Path) -> Path:
    """An MLflow store without a run in `root`; its tables take seconds, so tests copy it."""
    from tasks.registry.mlflow_store import connect

    with inside(root):
        connect().search_experiments()
    return root


def copy_empty_store(template: Path, root: Path) -> Path:
    """Copy the store that `make_empty_store` made in `template` to `root`."""
    (root / ".thaw").mkdir(parents=True, exist_ok=True)
    shutil.copy(template / ".thaw/mlflow.db", root / ".thaw")
    return root


def build_project(root: Path) -> Path:
    """Everything that comes before `track`, made by the stages themselves from pictures of noise."""
    from tasks.stages import advise, compare, extract, finetune, head, ingest
    from tasks.stages.evaluate import stage as evaluate
    from thaw.backbones.architectures import build_seeded
    from thaw.backbones.weights import write_weights

    noise = np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 20)):
        for name, grey in CLASSES.items():
            for number in range(count):
                pixels = np.clip(noise.normal(grey, 40, (16, 16, 3)), 0, 255).astype(np.uint8)
                path = root / "photos" / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    network = build_seeded("thaw_small", 10, 0).state_dict()
    write_weights(root / "small.safetensors", network, {"architecture": "thaw_small"})
    (root / "params.yaml").write_text(PARAMS)
    with inside(root):
        for stage in (ingest, extract, advise, head, finetune, compare, evaluate):
            run_stage(stage)
    return root


def track_and_register() -> "Registered":
    """Track the model of the project, and make a version of it."""
    from tasks.registry.registering import register
    from tasks.stages import track
    from thaw.params.values.reading import read_params

    run_stage(track)
    return register(read_params())


def change_params(old: str, new: str) -> None:
    """Edit the text of `params.yaml`, in which `old` must stand."""
    text = Path("params.yaml").read_text()
    assert old in text
    Path("params.yaml").write_text(text.replace(old, new))


def champion(registry: "Registry") -> int | None:
    """The number of the version that has the alias."""
    from tasks.registry.registry import CHAMPION

    found = registry.by_alias(CHAMPION)
    return None if found is None else found.number


def predictions(labels: Sequence[str], predicted: Sequence[str], rows: Sequence[int] | None = None) -> Predictions:
    """Certain predictions of images whose digests are made of the numbers `rows`; 0, 1, 2... if left out."""
    names = tuple(sorted({*labels, *predicted}))
    numbers = range(len(labels)) if rows is None else rows
    probabilities = np.zeros((len(labels), len(names)), np.float32)
    probabilities[np.arange(len(labels)), [names.index(name) for name in predicted]] = 1
    return Predictions(
        class_names=names,
        digests=tuple(number.to_bytes(32, "big") for number in numbers),
        paths=tuple(f"{number}.png" for number in numbers),
        targets=np.array([names.index(name) for name in labels], np.int64),
        probabilities=probabilities,
    )


def challenge(registry: "Registry", right: int = 60, checks: Checks | None = CLEAN) -> int:
    """A new version, the challenger, that is right on the first `right` of the rows `LABELS`; returns its number. checks None: it has none."""
    said = [label if row < right else "wasp" for row, label in enumerate(LABELS)]
    return challenge_with(registry, predictions(LABELS, said), checks)


def challenge_with(registry: "Registry", said: Predictions, checks: Checks | None = CLEAN) -> int:
    """The same of a version that says just that."""
    write_predictions(said, Path("predictions.parquet"))
    return _challenge(registry, checks)


def challenge_with_sets(registry: "Registry", right: int = 60) -> int:
    """The same of a version that names sets: the label of the first `right` rows, and nothing on the others."""
    names = tuple(sorted(set(LABELS)))
    targets = np.array([[label == name for name in names] for label in LABELS])
    named = targets & (np.arange(len(LABELS)) < right)[:, None]
    single = predictions(LABELS, LABELS)
    said = Predictions(names, single.digests, single.paths, targets, named.astype(np.float32), named)
    write_predictions(said, Path("predictions.parquet"))
    return _challenge(registry, replace(CLEAN, suspects=None))


def _challenge(registry: "Registry", checks: Checks | None) -> int:
    """A new version, the challenger, with `predictions.parquet`."""
    from tasks.registry.mlflow_store import experiment_id
    from tasks.registry.registry import CHALLENGER

    client = registry.client
    run = client.create_run(experiment_id(client, "thaw"))
    client.log_artifact(run.info.run_id, "predictions.parquet", "report")
    if checks is not None:
        write_checks(checks, Path("checks.json"))
        client.log_artifact(run.info.run_id, "checks.json", "report")
    made = client.create_model_version(registry.name, f"runs:/{run.info.run_id}/model", run.info.run_id)
    registry.set_alias(CHALLENGER, int(made.version))
    return int(made.version)


def kinds_of(registry: "Registry") -> list[tuple[str, int]]:
    """The kind and the version of each entry of the history."""
    return [(event.kind, event.version) for event in registry.history()]
