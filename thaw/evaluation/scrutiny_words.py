"""The sentences of a scrutiny on the report's page."""

from thaw.evaluation.scrutiny import Scrutiny
from thaw.evaluation.selective import Selective
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Words
from thaw.pages.layout import percent
from thaw.targets.operating_points import OperatingPoint


def interval(estimate: Estimate | None) -> str:
    """`93.1 % (90 % to 96 %)`; a dash for what was not measured."""
    if estimate is None:
        return "–"
    return f"{percent(estimate.value)} ({percent(estimate.low)} to {percent(estimate.high)})"


def signed(estimate: Estimate) -> str:
    """`+3.1 (-0.4 to +6.6)`, in points."""
    value, low, high = (f"{100 * part:+.1f}" for part in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def other_rate(point: OperatingPoint) -> str:
    """What a point gives for the rate that it states."""
    return "sensitivity" if point.aim == "specificity" else "specificity"


def intervals_say(scrutiny: Scrutiny, words: Words) -> str:
    """What the intervals are over."""
    if scrutiny.groups is None:
        return f"The intervals are over the test {words.many}."
    return f"The intervals are by group, over the {scrutiny.groups} groups of the test {words.many}."


def chosen_says(scrutiny: Scrutiny, words: Words) -> str:
    """Where the thresholds come from."""
    if not scrutiny.validation:
        return "There is no validation split, so no operating point is chosen; raise dataset.splits.val to have them."
    return (
        f"Each threshold is chosen on {scrutiny.validation} validation {words.many}, and what it reaches is measured on the test. The model's own answers do "
        "not use them: a program that wants one compares the probability of the class with it."
    )


def selective_says(selective: Selective, words: Words) -> str:
    """The confidence for the stated share of wrong answers, and what it comes to on the test."""
    stated = percent(selective.stated)
    if not selective.chosen_on:
        return f"There is no validation split, so no confidence is chosen for {stated} of wrong answers; raise dataset.splits.val."
    selection = selective.selection
    if selection is None:
        return f"On the {selective.chosen_on} validation {words.many} no confidence brings the wrong answers down to {stated}."
    sentence = (
        f"On {selective.chosen_on} validation {words.many} at most {stated} of the answers with a confidence of {selection.threshold:.3f} "
        "or more were wrong"
    )
    if selection.wrong is None:
        return f"{sentence}; no test {words.one} reaches it."
    return f"{sentence}. On the test it answers {interval(selection.coverage)} of the {words.many}, and {interval(selection.wrong)} of these answers are wrong."
