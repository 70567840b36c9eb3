"""The stage `card` of the second pipeline: it measures the embedded backbone on the target, scikit-learn's digits, and writes its card.

A hash splits the 1797 examples into a pool and a test half. Each seed draws a few labels a class from the pool. A head on frozen features, the same network
trained from scratch, a linear model on raw pixels and a head on random features learn from the same images.
"""

import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.project.entry import stage
from tasks.stages.evaluate.trained_baselines import Setting, measure_contenders
from tasks.stages.pretrain import FOLDER, SOURCE, TRAINING, WEIGHTS
from thaw.backbones.backbone import read_backbone
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TEST
from thaw.dataset.places import Places
from thaw.dataset.selection import class_names_of, examples_of, training_examples
from thaw.evaluation.report import titles_of
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.atomic import write_text
from thaw.kinds.kind import Limits
from thaw.kinds.registry import kind_named
from thaw.pages.layout import percent, points
from thaw.params.sections import BackboneParams, DatasetParams, EvaluateParams, Params, SplitParams
from thaw.strategies.baselines.transfer_gain import TransferGain
from thaw.targets.one_label.target import ONE_LABEL

log = logging.getLogger(__name__)

SEEDS = 10
LABELS_PER_CLASS = 5
LIMITS = Limits(10**6)


def main() -> None:
    """Measure, and write `metrics.json` and `card.md`."""
    gain = measure_on_digits(WEIGHTS, seeds=SEEDS, labels_per_class=LABELS_PER_CLASS)
    training = json.loads(TRAINING.read_text(encoding="utf-8"))
    write_text(FOLDER / "metrics.json", json.dumps(_metrics(gain, training), indent=2) + "\n")
    write_text(FOLDER / "card.md", card(gain, training))


def measure_on_digits(weights: Path, *, seeds: int, labels_per_class: int) -> TransferGain:
    """The transfer gain of the backbone in `weights`, on test accuracy, with intervals over the seeds."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "digits"
        write_builtin(source)
        dataset = DatasetParams(
            source=str(source), splits=SplitParams(val=0.0, test=0.5), labels_per_class=labels_per_class
        )
        evaluate = EvaluateParams(baselines=("pixels", "random_backbone", "scratch"), seeds=seeds)
        params = Params(dataset=dataset, backbone=BackboneParams(weights=str(weights)), evaluate=evaluate)
        backbone = read_backbone(params.backbone)
        manifest = ingest(Places(source), dataset, backbone.kind).manifest
        store = FeatureStore(Path(folder) / "features")
        index = extract(manifest, Places(source), backbone, store, params.extract, limits=LIMITS).index
        test, names = examples_of(manifest, TEST), class_names_of(training_examples(manifest, None))
        setting = Setting(params, manifest, (index.layer(None),), backbone, store, names, "linear", test)
        gain = measure_contenders(setting)
        assert gain is not None
        return gain


def card(gain: TransferGain, training: dict[str, Any]) -> str:
    """The card as Markdown; every figure comes from the two measurements."""
    source, settings = training["params"]["source"], training["params"]["training"]
    titles = titles_of(kind_named("images").words, ONE_LABEL)
    rows = [f"| {titles['frozen']} | {percent(gain.contender('frozen').mean)} | |"]
    for entry in gain.gains:
        mean = gain.contender(entry.over).mean
        rows.append(f"| {titles[entry.over]} | {percent(mean)} | {points(gain.interval(entry))} |")
    return f"""# The embedded backbone, `thaw_small`

{SOURCE} It ships so that the pipeline runs anywhere in minutes; for photographs take a backbone pretrained on photographs.

## How it was made

A ResNet of three stages, 1.2 million parameters, for images of {source["image_size"]} x {source["image_size"]} pixels (`thaw/backbones/thaw_small.py`),
stored as float16. It learnt to tell {source["classes"]} invented characters apart, each a random program of strokes, in
{settings["steps"]} steps of {settings["batch_size"]} new instances: every stroke, the whole character and the pen vary, and the drawing is
sampled down to 8 x 8 pixels of 17 grey levels. Characters whose likeness to a printed digit (a correlation) exceeds
{source["digit_likeness"]} were left out. Training took {training["minutes"]} minutes with {training["threads"]} thread(s) of a CPU.
Its classifier compares directions (cosines), which draws the features of a class together; it is not kept.

    make backbone

## What it scores

On fresh instances of its own {source["classes"]} classes: {percent(training["source_accuracy"])}.

On the target, scikit-learn's handwritten digits, with {LABELS_PER_CLASS} labels a class: test accuracy, mean of {SEEDS} seeds, each of which draws
other labels from one half of the images; the other half is the test. The last column is the lead of the frozen backbone with its paired
95 % interval over the seeds. All learn from the same images; the network from scratch gets affine and elastic distortions, label smoothing, a cosine
schedule and averaged weights (`thaw/strategies/baselines/from_scratch.py`).

| | test accuracy | lead of the frozen backbone |
| --- | --- | --- |
{chr(10).join(rows)}

## What it is not for

Photographs, colours, textures, or anything larger than a few strokes. No photograph was in its training, so no person's data are in its weights.
"""


def _metrics(gain: TransferGain, training: dict[str, Any]) -> dict[str, object]:
    leads = {}
    for entry in gain.gains:
        interval = gain.interval(entry)
        leads[entry.over] = {
            "accuracy": gain.contender(entry.over).mean,
            "lead": interval.value,
            "low": interval.low,
            "high": interval.high,
        }
    return {
        "source_accuracy": training["source_accuracy"],
        "frozen": gain.contender("frozen").mean,
        "seeds": len(gain.seeds),
        **leads,
    }


if __name__ == "__main__":
    stage(main)
