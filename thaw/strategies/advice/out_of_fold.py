"""The results of a kind of head on unseen rows, with a setting that was chosen without these rows."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.files.kept import Arrays, Kept
from thaw.foundation.parallel.torch_threads import threads
from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.heads.fitted import Setting
from thaw.heads.kinds import Lot, candidates, fit_linear, fit_lots, lot_logits, weights_of
from thaw.heads.lbfgs import Stopping
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.strategies.advice.pool import Fold, Pool
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import BoolArray, Target

CLOSE = Stopping(decrease=1e-5)
"""The stopping of linear probes. It takes a third of the time of the heads' own 1e-7; the lowest log loss over strengths stays within 0.01 and accuracy within
half a point, in either direction (40 to 700 handwritten digits, four depths)."""
SMALL = 2**19
"""The size of a layer's features, in numbers, below which parallel fits gain no time."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """The results on unseen rows.

    tallies: bool [R, N, K], of each row in each draw of the folds, from which `target` makes its headline. judged: bool [R, N], whether the row was judged in
    that draw. seconds: of one training and choice, the mean over folds.
    """

    target: Target
    tallies: BoolArray
    judged: BoolArray
    seconds: float = 0.0

    @property
    def shares(self) -> FloatArray:
        """The tallies of each row, the mean over the draws that judged it: float64 [N, K]; NaN if no draw did."""
        count = self.judged.sum(0)[:, None]
        summed = (self.tallies & self.judged[..., None]).sum(0)
        return np.where(count > 0, summed / np.maximum(count, 1), np.nan)

    @property
    def arrays(self) -> Arrays:
        """The results as they are kept."""
        return {"tallies": self.tallies, "judged": self.judged, "seconds": np.array([self.seconds])}

    @classmethod
    def of_arrays(cls, target: Target, arrays: Arrays) -> "OutOfFold":
        """The results that were kept as `arrays`."""
        return cls(target, arrays["tallies"], arrays["judged"], float(arrays["seconds"][0]))

    def judged_by(self, other: "OutOfFold") -> "OutOfFold":
        """The results without the rows that the other did not judge."""
        draws = min(len(self.judged), len(other.judged))
        both = self.judged[:draws] & other.judged[:draws]
        return OutOfFold(self.target, self.tallies[:draws], both, self.seconds)


@dataclass(frozen=True)
class HeadTrial:
    """A trial: a kind of head at a cut layer."""

    kind: HeadKind
    layer: str


@dataclass(frozen=True)
class Fitting:
    """The parameters of heads, the number of fits at once, each on one core, and the pieces that are measured already."""

    params: HeadParams
    workers: int = 1
    kept: Kept = field(default_factory=Kept)

    def keeping(self, name: str) -> "Fitting":
        """The same for pieces whose names begin with `name`."""
        return Fitting(self.params, self.workers, self.kept.below(name))


def measure_heads(pool: Pool, folds: Sequence[Fold], trials: Sequence[HeadTrial], fitting: Fitting) -> list[OutOfFold]:
    """Every trial on every fold, in the order of `trials`.

    The setting (L2 and so on) that is scored on a fold is that of the lowest log loss on the other folds of the same draw. A row's score takes no part in the
    choice of its setting, so the best of many settings is not flattered. The number of fits is that of a plain cross-validation; a nested one would multiply it
    by the number of folds. A trial that `fitting` has kept is not measured again.
    """
    before = [fitting.kept.read(_name(trial)) for trial in trials]
    fresh = _measure(pool, folds, [trial for trial, kept in zip(trials, before, strict=True) if kept is None], fitting)
    return [OutOfFold.of_arrays(pool.target, kept) if kept is not None else next(fresh) for kept in before]


def _name(trial: HeadTrial) -> str:
    return f"{trial.kind}-{trial.layer}"


def _measure(pool: Pool, folds: Sequence[Fold], trials: Sequence[HeadTrial], fitting: Fitting) -> Iterator[OutOfFold]:
    """Measure every trial, keep each as soon as it is done, and return them in order."""
    params = fitting.params
    settings = [_settings(pool, trial, params) for trial in trials]
    jobs = [(place, fold) for place in range(len(trials)) for fold in folds]

    def fit(job: tuple[int, Fold]) -> "_Scores":
        place, fold = job
        with threads(1):  # many small fits run side by side, each on one thread
            return _fit(pool, fold, trials[place], settings[place], params)

    # The largest fits come first, so that no core waits for them at the end.
    order = sorted(range(len(jobs)), key=lambda job: -pool.features[trials[jobs[job][0]].layer].shape[1])
    largest = max((pool.features[trial.layer].numel() for trial in trials), default=0)
    scores: list[dict[int, _Scores]] = [{} for _ in trials]
    outcomes = [_gathered(pool, [], [], 0.0)] * len(trials)
    with ThreadPoolExecutor(fitting.workers if largest >= SMALL else 1) as executor:
        try:
            for number, score in zip(order, executor.map(fit, [jobs[number] for number in order]), strict=True):
                place, fold = divmod(number, len(folds))
                scores[place][fold] = score
                if len(scores[place]) == len(folds):
                    outcomes[place] = _chosen(pool, folds, [scores[place].pop(each) for each in range(len(folds))])
                    fitting.kept.write(_name(trials[place]), outcomes[place].arrays)
        except BaseException:  # Ctrl-C need not wait for fits that nobody will use
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return iter(outcomes)


def measure_learner(pool: Pool, folds: Sequence[Fold], learn: Callable[[Fold], Tensor]) -> OutOfFold:
    """The results of a learner without settings: `learn` returns the named classes, bool [M, C], of the rows that a fold judges."""
    started = time.perf_counter()
    tallies = [pool.target.tally(learn(fold), pool.targets[fold.judge]) for fold in folds]
    return _gathered(pool, folds, tallies, (time.perf_counter() - started) / max(1, len(folds)))


@dataclass(frozen=True, eq=False)
class _Scores:
    """The scores of one fold. kept: of the judged rows for each of S settings (`Target.kept`; None for a setting that the training did not reach). loss:
    float64 [S, L], and weight: float64 [L], see `Losses`. seconds: of the fit."""

    kept: Sequence[Tensor | None]
    loss: Tensor
    weight: Tensor
    seconds: float


def _settings(pool: Pool, trial: HeadTrial, params: HeadParams) -> list[Setting]:
    """The settings that a head would try; of the weight decays of an mlp, which hardly matter, only the two ends."""
    settings = candidates(pool.labelled(trial.layer, pool.learners), params, trial.kind)
    if trial.kind != "mlp":
        return settings
    return [setting for setting in settings if setting.l2 in {min(params.l2), max(params.l2)}]


def _lots(train: LabelledFeatures, settings: Sequence[Setting], params: HeadParams, kind: HeadKind) -> Iterator[Lot]:
    """See `fit_lots`; linear models are fitted less exactly."""
    if kind != "linear":
        return fit_lots(train, settings, params, kind)
    strengths = [setting.l2 for setting in settings if setting.l2 is not None]
    weights = weights_of(train, params)
    models = fit_linear(train, weights=weights, l2=strengths, stopping=CLOSE)
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
    """The result of each fold with the best setting of the other folds of its draw; the strongest regularisation in a tie or without other folds."""
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
    """The kept values of several folds, and their targets; None if there are none."""
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
