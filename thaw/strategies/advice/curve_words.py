"""The sentences of the learning curve: where it begins, and what more labels would bring."""

from thaw.kinds.kind import Words
from thaw.pages.layout import percent, points
from thaw.strategies.advice.learning_curve import CurvePoint, LearningCurve, Prospect
from thaw.strategies.advice.record import Advice


def prospects(advice: Advice, examples: Words) -> tuple[str, ...]:
    """The forecasts for more labels."""
    curve = advice.curve
    if curve is None:
        return (f"Nothing can be said of more labels: no {examples.one} could be held out to judge.",)
    begun = () if curve.unlearnt is None else (_begun(curve, curve.unlearnt),)
    if curve.unclear is not None:
        return (*begun, f"What more labels would bring can't be told: {curve.unclear}.")
    return (*begun, *(_prospect(prospect) for prospect in curve.prospects))


def _begun(curve: LearningCurve, unlearnt: CurvePoint) -> str:
    """Zero-shot, and the number of labels that it is worth."""
    value = unlearnt.accuracy
    text = f"Without any label, the names of the classes reach {percent(value.value)} ({percent(value.low)} to {percent(value.high)})"
    if curve.worth is None:
        return f"{text}; no measured number of labels reaches as much with a linear head."
    return f"{text}; a linear head reaches as much with {curve.worth:.3g} labels a class."


def _prospect(prospect: Prospect) -> str:
    return f"{prospect.times} times the labels ({prospect.labels:.0f} a class): {points(prospect.gain)}, to {percent(prospect.accuracy.value)}."
