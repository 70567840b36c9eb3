"""The stage `card` of the second pipeline: measure the embedded backbone on the target, and write its card."""

import json
import logging
from typing import Any

from tasks.project.entry import stage
from tasks.stages.digits_transfer import measure_on_digits
from tasks.stages.pretrain import FOLDER, SOURCE, TRAINING, WEIGHTS
from thaw.evaluation.report import TITLES
from thaw.foundation.files.atomic import write_text
from thaw.pages.layout import percent, points
from thaw.strategies.baselines.transfer_gain import TransferGain

log = logging.getLogger(__name__)

SEEDS = 10
LABELS_PER_CLASS = 5


def main() -> None:
    """Measure, and write `metrics.json` and `card.md`."""
    gain = measure_on_digits(WEIGHTS, seeds=SEEDS, labels_per_class=LABELS_PER_CLASS)
    training = json.loads(TRAINING.read_text(encoding="utf-8"))
    write_text(FOLDER / "metrics.json", json.dumps(_metrics(gain, training), indent=2) + "\n")
    write_text(FOLDER / "card.md", card(gain, training))


def card(gain: TransferGain, training: dict[str, Any]) -> str:
    """The card as Markdown; every figure comes from the two measurements."""
    source, settings = training["params"]["source"], training["params"]["training"]
    rows = [f"| {TITLES['frozen']} | {percent(gain.contender('frozen').mean)} | |"]
    for one in gain.gains:
        mean = gain.contender(one.over).mean
        rows.append(f"| {TITLES[one.over]} | {percent(mean)} | {points(gain.interval(one))} |")
    return f"""# The embedded backbone, `thaw_small`

{SOURCE} It ships so that the pipeline runs anywhere in minutes; for photographs take a backbone pretrained on photographs.

## How it was made

A ResNet of three stages, 1.2 million parameters, for images of {source["image_size"]} x {source["image_size"]} pixels (`thaw/backbones/thaw_small.py`),
stored as float16. It learnt to tell {source["classes"]} invented characters apart, each a random program of strokes, in
{settings["steps"]} steps of {settings["batch_size"]} new instances: every stroke, the whole character and the pen vary, and the drawing is
sampled down to 8 x 8 pixels of 17 grey levels. Characters whose likeness to a printed digit (a correlation) exceeds
{source["digit_likeness"]} were left out. Training took {training["minutes"]} minutes with {training["threads"]} thread(s) of a CPU.
Its classifier compares directions (cosines), which draws the features of a class together; it is not kept.

    dvc repro data/pretrain/dvc.yaml

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
    for one in gain.gains:
        interval = gain.interval(one)
        leads[one.over] = {
            "accuracy": gain.contender(one.over).mean,
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
