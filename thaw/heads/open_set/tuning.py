"""Thresholds for scores, and what they would have done to rows that were not fitted on."""

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.binomial_bound import accepts_allowed, rows_needed, threshold_for, upper_bound
from thaw.heads.open_set.fitted import Candidate, ClassRate, Tuning, Unknowns
from thaw.heads.open_set.rounds import Collected
from thaw.heads.open_set.scores import ScoreName

STEPS = 100
"""Of the trade-off curve."""
EVEN = 0.5
"""A background score of no more than this: the background class is the most probable one."""


def tune(
    collected: dict[ScoreName, Collected],
    class_names: tuple[str, ...],
    *,
    rate: float,
    confidence: float,
    unknown: Unknowns,
    seen: bool = False,
) -> Tuning:
    """Give each score the threshold that lets no more than `rate` of unknown rows pass, upper bound included; the one that rejects the fewest known rows
    comes first.

    Where there are too few rows to show the rate, the threshold lets none of them pass. The threshold is tuned on shares of known rows, not on the scores
    themselves, which all shift when a model knows a class less: with 80 digits a class that brought the nearest-neighbour score's false accepts on new
    classes from 9.5 to 6.7 %, with 5 from 9.1 to 2.5 %, of 5 % asked for.
    """
    each = 1 - (1 - confidence) / len(collected)  # Bonferroni: whichever score is chosen, its bound holds
    found = [_candidate(name, one, class_names, rate, each) for name, one in collected.items()]
    some = next(iter(collected.values()))
    return Tuning(
        rate=rate,
        confidence=confidence,
        unknown=unknown,
        n=len(some.reached),
        known=len(some.known),
        needed=rows_needed(rate, each),
        candidates=tuple(sorted(found, key=lambda one: (one.false_rejects, -one.auroc))),
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
    """The lowest of the sorted known scores that more than `share` of them do not exceed; where there is none, more than any score: nothing is accepted."""
    place = int(np.floor(round(share * len(known), 6)))
    return float(known[place]) if place < len(known) else float(np.finfo(np.float32).max)


def _by_class(
    accepted: NDArray[np.bool_], classes: NDArray[np.int64], class_names: tuple[str, ...]
) -> tuple[ClassRate, ...]:
    rates = [
        ClassRate(class_names[number], int((classes == number).sum()), float(accepted[classes == number].mean()))
        for number in np.unique(classes).tolist()
    ]
    return tuple(sorted(rates, key=lambda one: (-one.accepted, one.name)))
