"""The page of a decision."""

from dataclasses import replace

from evaluations import HOSTILE
from registration import CLEAN, predictions

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates.changed import MOST
from thaw.gates.deciding import Evidence, decide
from thaw.gates.page import Contest, render_decision
from thaw.gates.wear import Judgement
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits
from thaw.params.sections import PromotionParams

WHEN = "2026-01-01T00:00:00+00:00"


def test_it_is_self_contained_and_shows_every_gate_whatever_the_names_hold() -> None:
    labels = ["ant", HOSTILE] * 100
    evidence = Evidence(predictions(labels, labels), predictions(labels, ["ant"] * 200), CLEAN)
    decision = decide(evidence, PromotionParams(), Resampling(50))
    page = render_decision(decision, Contest(HOSTILE, 3, 2, WHEN))
    assert HOSTILE not in page and "&lt;script&gt;" in page and "\ufffd" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<tr><td>") == len(decision.outcomes) + 2
    assert (
        "stays the challenger, refused by paired test, anchor, recall, calibration; the champion was version 2" in page
    )


def test_it_shows_the_examples_that_changed_with_both_answers() -> None:
    labels = ["ant", "bee"] * 100
    after = ["bee", *labels[1:3], HOSTILE, *labels[4:]]
    before = [*labels[:3], "ant", *labels[4:]]
    decision = decide(Evidence(predictions(labels, before), predictions(labels, after), CLEAN), PromotionParams())
    assert decision.comparison is not None
    changes = decision.comparison.changes
    assert changes.counts == (1, 0, 1) and len(changes.shown) == 2
    (lost,), (other,) = changes.lost, changes.other
    assert (lost.path, lost.labels, lost.champion, lost.challenger) == ("0.png", ("ant",), ("ant",), ("bee",))
    assert (other.path, other.champion, other.challenger) == ("3.png", ("ant",), (HOSTILE,))
    preview = {lost.digest: KIND.preview(KIND.samples(1)[0], Limits())}
    page = render_decision(decision, Contest("pets", 3, 2, WHEN), preview)
    assert "2 have another answer than the champion" in page and HOSTILE not in page
    assert "Wrong now: the champion alone is right (1)" in page and "Right now" not in page
    assert page.count('src="data:image/') == 1 and page.count("champion: <b>") == 2


def test_many_changes_are_counted_and_some_are_shown() -> None:
    labels = ["ant", "bee"] * 100
    decision = decide(
        Evidence(predictions(labels, labels), predictions(labels, labels[::-1]), CLEAN), PromotionParams()
    )
    assert decision.comparison is not None and decision.comparison.changes.counts == (200, 0, 0)
    assert len(decision.comparison.changes.lost) == MOST
    assert f"And {200 - MOST} more" in render_decision(decision, Contest("pets", 3, 2, WHEN))


def test_a_first_version_has_nothing_to_compare() -> None:
    labels = ["ant", "bee"] * 20
    found = Evidence(None, predictions(labels, labels), replace(CLEAN, suspects=None))
    page = render_decision(decide(found, PromotionParams()), Contest("pets", 1, None, WHEN))
    assert "may become the champion: no gate refuses; there was no champion." in page and 'id="figures"' not in page


def test_it_states_the_margin_the_wear_of_the_rows_and_an_override() -> None:
    labels = ["ant", "bee"] * 100
    earlier = (Judgement(200),) * 60
    decision = decide(
        Evidence(predictions(labels, labels), predictions(labels, ["ant"] * 200), CLEAN, earlier=earlier),
        PromotionParams(),
    )
    page = render_decision(decision, Contest("pets", 3, 2, WHEN, anchor=1, override="anna: the ants are gone"))
    assert "These 200 test rows have judged 60 challengers before this one." in page
    assert "New test labels are due now" in page and "the best champion so far is version 1" in page
    assert "although paired test, anchor, recall, calibration refused it: anna: the ants are gone" in page
    fresh = decide(Evidence(predictions(labels, labels), predictions(labels, labels), CLEAN), PromotionParams())
    assert fresh.comparison is not None
    assert f"due after about {fresh.comparison.judgements_left} more" in render_decision(
        fresh, Contest("pets", 3, 2, WHEN)
    )
