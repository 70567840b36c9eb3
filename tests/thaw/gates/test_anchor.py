"""The gate that compares with the best champion so far."""

from registration import predictions

from thaw.gates.anchor import anchor, distance
from thaw.gates.outcome import Verdict
from thaw.gates.pairing import Paired, pair
from thaw.gates.wear import Wear

LABELS = ["ant", "bee"] * 100
OTHER = {"ant": "bee", "bee": "ant"}


def paired(anchor_wrong: int, challenger_wrong: int) -> Paired:
    said = (
        predictions(LABELS, [OTHER[label] if row < wrong else label for row, label in enumerate(LABELS)])
        for wrong in (anchor_wrong, challenger_wrong)
    )
    both = pair(*said)
    assert both is not None
    return both


def verdict(anchor_wrong: int, challenger_wrong: int, *, judged: float = 0, margin: float = 0.05) -> Verdict:
    measured = distance(paired(anchor_wrong, challenger_wrong), Wear(200, judged, 0.95))
    outcome = anchor(measured, margin, "accuracy")
    assert outcome.refuses == (outcome.verdict is not Verdict.PASS)
    return outcome.verdict


def test_it_passes_what_is_shown_to_lie_close_and_refuses_the_rest() -> None:
    assert verdict(10, 10) is Verdict.PASS
    assert verdict(10, 14) is Verdict.CANNOT_TELL
    assert verdict(10, 60) is Verdict.FAIL
    assert verdict(60, 10) is Verdict.PASS


def test_worn_rows_show_less() -> None:
    assert verdict(10, 10, judged=500) is Verdict.CANNOT_TELL
    assert verdict(10, 10, judged=500, margin=0.2) is Verdict.PASS


def test_a_gain_must_be_shown_before_the_challenger_leads() -> None:
    fresh, worn = Wear(200, 0, 0.95), Wear(200, 300, 0.95)
    assert distance(paired(30, 10), fresh).better and not distance(paired(12, 10), fresh).better
    assert not distance(paired(24, 10), worn).better and distance(paired(24, 10), fresh).better
    assert not distance(paired(10, 30), fresh).better
    assert "is better than the best champion so far" in anchor(distance(paired(30, 10), fresh), 0.05, "accuracy").words
