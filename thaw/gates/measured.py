"""The gates that compare one measured value with one limit: test rows, leakage, near-copies, suspect labels, latency, batch latency, size.

If a limit is set and its value was not measured, the gate refuses.
"""

from thaw.evaluation.checks import Checks, Leakage, NearCopies
from thaw.gates.outcome import Outcome, failed, not_asked, not_asked_by, not_measured, passed
from thaw.models.serving_cost import ServingCost
from thaw.pages.layout import percent
from thaw.params.sections import PromotionParams

ROWS, LEAKAGE, NEAR_COPIES, SUSPECTS = "test rows", "leakage", "near-copies", "suspect labels"
LATENCY, BATCH_LATENCY, SIZE = "latency", "batch latency", "size"
CHECKS_FILE, COST_FILE = "report/checks.json", "report/serving.json"


def enough_rows(rows: int, wanted: int) -> Outcome:
    """The gate refuses if champion and challenger have fewer than `wanted` test rows in common."""
    figures = {"rows": float(rows)}
    if rows >= wanted:
        return passed(ROWS, f"{rows} test rows are common to both, and promotion.min_rows asks for {wanted}", figures)
    have = "no test row is" if rows == 0 else "only 1 test row is" if rows == 1 else f"only {rows} test rows are"
    advice = "keep the test examples, and label more"
    return failed(ROWS, f"{have} common to both, and promotion.min_rows asks for {wanted}; {advice}", figures)


def leakage(measured: Leakage | None, allowed: int | None) -> Outcome:
    """The gate refuses a model that learnt from its own test.

    The limit is `allowed`: the number of training examples whose content or group is in val or test as well.
    """
    if allowed is None:
        return not_asked_by(LEAKAGE, "max_leaked")
    if measured is None:
        return not_measured(LEAKAGE, CHECKS_FILE)
    figures = {"learnt": float(measured.learnt), "copies": float(measured.copies), "groups": float(measured.groups)}
    words = (
        f"of {measured.learnt} training examples, {measured.copies} are in val or test as well, and {measured.groups} share a group with an example there; "
        f"{allowed} are allowed"
    )
    return (failed if measured.copies + measured.groups > allowed else passed)(LEAKAGE, words, figures)


def near_copies(measured: NearCopies | None, allowed: float | None) -> Outcome:
    """The gate refuses if more than the share `allowed` of the test are near-copies of training examples."""
    if allowed is None:
        return not_asked_by(NEAR_COPIES, "max_near_copies")
    if measured is None:
        return not_measured(NEAR_COPIES, CHECKS_FILE)
    copies = f"{measured.copies} of {measured.compared} test examples are near-copies of training examples"
    words = f"{copies} ({percent(measured.share)}); {percent(allowed)} are allowed"
    figures = {"compared": float(measured.compared), "copies": float(measured.copies), "share": measured.share}
    return _share(NEAR_COPIES, measured.share, allowed, words, figures)


def suspect_labels(checks: Checks | None, allowed: float | None) -> Outcome:
    """The gate refuses if more than the share `allowed` of the training labels look wrong."""
    if allowed is None:
        return not_asked_by(SUSPECTS, "max_suspects")
    if checks is None:
        return not_measured(SUSPECTS, CHECKS_FILE)
    measured = checks.suspects
    if measured is None:
        return not_asked(SUSPECTS, "was not measured on sets of labels when this version was made")
    words = f"{measured.suspects} of {measured.labels} training labels look wrong ({percent(measured.share)}); {percent(allowed)} are allowed"
    figures = {"labels": float(measured.labels), "suspects": float(measured.suspects), "share": measured.share}
    return _share(SUSPECTS, measured.share, allowed, words, figures)


def latency(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """The gate refuses if one example alone takes longer than the limit, from its bytes to the answer."""
    measured = None if cost is None else (cost.single_ms, "ms from the bytes of one example to its answer")
    return _within(LATENCY, measured, params.max_latency_ms, "max_latency_ms")


def batch_latency(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """The gate refuses if an example of a batch takes longer than the limit, on average."""
    measured = None if cost is None else (cost.batch_ms, f"ms for each example of a batch of {cost.batch}")
    return _within(BATCH_LATENCY, measured, params.max_batch_latency_ms, "max_batch_latency_ms")


def size(cost: ServingCost | None, params: PromotionParams) -> Outcome:
    """The gate refuses if the model's files are larger than the limit."""
    measured = None if cost is None else (cost.megabytes, "MB is the size of the model's files")
    return _within(SIZE, measured, params.max_megabytes, "max_megabytes")


def _within(gate: str, measured: tuple[float, str] | None, budget: float | None, parameter: str) -> Outcome:
    if budget is None:
        return not_asked_by(gate, parameter)
    if measured is None:
        return not_measured(gate, COST_FILE)
    value, unit = measured
    words = f"{value:.3g} {unit}; promotion.{parameter} allows {budget:g}"
    return (passed if value <= budget else failed)(gate, words, {"value": value, "budget": budget})


def _share(gate: str, share: float, allowed: float, words: str, figures: dict[str, float]) -> Outcome:
    if share > allowed:
        return failed(gate, f"{words}; `thaw review` shows them", figures)
    return passed(gate, words, figures)
