"""How a move of the alias is settled, on a real SQLite store: kills at any step, and rivals between any two."""

from collections.abc import Callable
from pathlib import Path

import pytest
from registration import challenge, champion

from tasks.registry import attempt
from tasks.registry.bars import release
from tasks.registry.champion_move import finish_move, make_move
from tasks.registry.promotion import Promotion, promote
from tasks.registry.promotion_history import PROMOTE, Event
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.rollback import rollback
from tasks.registry.write_once import Ledger
from thaw.foundation.errors import InUse, RegistryError
from thaw.params.sections import Params, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))


def promotion(version: int, move: int, attempt: str) -> Event:
    return Event(PROMOTE, "2026-01-01T00:00:00+00:00", "me", version, None, "because", move=move, attempt=attempt)


def meanwhile(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let a rival act, whole, between our decision and our settling it; on this machine a lock would keep it out."""
    settle, waiting = Ledger.settle, [act]

    def late(self: Ledger, move: int, text: str) -> str:
        if waiting:
            patch.setattr(attempt, "LOCK", Path("elsewhere.lock"))
            waiting.pop()()
        return settle(self, move, text)

    patch.setattr(Ledger, "settle", late)


def test_the_first_to_settle_a_move_has_made_it_for_good(registry: Registry) -> None:
    challenge(registry)
    challenge(registry)
    assert make_move(registry, promotion(1, 1, "a")).attempt == "a"
    assert make_move(registry, promotion(2, 1, "b")).attempt == "a", "the other is told what stands"
    assert [event.version for event in registry.history()] == [1] and champion(registry) == 1
    assert finish_move(registry) is None


def test_a_rival_that_promotes_the_same_version_leaves_nothing_to_do(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge(registry)
    rivals: list[Promotion] = []
    meanwhile(monkeypatch, lambda: rivals.append(promote(PARAMS)))
    found = promote(PARAMS)
    assert rivals[0].moved and (found.promoted, found.moved) == (True, False)
    assert str(found).startswith("version 1 is the champion already: ") and "at the same time" in str(found)
    assert len(registry.history()) == 1


@pytest.mark.parametrize(("ours", "theirs", "stands"), [(promote, rollback, 1), (rollback, promote, 3)])
def test_a_rival_that_does_otherwise_wins_and_we_are_told(
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    ours: Callable[[Params], Promotion],
    theirs: Callable[[Params], Promotion],
    stands: int,
) -> None:
    for _ in range(2):
        challenge(registry)
        promote(PARAMS)
    challenge(registry)
    meanwhile(monkeypatch, lambda: theirs(PARAMS))
    with pytest.raises(
        InUse, match=rf"version {stands} became the champion meanwhile, .* `thaw {ours.__name__}` again"
    ):
        ours(PARAMS)
    assert champion(registry) == stands and len(registry.history()) == 3


def test_an_author_that_was_overtaken_leaves_the_alias_where_the_last_move_put_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is settled; before our alias call another completes it, and makes the next move."""
    challenge(registry)
    set_alias, waiting = Registry.set_alias, [True]

    def late(self: Registry, alias: str, number: int) -> None:
        if alias == CHAMPION and waiting:
            waiting.pop()
            challenge(registry)
            monkeypatch.setattr(attempt, "LOCK", Path("elsewhere.lock"))
            assert promote(PARAMS).moved
            assert champion(registry) == 2
        set_alias(self, alias, number)

    monkeypatch.setattr(Registry, "set_alias", late)
    assert promote(PARAMS).version == 1
    assert champion(registry) == 2
    assert [(event.version, event.former) for event in registry.history()] == [(1, None), (2, 1)]


@pytest.mark.parametrize(
    ("owner", "step"),
    [(Ledger, "settle"), (Registry, "record"), (Registry, "set_alias"), (Ledger, "mark_made")],
)
def test_a_promotion_cut_off_at_any_step_is_completed_by_whoever_comes_next(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, owner: type, step: str
) -> None:
    challenge(registry)
    promote(PARAMS)
    challenge(registry)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, cut)
        with pytest.raises(KeyboardInterrupt):
            promote(PARAMS)
    challenge(registry, right=10)
    refused = promote(PARAMS)
    # Cut off before it was settled, version 2 was never promoted; settled, it is what the next is measured against.
    before = 1 if step == "settle" else 2
    assert not refused.promoted and refused.former == before == champion(registry)
    told = [(event.kind, event.version) for event in registry.history()]
    assert told == [("promote", 1), *([("promote", 2)] if before == 2 else []), ("refuse", 3)]


def test_an_alias_moved_by_hand_after_a_move_is_not_moved_back(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
        promote(PARAMS)
    registry.set_alias(CHAMPION, 1)
    assert finish_move(registry) is None and champion(registry) == 1


def test_a_model_that_was_deleted_and_made_anew_has_no_moves_of_before(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    run = registry.version(1).run_id
    registry.client.delete_registered_model(registry.name)
    registry.client.create_registered_model(registry.name)
    registry.client.create_model_version(registry.name, f"runs:/{run}/model", run)
    assert registry.history() == () and finish_move(registry) is None and champion(registry) is None


def test_the_oldest_run_may_be_gone(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
        promote(PARAMS)
    registry.client.delete_run(registry.version(1).run_id)
    assert rollback(PARAMS).moved and champion(registry) == 1
    registry.client.delete_run(registry.version(2).run_id)
    release(PARAMS, 2)
    with pytest.raises(RegistryError, match="no version of pets has an MLflow run that can record its promotions"):
        rollback(PARAMS, to=2)


def test_a_move_whose_version_is_deleted_before_the_alias_follows_leaves_the_alias(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    Ledger(registry).settle(2, promotion(7, 2, "x").to_json())
    found = finish_move(registry)
    assert found is not None and found.version == 7 and champion(registry) == 1
    assert finish_move(registry) is None, "once is enough"
