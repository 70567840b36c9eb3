"""The gate `test rows`: whether there are enough of them to decide anything."""

from thaw.gates.outcome import Outcome, failed, passed

GATE = "test rows"


def enough_rows(rows: int, wanted: int) -> Outcome:
    """Refuses fewer than `wanted` rows in common."""
    figures = {"rows": float(rows)}
    if rows >= wanted:
        return passed(GATE, f"{rows} test rows are common to both, and promotion.min_rows asks for {wanted}", figures)
    have = "no test row is" if rows == 0 else "only 1 test row is" if rows == 1 else f"only {rows} test rows are"
    advice = "keep the test images, and label more"
    return failed(GATE, f"{have} common to both, and promotion.min_rows asks for {wanted}; {advice}", figures)
