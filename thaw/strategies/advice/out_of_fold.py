"""What a kind of head says of rows that it has not seen, its setting chosen without a look at them."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
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
from thaw.targets.target import BoolArray, Target

CLOSE = Stopping(decrease=1e-5)
"""Of linear probes. Against the heads' own 1e-7 it takes a third of the time; the lowest log loss over strengths stays within 0.01 and accuracy within
half a point, either way (handwritten digits, 40 to 700 images, four depths)."""
SMALL = 2**19
"""Numbers in a layer's features below which fits do not gain from running side by side."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What came out on rows that were not learnt from.

    tallies: bool [R, N, K], of each row in each draw of the folds what `target` makes its headline of; judged: bool [R, N], whether the row was judged in that
    draw. seconds: of one training and choice, the mean over folds.
    """

    target: Target
    tallies: BoolArray
    judged: BoolArray
    seconds: float = 0.0

    @property
    def shares(self) -> FloatArray:
        """The tallies of each row, the mean over the draws that judged it: float64 [N, K], NaN where none did."""
        count = self.judged.sum(0)[:, None]
        summed = (self.tallies & self.judged[..., None]).sum(0)
        return np.where(count > 0, summed / np.maximum(count, 1), np.nan)

    def judged_by(self, other: "OutOfFold") -> "OutOfFold":
        """The same, without what the other did not judge."""
        draws = min(len(self.judged), len(other.judged))
        both = self.judged[:draws] & other.judged[:draws]
        return OutOfFold(self.target, self.tallies[:draws], both, self.seconds)


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
    return [_chosen(pool, folds, found[place * len(folds) : (place + 1) * len(folds)]) for place in range(len(trials))]


def measure_learner(pool: Pool, folds: Sequence[Fold], learn: Callable[[Fold], Tensor]) -> OutOfFold:
    """A learner with nothing to choose: `learn` gives the classes that it names, bool [M, C], of the rows that a fold judges."""
    started = time.perf_counter()
    tallies = [pool.target.tally(learn(fold), pool.targets[fold.judge]) for fold in folds]
    return _gathered(pool, folds, tallies, (time.perf_counter() - started) / max(1, len(folds)))


@dataclass(frozen=True, eq=False)
class _Scores:
    """Of one fold: what is kept of the judged rows for each of S settings (`Target.kept`; None where training did not come to it), and their loss
    float64 [S, L] and weight float64 [L], see `Losses`; seconds."""

    kept: Sequence[Tensor | None]
    loss: Tensor
    weight: Tensor
    seconds: float


def _settings(pool: Pool, trial: HeadTrial, params: HeadParams) -> list[Setting]:
    """As a head would try them; of the weight decays of an mlp, which hardly matter, the two ends alone."""
    settings = candidates(pool.labelled(trial.layer, pool.learners), params, trial.kind)
    if trial.kind != "mlp":
        return settings
    return [setting for setting in settings if setting.l2 in {min(params.l2), max(params.l2)}]


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
    target, weights = pool.target, weights_of(train, params)
    kept: list[Tensor | None] = [None] * len(settings)
    blank = target.losses(torch.zeros(len(judged), len(pool.class_names)), judged.targets, weights)
    loss = torch.full((len(settings), len(blank.loss)), torch.inf, dtype=torch.float64)
    place = {setting: number for number, setting in enumerate(settings)}
    for lot in _lots(train, settings, params, trial.kind):
        for setting, logits in lot_logits(lot, judged.features):
            kept[place[setting]] = target.kept(logits)
            loss[place[setting]] = target.losses(logits, judged.targets, weights).loss
    return _Scores(kept, loss, blank.weight, time.perf_counter() - started)


def _chosen(pool: Pool, folds: Sequence[Fold], scores: Sequence[_Scores]) -> OutOfFold:
    """For each fold the setting that did best on the others of its draw; the strongest regularisation where there is no other, or a tie."""
    tallies = []
    for number, fold in enumerate(folds):
        others = [i for i, other in enumerate(folds) if other.repeat == fold.repeat and i != number]
        best = _best([scores[i] for i in others])
        kept = scores[number].kept[best]
        assert kept is not None
        tuned = _together(pool, [(folds[i], scores[i].kept[best]) for i in others])
        tallies.append(pool.target.tally_held_out(kept, pool.targets[fold.judge], tuned))
    return _gathered(pool, folds, tallies, sum(score.seconds for score in scores) / max(1, len(scores)))


def _best(scores: Sequence[_Scores]) -> int:
    """The place of the setting of the lowest mean loss."""
    if not scores:
        return 0
    loss, weight = sum(score.loss for score in scores), sum(score.weight for score in scores)
    assert isinstance(loss, Tensor) and isinstance(weight, Tensor)
    return int((loss / weight.clamp(min=1e-9)).mean(1).mul(1e6).round().argmin())


def _together(pool: Pool, parts: Sequence[tuple[Fold, Tensor | None]]) -> tuple[Tensor, Tensor] | None:
    """What was kept of several folds, and their targets; None where there is none."""
    there = [(fold, kept) for fold, kept in parts if kept is not None]
    if not there:
        return None
    return torch.cat([kept for _, kept in there]), torch.cat([pool.targets[fold.judge] for fold, _ in there])


def _gathered(pool: Pool, folds: Sequence[Fold], tallies: Sequence[BoolArray], seconds: float) -> OutOfFold:
    """The tallies of each fold at their rows and draws."""
    draws = max((fold.repeat for fold in folds), default=0) + 1
    sums = tallies[0].shape[1] if tallies else 1
    every, judged = np.zeros((draws, len(pool), sums), np.bool_), np.zeros((draws, len(pool)), np.bool_)
    for fold, part in zip(folds, tallies, strict=True):
        every[fold.repeat, fold.judge.numpy()] = part
        judged[fold.repeat, fold.judge.numpy()] = True
    return OutOfFold(pool.target, every, judged, seconds)
