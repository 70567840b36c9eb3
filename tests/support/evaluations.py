"""A small evaluation with everything in it, and names that are out for harm."""

import io
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from thaw.dataset.ingest_report import IngestReport
from thaw.evaluation.evaluation import Evaluation, ModelDescription, count_rejections, evaluate
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads.open_set import Openness, Tuning
from thaw.heads.open_set.rounds import Collected
from thaw.heads.open_set.scores import Energy
from thaw.heads.open_set.tuning import tune
from thaw.kinds.kind import Preview
from thaw.params.sections import EvaluateParams
from thaw.strategies.baselines.transfer_gain import Draw, measure_transfer_gain
from thaw.targets.predictions import Predictions

HOSTILE = '<script>document.title="broken"</script>'
NAMES = ("ants & bees", HOSTILE, "蜂")


def hostile_predictions(count: int = 60, names: tuple[str, ...] = NAMES) -> Predictions:
    random = np.random.default_rng(0)
    targets = np.arange(count) % len(names)
    logits = random.normal(size=(count, len(names))) + 1.5 * np.eye(len(names))[targets]
    probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    digests = tuple(bytes([number]) * 32 for number in range(count))
    paths = tuple(f"{HOSTILE}/{number}.png" for number in range(count))
    return Predictions(names, digests, paths, targets, probabilities)


def hostile_evaluation(names: tuple[str, ...] = NAMES) -> Evaluation:
    predictions = hostile_predictions(names=names)
    draws = [Draw(seed, torch.arange(9) + seed, torch.zeros(9, dtype=torch.int64)) for seed in range(4)]

    def learner(share: float):  # type: ignore[no-untyped-def]
        def learn(draw: Draw) -> torch.Tensor:
            right = np.random.default_rng(draw.seed).random(len(predictions)) < share
            named = np.where(right, predictions.classes, (predictions.classes + 1) % 3)
            return F.one_hot(torch.from_numpy(named), 3).bool()

        return learn

    learners = {"frozen": learner(0.9), "scratch": learner(0.5), "pixels": learner(0.88)}
    transfer = measure_transfer_gain(learners, draws, torch.from_numpy(predictions.classes), Resampling(100))
    model = ModelDescription(
        "thaw_small", "x.safetensors", "flatten", 256, "f" * 32, "cut at flatten", "linear", (("l2", "0.01"),), 9
    )
    majority = replace(predictions, probabilities=np.full((len(predictions), 3), 1 / 3, np.float32))
    params = EvaluateParams(mistakes=5)
    baselines = [("majority", majority)]
    return evaluate(predictions, model, params, resampling=Resampling(100), baselines=baselines, transfer=transfer)


def hostile_tuning() -> Tuning:
    """Two scores, tuned on few rows whose classes have the hostile names."""
    unknown = np.linspace(0, 0.5, 60)

    def collected(shift: float) -> Collected:
        known = np.linspace(shift, 1, 50).astype(np.float32)
        share = np.searchsorted(known, unknown) / len(known)
        return Collected(torch.from_numpy(known), share, share, torch.arange(60) % len(NAMES))

    found = {"energy": collected(0.2), "neighbours": collected(0.3)}
    return tune(found, NAMES, rate=0.1, confidence=0.9, unknown="classes left out")


def rejecting_evaluation() -> Evaluation:
    """The same of a model that says `neither` of every fourth test image."""
    openness = Openness(Energy(), 0.5, hostile_tuning())
    predictions = hostile_predictions()
    accepted = np.arange(len(predictions)) % 4 != 0
    return replace(hostile_evaluation(), rejections=count_rejections(openness, accepted, predictions))


def hostile_ingest() -> IngestReport:
    return IngestReport(
        source=HOSTILE, examples=60, unlabelled=3, rejected=2, size=1, split_by="hash", splits={"train": 9, "val": 0, "test": 60},
        classes={name: {"train": 3, "test": 20} for name in NAMES}, kinds={"PNG": 60}, wrong_endings=0, copies_within=1,
        copies_across=0, copies_conflicting=1, copies=(), notes=(f"a note on {HOSTILE}",),
    )  # fmt: skip


def thumbnail() -> Preview:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return Preview("image/png", buffer.getvalue())
