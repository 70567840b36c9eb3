"""Promotion and rollback, on a real SQLite store; the versions hold predictions and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from registration import challenge, challenge_with_sets, copy_empty_store, inside, make_empty_store

from tasks.promoting import Promotion, promote, rollback
from tasks.registry import CHAMPION, Registry, open_registry
from thaw.errors import RegistryError
from thaw.params import Params, PromotionParams, RegistryParams

PARAMS = Params(registry=RegistryParams(name="pets"), promotion=PromotionParams(bootstrap=100))
Attempt = Callable[[Params], Promotion]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_empty_store(tmp_path_factory.mktemp("template"))


@pytest.fixture
def registry(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """An empty registry, in a project that is the working directory."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    copy_empty_store(template, tmp_path)
    with inside(tmp_path):
        registry = open_registry(PARAMS.registry)
        registry.client.create_registered_model(registry.name)
        yield registry


def champion(registry: Registry) -> int | None:
    found = registry.by_alias(CHAMPION)
    return None if found is None else found.number


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
    assert event.figures == asdict(found.figures) and event.reason == found.reason


def test_a_worse_challenger_is_refused_and_the_reason_is_kept(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry, right=30)
    found = promote(PARAMS)
    assert champion(registry) == 1 and (found.promoted, found.moved, found.repeated) == (False, False, False)
    assert "worse" in found.reason and str(found).startswith("version 2 stays the challenger: ")
    tags = registry.version(2).tags
    assert (tags["thaw.promotion"], tags["thaw.reason"]) == ("refuse", found.reason)
    assert kinds(registry) == [("promote", 1, None), ("refuse", 2, 1)]


def test_the_same_refusal_is_recorded_once_unless_forced(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry, right=30)
    promote(PARAMS)
    again = promote(PARAMS)
    assert again.repeated and ", as before: " in str(again)
    assert len(registry.history()) == 2
    assert promote(PARAMS, force=True).repeated and len(registry.history()) == 3
    other_rule = PARAMS.model_copy(update={"promotion": PromotionParams(bootstrap=200)})
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
    assert promote(PARAMS).moved and champion(registry) == 2, "the challenger may try again"
    rollback(PARAMS)
    promoted(registry, 1)
    rollback(PARAMS)
    assert champion(registry) == 1


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
    assert "exact match is 0.500 against 1.000" in worse.reason
    challenge(registry)
    other = promote(PARAMS)
    assert not other.promoted
    assert "give the challenger a name of its own with registry.name" in other.reason
    assert champion(registry) == 1
