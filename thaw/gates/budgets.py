"""The gates `latency`, `batch latency` and `size`: whether the deployed model keeps within what it may cost."""

from thaw.gates.outcome import Outcome, failed, not_asked_by, not_measured, passed
from thaw.models.serving_cost import ServingCost
from thaw.params.sections import PromotionParams

LATENCY, BATCH_LATENCY, SIZE = "latency", "batch latency", "size"


def latency(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """Of one image alone, from its bytes to the answer."""
    measured = None if cost is None else (cost.single_ms, "ms from the bytes of one image to its answer")
    return _within(LATENCY, measured, params.max_latency_ms, "max_latency_ms")


def batch_latency(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """Of each image of a batch."""
    measured = None if cost is None else (cost.batch_ms, f"ms for each image of a batch of {cost.batch}")
    return _within(BATCH_LATENCY, measured, params.max_batch_latency_ms, "max_batch_latency_ms")


def size(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """Of the model's files."""
    measured = None if cost is None else (cost.megabytes, "MB are the model's files")
    return _within(SIZE, measured, params.max_megabytes, "max_megabytes")


def _within(gate: str, measured: tuple[float, str] | None, budget: float | None, parameter: str) -> Outcome:
    """Refuses more than the budget, and what was not measured."""
    if budget is None:
        return not_asked_by(gate, parameter)
    if measured is None:
        return not_measured(gate, "report/serving.json")
    value, unit = measured
    words = f"{value:.3g} {unit}; promotion.{parameter} allows {budget:g}"
    return (passed if value <= budget else failed)(gate, words, {"value": value, "budget": budget})
