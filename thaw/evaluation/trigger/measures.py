"""What the evidence of a trigger says: misses by noise and by group, false accepts, their trade-off, and what is worth a look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.bootstrap import USUAL, Estimate, Resampling
from thaw.foundation.statistics.poisson_bound import rate_bound
from thaw.targets.trigger.events import Background
from thaw.targets.trigger.evidence import CLEAN, Evidence, Scored, Trial, background_of
from thaw.targets.trigger.kept_promise import kept_promise
from thaw.targets.trigger.misses import miss_rate

FloatArray = NDArray[np.float64]
STEPS = 60
"""The number of thresholds of a trade-off."""
MOST_AN_HOUR = 100.0
"""The most false accepts an hour that a trade-off is followed to."""


@dataclass(frozen=True)
class Misses:
    """The misses at the budget in one ratio of noise. clips: their number. missed: of them."""

    snr: float
    clips: int
    missed: int
    share: Estimate


@dataclass(frozen=True)
class WithoutNetwork:
    """The misses of the same detector on log-mel spectra, at the same budget. more: its share of misses less the model's, on the same clips."""

    share: Estimate
    more: Estimate


@dataclass(frozen=True)
class GroupMisses:
    """The misses of a group, such as a speaker: a number for each of `Evidence.ratios`."""

    group: str
    clips: int
    missed: tuple[int, ...]


@dataclass(frozen=True)
class FalseAccepts:
    """accepted: events in the `hours` of `groups` groups of recordings. bound: false accepts an hour, the upper bound. least: the bound with no event."""

    accepted: int
    hours: float
    groups: int
    bound: float
    least: float

    @property
    def an_hour(self) -> float:
        """As counted."""
        return self.accepted / self.hours


@dataclass(frozen=True, eq=False)
class TradeOff:
    """Misses beside false accepts (the detection error trade-off of Martin et al., Eurospeech 1997), each detector at its own threshold for a rate.

    an_hour: false accepts, float64 [K], rising from 0. misses: shares, float64 [K], falling, by ratio of noise.
    """

    an_hour: FloatArray
    misses: dict[float, FloatArray]


@dataclass(frozen=True, eq=False)
class Moment:
    """A highest score. at_s: where its window ends, in seconds of the file. above: the score less the threshold; above zero it is an event."""

    scored: Scored
    at_s: float
    above: float


def misses(evidence: Evidence, resampling: Resampling = USUAL) -> tuple[Misses, ...]:
    """For each ratio of noise; each clip at the threshold of the detector that did not learn from it."""
    found = []
    for snr in evidence.ratios:
        above = _above(evidence.trials, snr)
        margins = np.array([margin for _, margin in above], np.float32)
        share = miss_rate(margins, 0.0, [clip.group for clip, _ in above], resampling)
        found.append(Misses(snr, len(above), int((margins <= 0).sum()), share))
    return tuple(found)


def misses_by_group(evidence: Evidence) -> tuple[GroupMisses, ...]:
    """The groups with the most misses first; empty where no group has two clips, since it says nothing then."""
    missed = dict[str, list[list[bool]]]()
    for place, snr in enumerate(evidence.ratios):
        for clip, above in _above(evidence.trials, snr):
            missed.setdefault(clip.group, [[] for _ in evidence.ratios])[place].append(above <= 0)
    rows = [GroupMisses(group, len(own[0]), tuple(map(sum, own))) for group, own in missed.items()]
    if all(row.clips < 2 for row in rows):
        return ()
    return tuple(sorted(rows, key=lambda row: (-sum(row.missed) / row.clips, row.group)))


def false_accepts(evidence: Evidence) -> FalseAccepts:
    """Those of the model: on unheard sound as they are counted there, on the sound that tuned the threshold as its promise says."""
    promise = evidence.promise
    confidence = promise.budget.confidence
    if not evidence.unheard:
        least = rate_bound(0, promise.hours, confidence)
        return FalseAccepts(promise.accepted, promise.hours, promise.groups, promise.bound, least)
    kept = kept_promise(evidence.word, promise, background_of(evidence.others, evidence.refractory))
    return FalseAccepts(kept.accepted, kept.hours, kept.groups, kept.bound, rate_bound(0, kept.hours, confidence))


def trade_off(evidence: Evidence) -> TradeOff:
    """The trade-off over all trials; a rate that a detector does not have counts as the next lower one that it has."""
    curves = [_thresholds(trial.background) for trial in evidence.trials]
    rates = np.unique(np.concatenate([own for _, own in curves]))
    misses = {}
    for snr in evidence.ratios:
        missed = np.zeros(len(rates))
        for trial, (thresholds, own) in zip(evidence.trials, curves, strict=True):
            peaks = np.array([clip.peak for clip in trial.clips if clip.snr == snr])
            at = thresholds[np.searchsorted(own, rates, side="right") - 1]
            missed += (peaks[:, None] <= at).sum(0)
        misses[snr] = missed / sum(clip.snr == snr for clip in evidence.clips)
    return TradeOff(rates, misses)


def nearest_to_the_trigger(evidence: Evidence, count: int) -> tuple[Moment, ...]:
    """The highest scores of recordings without the trigger, at most one within the refractory time: the false accepts, and what is next to them."""
    found = []
    for scored in evidence.others:
        starts = np.arange(0, len(scored.scores), evidence.refractory)
        for start in starts:
            place = int(start + scored.scores[start : start + evidence.refractory].argmax())
            found.append((float(scored.scores[place]), place, scored))
    found.sort(key=lambda each: -each[0])
    chosen = list[tuple[float, int, Scored]]()
    for score, place, scored in found:
        if len(chosen) == count:
            break
        if all(other is not scored or abs(place - taken) >= evidence.refractory for _, taken, other in chosen):
            chosen.append((score, place, scored))
    return tuple(
        Moment(scored, scored.at_s(place), score - evidence.promise.threshold) for score, place, scored in chosen
    )


def furthest_from_the_trigger(evidence: Evidence, count: int) -> tuple[Moment, ...]:
    """The clean clips with the lowest peaks: the misses, and what is next to them. A clip that is too short for a score is the furthest."""
    lowest = sorted(_above(evidence.trials, CLEAN), key=lambda each: each[1])[:count]
    return tuple(
        Moment(clip, clip.at_s(int(clip.scores.argmax())) if len(clip.scores) else clip.first_s, above)
        for clip, above in lowest
    )


def _above(trials: Sequence[Trial], snr: float) -> list[tuple[Scored, float]]:
    """Each clip of a ratio of noise, and its peak less the threshold."""
    return [(clip, clip.peak - trial.threshold) for trial in trials for clip in trial.clips if clip.snr == snr]


def _thresholds(background: Background) -> tuple[FloatArray, FloatArray]:
    """Thresholds, float64 [K], falling from the highest score, and the false accepts an hour above each, rising from 0; of equal rates the lowest threshold."""
    starts = np.arange(0, len(background.scores), background.refractory)
    highest = np.maximum.reduceat(background.scores, starts)
    highest = np.sort(highest[np.isfinite(highest)])[::-1]
    most = min(len(highest), 1 + int(MOST_AN_HOUR * background.hours))
    ranks = np.unique(np.geomspace(1, most, STEPS).round().astype(int)) - 1
    thresholds = np.unique(highest[ranks])[::-1].astype(np.float64)
    rates = np.array([background.false_accepts(float(each)).sum() / background.hours for each in thresholds])
    last = np.append(rates[1:] > rates[:-1], True)
    return thresholds[last], rates[last]
