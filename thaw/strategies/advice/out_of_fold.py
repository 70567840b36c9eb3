"""How often a kind of head is right on rows that it has not seen, its setting chosen without a look at them."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads
from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.heads.fitted import Setting
from thaw.heads.kinds import Lot, candidates, fit_lots, lot_logits, weights_of
from thaw.heads.lbfgs import Stopping
from thaw.heads.logistic import fit_logistic
from thaw.params.sections import HeadParams
from thaw.params.strategy import HeadKind
from thaw.strategies.advice.pool import Fold, Pool
from thaw.targets.labelled import LabelledFeatures

CLOSE = Stopping(decrease=1e-5)
"""Of linear probes. Against the heads' own 1e-7 it takes a third of the time; the lowest log loss over strengths stays within 0.01 and accuracy within
half a point, either way (handwritten digits, 40 to 700 images, four depths)."""
SMALL = 2**19
"""Numbers in a layer's features below which fits do not gain from running side by side."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What came out on rows that were not learnt from.

    right: float64 [R, N], 1 or 0 for each row in each draw of the folds, NaN where the row was not judged. seconds: of one training and choice, the mean
    over folds.
    """

    right: FloatArray
    seconds: float

    @property
    def shares(self) -> FloatArray:
        """How often each row was right, over the draws that judged it: float64 [N], NaN where none did."""
        judged = np.isfinite(self.right)
        count = judged.sum(0)
        return np.where(count > 0, np.where(judged, self.right, 0).sum(0) / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class HeadTrial:
    """A kind of head at a cut layer, to be measured."""

    kind: HeadKind
    layer: str


@dataclass(frozen=True)
class Fitting:
    """How heads are fitted, and how many at once, each on one core."""

    params: HeadParams
    workers: int = 1


def measure_heads(pool: Pool, folds: Sequence[Fold], trials: Sequence[HeadTrial], fitting: Fitting) -> list[OutOfFold]:
    """Every trial on every fold, in the order of `trials`.

    The setting (L2 and so on) that is scored on a fold is the one of the lowest log loss on the other folds of the same draw. No score of a row takes
    part in choosing what it is scored with, so the best of many settings is not flattered; and it costs no more fits than a plain cross-validation,
    where a nested one would cost as many times more as there are folds.
    """
    params = fitting.params
    settings = [_settings(pool, trial, params) for trial in trials]
    jobs = [(place, fold) for place in range(len(trials)) for fold in folds]

    def fit(job: tuple[int, Fold]) -> "_Scores":
        place, fold = job
        with threads(1):  # many small fits side by side, not threads within each
            return _fit(pool, fold, trials[place], settings[place], params)

    # The largest first, so that no core waits for it at the end.
    order = sorted(range(len(jobs)), key=lambda job: -pool.features[trials[jobs[job][0]].layer].shape[1])
    largest = max((pool.features[trial.layer].numel() for trial in trials), default=0)
    with ThreadPoolExecutor(fitting.workers if largest >= SMALL else 1) as executor:
        done = dict(zip(order, executor.map(fit, [jobs[number] for number in order]), strict=True))
    found = [done[number] for number in range(len(jobs))]
    return [
        _chosen(len(pool), folds, found[place * len(folds) : (place + 1) * len(folds)]) for place in range(len(trials))
    ]


def measure_learner(pool: Pool, folds: Sequence[Fold], learn: Callable[[Fold], Tensor]) -> OutOfFold:
    """A learner with nothing to choose: `learn` gives the logits, float32 [M, C], of the rows that a fold judges."""
    right, started = _blank(len(pool), folds), time.perf_counter()
    for fold in folds:
        right[fold.repeat, fold.judge.numpy()] = (learn(fold).argmax(1) == pool.targets[fold.judge]).numpy()
    return OutOfFold(right, (time.perf_counter() - started) / max(1, len(folds)))


@dataclass(frozen=True, eq=False)
class _Scores:
    """Of one fold: right bool [S, M] for each setting and judged row; loss float64 [S], summed and weighted by class; weight of those rows; seconds."""

    right: Tensor
    loss: Tensor
    weight: float
    seconds: float


def _settings(pool: Pool, trial: HeadTrial, params: HeadParams) -> list[Setting]:
    """As a head would try them; of the weight decays of an mlp, which hardly matter, the two ends alone."""
    found = candidates(pool.labelled(trial.layer, pool.learners), params, trial.kind)
    if trial.kind != "mlp":
        return found
    return [setting for setting in found if setting.l2 in {min(params.l2), max(params.l2)}]


def _lots(train: LabelledFeatures, settings: Sequence[Setting], params: HeadParams, kind: HeadKind) -> Iterator[Lot]:
    """See `fit_lots`; linear ones are fitted less exactly."""
    if kind != "linear":
        return fit_lots(train, settings, params, kind)
    strengths = [setting.l2 for setting in settings if setting.l2 is not None]
    weights = weights_of(train, params)
    models = fit_logistic(train.features, train.targets, class_weights=weights, l2=strengths, stopping=CLOSE)
    return iter([list(zip(settings, models, strict=True))])


def _fit(pool: Pool, fold: Fold, trial: HeadTrial, settings: Sequence[Setting], params: HeadParams) -> _Scores:
    started = time.perf_counter()
    train, judged = pool.labelled(trial.layer, fold.learn), pool.labelled(trial.layer, fold.judge)
    weights = weights_of(train, params)
    right = torch.zeros(len(settings), len(judged), dtype=torch.bool)
    loss = torch.full((len(settings),), torch.inf, dtype=torch.float64)
    place = {setting: number for number, setting in enumerate(settings)}
    for lot in _lots(train, settings, params, trial.kind):
        for setting, logits in lot_logits(lot, judged.features):
            right[place[setting]] = logits.argmax(1) == judged.targets
            loss[place[setting]] = F.cross_entropy(logits, judged.targets, weight=weights, reduction="sum").double()
    return _Scores(right, loss, float(weights[judged.targets].sum()), time.perf_counter() - started)


def _chosen(rows: int, folds: Sequence[Fold], scores: Sequence[_Scores]) -> OutOfFold:
    """For each fold the setting that did best on the others of its draw; the strongest regularisation where there is no other, or a tie."""
    right = _blank(rows, folds)
    for number, fold in enumerate(folds):
        others = [scores[i] for i, other in enumerate(folds) if other.repeat == fold.repeat and i != number]
        loss = sum((score.loss for score in others), torch.zeros_like(scores[number].loss))
        weight = sum(score.weight for score in others)
        best = int((loss / max(weight, 1e-9)).mul(1e6).round().argmin()) if others else 0
        right[fold.repeat, fold.judge.numpy()] = scores[number].right[best].numpy()
    return OutOfFold(right, sum(score.seconds for score in scores) / max(1, len(scores)))


def _blank(rows: int, folds: Sequence[Fold]) -> FloatArray:
    return np.full((max((fold.repeat for fold in folds), default=0) + 1, rows), np.nan)
