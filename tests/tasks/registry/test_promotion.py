"""Promotion and rollback, on a real SQLite store; the versions hold predictions and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from registration import (
    CLEAN,
    LABELS,
    challenge,
    challenge_with,
    challenge_with_sets,
    champion,
    predictions,
)

from tasks.registry.attempt import Promotion
from tasks.registry.bars import release
from tasks.registry.promotion import PAGE, promote
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.rollback import rollback
from thaw.evaluation.checks import Leakage, NearCopies, Suspects
from thaw.foundation.errors import RegistryError
from thaw.params.sections import Params, PromotionParams, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))
Attempt = Callable[[Params], Promotion]


def promoted(registry: Registry, count: int) -> None:
    """That many champions, one after the other."""
    for _ in range(count):
        challenge(registry)
        assert promote(PARAMS).moved


def kinds(registry: Registry) -> list[tuple[str, int, int | None]]:
    return [(event.kind, event.version, event.former) for event in registry.history()]


def test_without_a_challenger_there_is_nothing_to_promote(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="no version with the alias `challenger`; `thaw run`"):
        promote(PARAMS)
    with pytest.raises(RegistryError, match="has had no champion"):
        rollback(PARAMS)


def test_the_first_version_becomes_the_champion_and_stays_it(registry: Registry) -> None:
    challenge(registry)
    first, again = promote(PARAMS, flow_run="f-1"), promote(PARAMS)
    assert (first.promoted, first.moved, first.former) == (True, True, None)
    assert str(first) == "version 1 is the champion now: there is no champion yet, so the first version becomes it"
    assert (again.promoted, again.moved, str(again)) == (True, False, "version 1 is the champion already")
    (event,) = registry.history()
    assert (event.kind, event.version, event.former, event.flow_run) == ("promote", 1, None, "f-1")
    assert event.who and event.when.endswith("+00:00")
    tags = registry.version(1).tags
    assert (tags["thaw.promotion"], tags["thaw.reason"]) == ("promote", first.reason)


def test_a_better_challenger_takes_over_and_the_figures_are_kept(registry: Registry) -> None:
    challenge(registry, right=30)
    promote(PARAMS)
    challenge(registry, right=58)
    found = promote(PARAMS)
    assert champion(registry) == 2 and found.moved and found.former == 1
    assert found.figures is not None and found.figures.only_challenger == 28
    event = registry.history()[-1]
    assert event.figures == found.figures.numbers and event.reason == found.reason


def test_a_worse_challenger_is_refused_and_the_reason_is_kept(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry, right=30)
    found = promote(PARAMS)
    assert champion(registry) == 1 and (found.promoted, found.moved, found.repeated) == (False, False, False)
    assert found.reason.startswith("the challenger is worse; ") and str(found).startswith(
        "version 2 stays the challenger: "
    )
    tags = registry.version(2).tags
    assert (tags["thaw.promotion"], tags["thaw.reason"]) == ("refuse", found.reason)
    assert kinds(registry) == [("promote", 1, None), ("refuse", 2, 1)]


def test_the_description_says_what_became_of_the_version_and_keeps_the_rest(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    registry.describe(
        challenge(registry, right=30), "Trained by hand\n\nGates: not asked yet\n\nTo look at: the report"
    )
    found = promote(PARAMS)
    assert registry.version(1).description.startswith("Gates: promoted on 20")
    first, gates, last = registry.version(2).description.split("\n\n")
    assert (first, last) == ("Trained by hand", "To look at: the report")
    assert gates.startswith("Gates: refused on 20") and gates.endswith(found.reason)


def test_the_same_refusal_is_recorded_once_unless_forced(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry, right=30)
    promote(PARAMS)
    again = promote(PARAMS)
    assert again.repeated and ", as before: " in str(again)
    assert len(registry.history()) == 2
    assert promote(PARAMS, force=True).repeated and len(registry.history()) == 3
    other_rule = PARAMS.model_copy(update={"statistics": StatisticsParams(bootstrap=200)})
    assert not promote(other_rule).repeated, "other figures are news"
    assert len(registry.history()) == 4


def test_a_dry_run_changes_nothing(registry: Registry) -> None:
    challenge(registry)
    found = promote(PARAMS, dry_run=True)
    assert (found.promoted, found.moved) == (True, False) and "would become the champion" in str(found)
    assert champion(registry) is None and not registry.history() and not registry.version(1).tags
    promoted(registry, 1)
    challenge(registry, right=10)
    assert not promote(PARAMS, dry_run=True).promoted
    promoted(registry, 1)
    told = registry.history()
    back = rollback(PARAMS, dry_run=True)
    assert not back.moved and "would become" in str(back) and champion(registry) == 4
    assert registry.history() == told


def test_rollback_goes_back_one_champion_at_a_time(registry: Registry) -> None:
    promoted(registry, 3)
    first = rollback(PARAMS, flow_run="f-2")
    assert champion(registry) == 2 and first.former == 3
    assert str(first) == "version 2 is the champion now: rolled back from version 3"
    assert registry.version(2).tags["thaw.promotion"] == "rollback"
    rollback(PARAMS)
    assert champion(registry) == 1
    with pytest.raises(RegistryError, match="version 1 is the first champion of pets"):
        rollback(PARAMS)
    assert champion(registry) == 1
    assert kinds(registry)[3:] == [("rollback", 2, 3), ("rollback", 1, 2)]
    assert registry.history()[3].flow_run == "f-2"


def test_after_a_rollback_promotion_goes_on(registry: Registry) -> None:
    promoted(registry, 2)
    rollback(PARAMS)
    promoted(registry, 1)
    assert champion(registry) == 3, "another version may try"
    rollback(PARAMS)
    assert champion(registry) == 1, "and the way back leaves out what was rolled back from"


def test_a_deleted_former_champion_is_passed_over_and_named(registry: Registry) -> None:
    promoted(registry, 3)
    registry.delete(2)
    assert rollback(PARAMS).reason == "rolled back from version 3; version 2, champion before it, was deleted"
    assert champion(registry) == 1


def test_nothing_is_left_to_go_back_to(registry: Registry) -> None:
    promoted(registry, 2)
    registry.delete(1)
    with pytest.raises(RegistryError, match=r"pets cannot go back to version 1: it was deleted; `thaw models`"):
        rollback(PARAMS)
    assert champion(registry) == 2


def test_a_champion_deleted_by_hand_is_no_free_promotion(registry: Registry) -> None:
    promoted(registry, 2)
    registry.delete(2)
    challenge(registry, right=10)
    with pytest.raises(
        RegistryError, match=r"champion of pets, version 2, was deleted .* `thaw rollback` .* version 1"
    ):
        promote(PARAMS)
    back = rollback(PARAMS)
    assert champion(registry) == 1 and back.former is None and "was gone" in back.reason
    assert not promote(PARAMS).promoted, "and then the rule holds again"


def test_when_every_champion_was_deleted_the_next_version_is_the_first(registry: Registry) -> None:
    promoted(registry, 1)
    registry.delete(1)
    challenge(registry)
    assert promote(PARAMS).moved and champion(registry) == 2


def test_an_alias_moved_by_hand_is_respected(registry: Registry) -> None:
    promoted(registry, 1)
    challenge(registry)
    registry.set_alias(CHAMPION, challenge(registry))
    rollback(PARAMS)
    assert champion(registry) == 1


def test_predictions_that_are_gone_are_named(registry: Registry) -> None:
    promoted(registry, 1)
    challenge(registry)
    next(Path(".thaw/mlartifacts").glob(f"{registry.version(1).run_id}/artifacts/report/*.parquet")).unlink()
    with pytest.raises(RegistryError, match=r"predictions.parquet of pets version 1 is gone"):
        promote(PARAMS)
    assert champion(registry) == 1


@pytest.mark.parametrize("step", ["record", "tag", "set_alias"])
@pytest.mark.parametrize("attempt", [promote, rollback])
def test_cut_off_before_any_step_the_next_try_completes_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, step: str, attempt: Attempt
) -> None:
    promoted(registry, 2)
    expected = 1 if attempt is rollback else challenge(registry)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Registry, step, cut)
        with pytest.raises(KeyboardInterrupt):
            attempt(PARAMS)
    assert champion(registry) == 2, "the alias moves last"
    assert attempt(PARAMS).moved and champion(registry) == expected
    assert registry.version(expected).tags["thaw.promotion"] == attempt.__name__
    if attempt is promote:
        rollback(PARAMS)
        assert champion(registry) == 2, "and what was told twice counts once"


def test_sets_of_labels_are_compared_with_sets_and_never_with_single_labels(registry: Registry) -> None:
    challenge_with_sets(registry)
    assert promote(PARAMS).moved
    challenge_with_sets(registry, right=30)
    worse = promote(PARAMS)
    assert not worse.promoted
    assert worse.figures is not None
    assert "exact match is 0.500 against 1.000" in next(gate.words for gate in worse.gates if gate.refuses)
    challenge(registry)
    other = promote(PARAMS)
    assert not other.promoted
    assert "give the challenger a name of its own with registry.name" in other.reason
    assert champion(registry) == 1


def test_the_gates_are_kept_in_the_history_and_as_a_page_with_the_version(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry, right=30)
    found = promote(PARAMS)
    assert [one.gate for one in found.gates if one.refuses] == ["paired test", "anchor", "recall", "calibration"]
    event = registry.history()[-1]
    assert [(one.gate, one.verdict, one.refuses) for one in event.gates] == [
        (one.gate, one.verdict, one.refuses) for one in found.gates
    ]
    assert found.page == PAGE and "stays the challenger, refused by paired test" in PAGE.read_text()
    kept = registry.download(registry.version(2), "promotion/promotion.html", Path())
    assert kept.read_text() == PAGE.read_text()


def test_a_dry_run_writes_the_page_and_nothing_to_mlflow(registry: Registry) -> None:
    challenge(registry)
    before = Path(".thaw/mlflow.db").read_bytes()
    promote(PARAMS, dry_run=True)
    assert "Version 1 may become the champion" in PAGE.read_text()
    assert Path(".thaw/mlflow.db").read_bytes() == before
    assert not list(Path(".thaw/mlartifacts").rglob("promotion.html"))


def test_a_first_version_that_leaks_is_refused(registry: Registry) -> None:
    challenge(registry, checks=replace(CLEAN, leakage=Leakage(40, 2, 0)))
    found = promote(PARAMS)
    assert not found.promoted and "of 40 training examples, 2 are in val or test" in found.reason
    assert champion(registry) is None and kinds(registry) == [("refuse", 1, None)]


def test_a_version_of_before_that_has_no_checks_is_refused_and_told_what_to_do(registry: Registry) -> None:
    challenge(registry, checks=None)
    found = promote(PARAMS)
    assert not found.promoted and "has no report/checks.json; `thaw run`" in found.reason
    unasked = PromotionParams(max_leaked=None, max_near_copies=None, max_suspects=None)
    assert promote(PARAMS.model_copy(update={"promotion": unasked})).moved


def test_checks_that_are_damaged_are_named_with_their_version(registry: Registry) -> None:
    number = challenge(registry)
    run = registry.version(number).run_id
    registry.client.log_text(run, "{", "report/checks.json")
    with pytest.raises(RegistryError, match=r"report/checks.json of pets version 1 is damaged"):
        promote(PARAMS)


@pytest.mark.parametrize("seed", range(3))
def test_a_challenger_that_learnt_from_shuffled_labels_is_refused(registry: Registry, seed: int) -> None:
    challenge(registry, right=57)
    promote(PARAMS)
    shuffled = np.random.default_rng(seed).permutation(LABELS).tolist()
    poisoned = replace(CLEAN, suspects=Suspects(40, 20))
    challenge_with(registry, predictions(LABELS, shuffled), poisoned)
    found = promote(PARAMS)
    assert not found.promoted and champion(registry) == 1
    assert {"paired test", "suspect labels"} <= {one.gate for one in found.gates if one.refuses}
    assert "is worse" in found.reason and "20 of 40 training labels look wrong" in found.reason


def test_rollback_to_a_version_may_be_run_twice(registry: Registry) -> None:
    promoted(registry, 3)
    assert str(rollback(PARAMS, to=1)) == "version 1 is the champion now: rolled back from version 3"
    again = rollback(PARAMS, to=1)
    assert (again.promoted, again.moved, str(again)) == (True, False, "version 1 is the champion already")
    assert champion(registry) == 1 and len(registry.history()) == 4
    with pytest.raises(RegistryError, match=r"version 3 is barred .* `thaw promote --release 3`"):
        rollback(PARAMS, to=3)
    release(PARAMS, 3)
    assert rollback(PARAMS, to=3).moved, "and forward again, to what was champion once"
    assert rollback(PARAMS).version == 1


def test_rollback_goes_to_former_champions_alone(registry: Registry) -> None:
    promoted(registry, 2)
    challenge(registry, right=10)
    with pytest.raises(
        RegistryError, match=r"version 3 of pets was never the champion; `thaw rollback --to` takes 2 or 1"
    ):
        rollback(PARAMS, to=3)
    registry.delete(1)
    with pytest.raises(RegistryError, match=r"version 1 of pets was deleted; `thaw rollback --to` takes 2"):
        rollback(PARAMS, to=1)
    assert champion(registry) == 2


def test_a_history_from_before_there_were_gates_goes_on(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
    for number, former in ((1, "null"), (2, "1")):
        text = (
            f'{{"kind": "promote", "when": "2025-01-01T00:00:00+00:00", "who": "me", "version": {number}, "former": {former}, '
            '"reason": "because", "flow_run": "", "figures": {}}'
        )
        registry.client.set_registered_model_tag("pets", f"promotion.{number:06}.abcd", text)
    registry.client.set_registered_model_alias("pets", CHAMPION, "2")
    assert rollback(PARAMS).version == 1 == champion(registry)
    release(PARAMS, 2)
    assert promote(PARAMS).version == 2 == champion(registry)
    assert [event.move for event in registry.history()] == [None, None, 3, None, 4]


def test_reasons_that_never_end_are_cut_and_fit_into_mlflow(registry: Registry) -> None:
    names = [f"{'ä' * 200}{number}" for number in range(60)]
    challenge_with(registry, predictions(names * 20, names * 20))
    promote(PARAMS)
    lost = replace(CLEAN, leakage=Leakage(10**9, 10**9, 10**9), suspects=Suspects(9, 9), near_copies=NearCopies(9, 9))
    challenge_with(registry, predictions(names * 20, (names[1:] + names[:1]) * 20), lost)
    assert not promote(PARAMS).promoted
    told = max(registry.client.get_registered_model("pets").tags.values(), key=len)
    assert len(told) < 5000 and promote(PARAMS).repeated


def test_an_override_promotes_what_gates_refuse_and_is_kept_for_good(registry: Registry) -> None:
    promoted(registry, 1)
    challenge(registry, right=30)
    tried = promote(PARAMS, override="the old camera is gone", dry_run=True)
    assert tried.promoted and not tried.moved and champion(registry) == 1
    made = promote(PARAMS, override="the old camera is gone", flow_run="f-9")
    assert made.moved and champion(registry) == 2
    event = registry.history()[-1]
    assert (event.kind, event.version, event.former, event.override) == ("promote", 2, 1, "the old camera is gone")
    assert event.who and event.flow_run == "f-9" and event.anchor == 2
    refusing = "(refused by paired test, anchor, recall, calibration)"
    assert event.reason == f"overridden by {event.who}: the old camera is gone {refusing}"
    assert registry.version(2).tags["thaw.override"] == event.reason
    kept = registry.download(registry.version(2), "promotion/promotion.html", Path()).read_text()
    assert "although paired test, anchor, recall, calibration refused it" in kept and "the old camera is gone" in kept


def test_there_is_nothing_to_override_where_no_gate_refuses(registry: Registry) -> None:
    challenge(registry)
    with pytest.raises(RegistryError, match="nothing to override; `thaw promote` promotes it"):
        promote(PARAMS, override="why not")
    assert champion(registry) is None and not registry.history()


def test_the_best_champion_is_kept_and_small_losses_do_not_add_up(registry: Registry) -> None:
    """Each challenger has one row less right than the last: the champion alone would let every one pass."""
    other = {"ant": "bee", "bee": "ant"}
    loose = PARAMS.model_copy(update={"promotion": PromotionParams(max_recall_loss=None, max_calibration_loss=None)})
    refusing: list[str] = []
    for wrong in range(8):
        said = [other[label] if row < wrong else label for row, label in enumerate(LABELS)]
        challenge_with(registry, predictions(LABELS, said))
        refusing = [gate.gate for gate in promote(loose).gates if gate.refuses]
        if refusing:
            break
    assert refusing == ["anchor"] and 2 <= wrong < 7
    moves = [event for event in registry.history() if event.kind == "promote"]
    assert len(moves) == wrong and {event.anchor for event in moves} == {1}


def test_a_challenger_that_is_shown_to_be_better_is_the_best_from_then_on(registry: Registry) -> None:
    assert promote_with(registry, 30) and promote_with(registry, 60)
    assert [event.anchor for event in registry.history()] == [1, 2]
    rollback(PARAMS)
    assert promote_with(registry, 30), "what was rolled back from is no measure"
    assert registry.history()[-1].anchor == 1


def test_the_judgements_of_the_test_rows_are_counted(registry: Registry) -> None:
    promoted(registry, 1)
    for number in range(3):
        challenge(registry)
        found = promote(PARAMS)
        assert f"have judged {number} challenger" in found.test_rows
    challenge(registry, right=20)
    before = promote(PARAMS).test_rows
    assert promote(PARAMS, force=True).test_rows == before, "the same challenger shows nothing new"


def promote_with(registry: Registry, right: int) -> bool:
    challenge(registry, right=right)
    return promote(PARAMS).moved
