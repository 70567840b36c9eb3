"""Claim: scoring files is several times as fast as a loop of `pyfunc.predict` over them, and a second time next to nothing goes through the network.

    python benchmarks/score.py [--quick]

Writes JPEG files of 500 x 375 (noise over a gradient, which no two share) and a model of ResNet-18 with random weights, which cost the same as others. Ours
is `tasks.requests.score.score`, as `thaw predict --out` calls it: the model's files to a table in Parquet. The reference is what a person writes who has
MLflow alone: `mlflow.pyfunc.load_model`, and `predict` of 64 paths at a time. Both load the model and run on all cores, in turns; medians, after a round that
is not counted. 1,500 files in three rounds; `--quick`: 200 in one."""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import torch
from PIL import Image

from tasks.registry.mlflow_run import PYFUNC, _outputs, _signature
from tasks.requests.score import score
from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import AUTO, cut
from thaw.backbones.weights import Weights
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.heads import fit_head
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

BATCH = 64
OUT, CACHE = Path("scores.parquet"), Path("data/scores")


def main() -> None:
    """Make the files and the model, measure, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer files, one round")
    quick = parser.parse_args().quick
    count, rounds = (200, 1) if quick else (1500, 3)
    torch.set_num_threads(usable_cores())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("params.yaml").write_text("dataset: {source: photos}\nbackbone: {weights: x.safetensors}\n")
        write_photos(Path("photos"), count)
        deploy(Path("photos"), Path("model"))
        files = sorted(str(path.absolute()) for path in Path("photos").iterdir())

        def anew() -> None:
            shutil.rmtree(CACHE, ignore_errors=True)
            score(["photos"], OUT, "model")

        contenders: dict[str, Callable[[], object]] = {
            "reference": lambda: loop(files),
            "ours": anew,
            "again": lambda: score(["photos"], OUT, "model"),
        }
        found = {name: statistics.median(taken) for name, taken in interleaved(contenders, rounds).items()}
        os.chdir("/")
    for name, what, goal in (("ours", "anew", 1.5), ("again", "with features at hand", 10.0)):
        mine, theirs = 1e3 * found[name] / count, 1e3 * found["reference"] / count
        claim = f"score {count} photographs {what}, ResNet-18, ms an image"
        print(json.dumps({"claim": claim, "ours": mine, "reference": theirs, "ratio": theirs / mine, "goal": goal}))


def loop(files: list[str]) -> None:
    """The plain way."""
    model = mlflow.pyfunc.load_model("model")
    for start in range(0, len(files), BATCH):
        model.predict(files[start : start + BATCH])


def interleaved(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each in turns; `again` comes after `ours`, whose features it finds."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds + 1):  # the first one makes MLflow's tables, and warms up
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            if round_:
                taken[name].append(time.perf_counter() - start)
    return taken


def write_photos(folder: Path, count: int) -> None:
    """Distinct pictures."""
    folder.mkdir()
    slope = np.linspace(0, 127, 500, dtype=np.uint8)[None, :, None]
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 128, (375, 500, 3), dtype=np.uint8)
        Image.fromarray(noise + slope).save(folder / f"{number:05}.jpg", quality=85)


def deploy(photos: Path, folder: Path) -> None:
    """A model of two classes that mean nothing."""
    random = Weights(build_seeded("resnet18", 1000, 0).state_dict(), {})
    backbone = cut("resnet18", random, (AUTO,), default_preprocessing("resnet18", Path("none")))
    layer = backbone.layers[-1]
    files = sorted(photos.iterdir())[:16]
    pixels = torch.stack([backbone.preprocessing.pixels(Image.open(file)) for file in files])
    features = backbone.features(pixels)[layer].clone()
    head = fit_head(LabelledFeatures(features, torch.arange(16) % 2, ("one", "two")), None, HeadParams(l2=(1.0,)))
    predictor = Predictor(backbone, head, layer)
    predictor.write(Path("parts"))
    mlflow.pyfunc.save_model(
        str(folder), python_model=str(PYFUNC), artifacts={"model": "parts"}, pip_requirements=["torch"],
        signature=_signature(_outputs(predictor)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
