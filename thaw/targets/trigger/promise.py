"""The threshold of a trigger and the promise that goes with it: so many false accepts an hour at most, on sound that was never heard."""

from dataclasses import dataclass

from thaw.foundation.statistics.poisson_bound import dispersion_of, events_allowed, hours_needed, rate_bound
from thaw.targets.trigger.events import Background

SEEN = 50
"""The number of events from which differences between groups are told; at a high threshold there are too few."""


@dataclass(frozen=True)
class Budget:
    """The most false accepts an hour, and the confidence of their bound."""

    false_accepts_per_hour: float
    confidence: float = 0.95


@dataclass(frozen=True)
class Promise:
    """What sound without a trigger shows of a threshold.

    bound: false accepts an hour, the upper bound. accepted: the events in the `hours` of `groups` groups of recordings. dispersion: see `rate_bound`.
    missing_hours: how many more hours of such sound could show the budget; 0: it is shown.
    """

    threshold: float
    budget: Budget
    hours: float
    groups: int
    accepted: int
    dispersion: float
    bound: float
    missing_hours: float

    @property
    def within_budget(self) -> bool:
        """Whether the bound is within the budget."""
        return self.bound <= self.budget.false_accepts_per_hour

    def __str__(self) -> str:
        heard = f"{self.accepted} in {two_digits(self.hours)} hours"
        shown = f"at most {two_digits(self.bound)} false accepts an hour ({100 * self.budget.confidence:g} %; {heard})"
        if self.within_budget:
            return shown
        asked = f"at most {self.budget.false_accepts_per_hour:g} an hour takes {two_digits(self.missing_hours)} more hours without the trigger"
        return f"{shown}; to show {asked}"


def two_digits(value: float) -> str:
    """A rate, or hours, as people read it: 0.43, 7, 28, 120."""
    return f"{float(f'{value:.2g}'):.10g}"


def promise(background: Background, budget: Budget) -> Promise:
    """The lowest threshold with a bound within the budget; if no threshold has one, the highest score that occurs.

    The hours fix the number of events above the threshold, and the threshold is the score of the next event. The rate above such a threshold has exactly
    Garwood's bound, so the same sound tunes the threshold and bounds it (as Wilks 1941 for shares, see `binomial_bound`). Differences between groups widen the
    bound, and fewer events are allowed where they are large.
    """
    hours, rate, sure = background.hours, budget.false_accepts_per_hour, budget.confidence
    allowed, dispersion = events_allowed(hours, rate, sure) or 0, 1.0
    while (found := _dispersion(background, allowed, sure)) > dispersion:
        dispersion = found
        allowed = min(allowed, events_allowed(hours, rate, sure, dispersion) or 0)
    threshold = background.threshold(allowed)
    return Promise(
        threshold=threshold,
        budget=budget,
        hours=hours,
        groups=len(background.group_hours),
        accepted=int(background.false_accepts(threshold).sum()),
        dispersion=dispersion,
        bound=rate_bound(allowed, hours, sure, dispersion),
        missing_hours=max(0.0, hours_needed(rate, sure, events=allowed, dispersion=dispersion) - hours),
    )


def _dispersion(background: Background, allowed: int, confidence: float) -> float:
    """The larger of the dispersions at the threshold and at one that lets enough events through."""
    thresholds = {background.threshold(most) for most in (allowed, max(allowed, SEEN))}
    hours = background.group_hours
    return max(dispersion_of(background.false_accepts(each), hours, confidence) for each in thresholds)
