"""Claims of `openness.score: auto`: of new classes about as many images are accepted as were asked for, and few known ones are rejected.

    python benchmarks/openness.py [--quick]

scikit-learn's digits through the embedded backbone: each draw holds three classes out whole, trains on the others and tunes on them alone; the three are
what is unknown. Where the environment variable THAW_REAL_DATA names a folder with `hymenoptera/` and `mobilenet_v2-imagenet.pth`: ants and bees known,
digits unknown. False accepts are compared with the rate that was asked for; false rejects and AUROC with the largest probability, tuned the same way.
Tuning leaves known classes out and cannot see what is truly new, so the realised rate may miss the stated one: `kept` is the share of draws in which it does
not. `--quick`: three draws, digits alone.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.heads import fit_head
from thaw.heads.open_set.distances import neighbours_for
from thaw.heads.open_set.fitting import SCORES, fit_openness
from thaw.heads.open_set.rounds import Maker
from thaw.heads.open_set.scores import known_scores
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, HeadParams, OpennessParams
from thaw.targets.labelled import LabelledFeatures

RATE = 0.05
HELD_OUT = 3
MOST_PIXELS = 10**8
HEAD = HeadParams(l2=(1e-3, 1e-2, 1e-1))


@dataclass(frozen=True, eq=False)
class Draw:
    """What one model learns from and is asked: train, known of the same classes, unknown float32 [U, D] of none of them."""

    train: LabelledFeatures
    known: LabelledFeatures
    unknown: Tensor


@dataclass(frozen=True)
class Outcome:
    """What came out of one draw: rates of unknown images accepted and of known ones rejected, the bound that tuning gave, and each score's AUROC. plain: the
    same two rates of the largest probability; None where it cannot be tuned."""

    false_accepts: float
    false_rejects: float
    upper: float
    plain: tuple[float, float] | None
    auroc: dict[str, float]


def main() -> None:
    """Measure and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three draws, digits alone")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "digits"
        write_builtin(source)
        digits = read_set(source, read_backbone(BackboneParams()))
        for labels in (80,) if quick else (80, 20, 5):
            draws = (draw_digits(digits, labels, seed) for seed in range(3 if quick else 12))
            report(f"digits, {labels} labels a class, {HELD_OUT} classes held out", draws)
        if (real := os.environ.get("THAW_REAL_DATA")) and not quick:
            backbone = read_backbone(BackboneParams(weights=f"{real}/mobilenet_v2-imagenet.pth"))
            photographs = read_set(Path(real) / "hymenoptera", backbone)
            others = read_set(source, backbone, every=4).features
            draws = (draw_photographs(photographs, others, 100, seed) for seed in range(10))
            report("ants and bees, 100 labels a class, digits unknown", draws)


def read_set(source: Path, backbone: Backbone, *, every: int = 1) -> LabelledFeatures:
    """The features of every `every`-th labelled image of a source, of the last cut layer."""
    manifest = ingest(Places(source), DatasetParams(source=str(source)), KIND).manifest
    rows = [row for row in manifest.examples() if row.label is not None][::every]
    names = manifest.class_names
    pixels = [decode_pixels((source / row.path).read_bytes(), backbone.preprocessing, MOST_PIXELS) for row in rows]
    batches = [torch.stack(pixels[start : start + 32]) for start in range(0, len(pixels), 32)]
    features = torch.cat([backbone.features(batch)[backbone.layers[-1]].clone() for batch in batches])
    return LabelledFeatures(features, torch.tensor([names.index(str(row.label)) for row in rows]), names)


def draw_digits(digits: LabelledFeatures, labels: int, seed: int) -> Draw:
    """Classes held out at random, and `labels` of each other class to learn from; the rest is asked."""
    random = np.random.default_rng(seed)
    order = torch.from_numpy(random.permutation(len(digits)))
    kept = np.sort(random.permutation(len(digits.class_names))[HELD_OUT:])
    known = torch.isin(digits.targets[order], torch.from_numpy(kept))
    place = torch.zeros(len(digits.class_names), dtype=torch.int64)
    place[kept] = torch.arange(len(kept))
    rows = order[known]
    names = tuple(digits.class_names[label] for label in kept)
    shuffled = LabelledFeatures(digits.features[rows], place[digits.targets[rows]], names)
    return _split(shuffled, labels, digits.features[order[~known]])


def draw_photographs(photographs: LabelledFeatures, unknown: Tensor, labels: int, seed: int) -> Draw:
    """`labels` of each class to learn from; the rest is asked, and all that is unknown."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(photographs)))
    return _split(photographs.rows(order), labels, unknown)


def _split(rows: LabelledFeatures, labels: int, unknown: Tensor) -> Draw:
    first = torch.zeros(len(rows), dtype=torch.bool)
    for label in range(len(rows.class_names)):
        first[(rows.targets == label).nonzero()[:labels, 0]] = True
    return Draw(rows.rows(first), rows.rows(~first), unknown)


def measure(draw: Draw) -> Outcome:
    """Fit, tune, and ask."""
    head = fit_head(draw.train, None, HEAD)

    def rates(params: OpennessParams) -> tuple[float, float, float]:
        openness = fit_openness(head, draw.train, None, params=params, head_params=HEAD)
        assert openness is not None
        asked = (draw.unknown, draw.known.features)
        unknown, known = (openness.accepts(openness.known_scores(head, one)).float().mean().item() for one in asked)
        return unknown, 1 - known, openness.tuning.chosen.upper

    accepted, rejected, upper = rates(OpennessParams(score="auto", false_accepts=RATE))
    tunable = len(draw.train.class_names) > 2
    plain = rates(OpennessParams(score="max_probability", false_accepts=RATE))[:2] if tunable else None
    truth = [1] * len(draw.known) + [0] * len(draw.unknown)
    everything = torch.cat([draw.known.features, draw.unknown])
    scores = Maker(head, HEAD, SCORES, neighbours_for(draw.train)).scores_for(draw.train)
    auroc = {name: float(roc_auc_score(truth, known_scores(one, head, everything))) for name, one in scores.items()}
    return Outcome(accepted, rejected, upper, plain, auroc)


def report(name: str, draws: Iterator[Draw]) -> None:
    """One line a claim."""
    found = [measure(draw) for draw in draws]
    where = f"{name}, {len(found)} draws"

    def mean(of: Callable[[Outcome], float]) -> float:
        return float(np.mean([of(one) for one in found]))

    accepted = [one.false_accepts for one in found]
    claim(
        f"share of images of new classes that are accepted, {RATE:.0%} asked for, {where}", mean(lambda one: one.false_accepts), RATE, RATE,
        worst=max(accepted), kept=mean(lambda one: one.false_accepts <= RATE), bound=mean(lambda one: one.upper),
    )  # fmt: skip
    plain = [one.plain for one in found if one.plain is not None]
    accepts, rejects = (float(value) for value in np.mean(plain, 0)) if plain else (None, None)
    rejected = mean(lambda one: one.false_rejects)
    claim(f"share of known images that are rejected, {where}", rejected, rejects, rejects, reference_accepts=accepts)
    for score in SCORES:
        text = f"AUROC of {score}, known against new, {where}"
        reference = mean(lambda one: one.auroc["max_probability"])
        claim(text, mean(lambda one, score=score: one.auroc[score]), reference, None)


def claim(text: str, ours: float, reference: float | None, goal: float | None, **more: float | None) -> None:
    """One line of the result."""
    ratio = None if not reference else ours / reference
    print(json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal, **more}))


if __name__ == "__main__":
    main()
