"""Thresholds for scores, and their effect on rows that the scores were not fitted on."""

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.binomial_bound import accepts_allowed, rows_needed, threshold_for, upper_bound
from thaw.heads.open_set.fitted import Candidate, ClassRate, Tuning, Unknowns
from thaw.heads.open_set.rounds import Collected
from thaw.heads.open_set.scores import ScoreName

STEPS = 100
"""The number of steps of the trade-off curve."""
EVEN = 0.5
"""At a background score of at most this value, the background class is the most probable class."""


def tune(
    collected: dict[ScoreName, Collected],
    class_names: tuple[str, ...],
    *,
    rate: float,
    confidence: float,
    unknown: Unknowns,
    seen: bool = False,
) -> Tuning:
    """Give each score the threshold at which the upper bound of the accepted share of unknown rows is at most `rate`.

    The score that rejects the fewest known rows comes first. If there are too few rows to show the rate, the threshold accepts none of them. The threshold is
    tuned on shares of known rows and not on the scores themselves, because all scores shift when a model knows one class less. With a rate of 5 % and 80
    digits a class, shares lowered the nearest-neighbour score's false accepts on new classes from 9.5 to 6.7 %, with 5 digits a class from 9.1 to 2.5 %.
    """
    each = 1 - (1 - confidence) / len(collected)  # Bonferroni: the bound of the chosen score holds, for any choice
    tried = [_candidate(name, values, class_names, rate, each) for name, values in collected.items()]
    some = next(iter(collected.values()))
    return Tuning(
        rate=rate,
        confidence=confidence,
        unknown=unknown,
        n=len(some.reached),
        known=len(some.known),
        needed=rows_needed(rate, each),
        candidates=tuple(sorted(tried, key=lambda candidate: (candidate.false_rejects, -candidate.auroc))),
        seen=seen,
    )


def _candidate(
    name: ScoreName, collected: Collected, class_names: tuple[str, ...], rate: float, confidence: float
) -> Candidate:
    known, n = np.sort(collected.known.numpy()), len(collected.reached)
    lowest = EVEN if name == "background" else -np.inf
    tuned, share = threshold_for(collected.reached, rate, confidence), float((known <= lowest).mean())
    accepted = collected.reached > max(tuned, share)
    passed = accepts_allowed(n, rate, confidence) if tuned >= share else int(accepted.sum())
    threshold = max(
        _score_beyond(known, max(tuned, share)), float(np.nextafter(np.float32(lowest), np.float32(np.inf)))
    )
    return Candidate(
        score=name,
        threshold=threshold,
        false_accepts=float(accepted.mean()),
        upper=upper_bound(passed, n, confidence),
        false_rejects=float((known < threshold).mean()),
        auroc=float(1 - (collected.below + collected.reached).mean() / 2),
        curve=tuple(float((collected.reached > step / STEPS).mean()) for step in range(STEPS + 1)),
        classes=_by_class(accepted, collected.classes.numpy(), class_names),
    )


def _score_beyond(known: NDArray[np.float32], share: float) -> float:
    """The lowest of the sorted known scores that more than `share` of them do not exceed; without one, the largest float, so that no row is accepted."""
    place = int(np.floor(round(share * len(known), 6)))
    return float(known[place]) if place < len(known) else float(np.finfo(np.float32).max)


def _by_class(
    accepted: NDArray[np.bool_], classes: NDArray[np.int64], class_names: tuple[str, ...]
) -> tuple[ClassRate, ...]:
    rates = [
        ClassRate(class_names[number], int((classes == number).sum()), float(accepted[classes == number].mean()))
        for number in np.unique(classes).tolist()
    ]
    return tuple(sorted(rates, key=lambda rate: (-rate.accepted, rate.name)))
