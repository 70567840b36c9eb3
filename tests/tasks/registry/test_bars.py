"""A version that was rolled back from stays out of use until a person releases it."""

import pytest
from registration import challenge, champion, kinds_of

from tasks.registry.attempt import user
from tasks.registry.bars import barred, release
from tasks.registry.promotion import promote
from tasks.registry.promotion_history import OUTSIDE, PROMOTE, RELEASE, ROLLBACK, Event
from tasks.registry.registry import CHALLENGER, Registry
from tasks.registry.rollback import rollback
from thaw.foundation.errors import RegistryError
from thaw.params.sections import Params, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))


def two_champions(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
        assert promote(PARAMS).moved


def test_a_rollback_does_not_undo_itself_however_often_the_schedule_comes(registry: Registry) -> None:
    two_champions(registry)
    rollback(PARAMS, why="it calls every wasp a bee")
    for _ in range(2):
        again = promote(PARAMS)
        assert (again.promoted, again.moved) == (False, False) and champion(registry) == 1
        assert "version 2 is barred" in again.reason and "it calls every wasp a bee" in again.reason
        assert "`thaw promote --release 2`" in again.reason
    assert kinds_of(registry) == [("promote", 1), ("promote", 2), ("rollback", 1)], "a barred version is not judged"
    assert "it calls every wasp a bee" in registry.version(2).tags["thaw.barred"]
    challenge(registry)
    assert promote(PARAMS).moved and champion(registry) == 3, "another version takes its place"
    registry.set_alias(CHALLENGER, 2)
    assert not promote(PARAMS).promoted, "and the bar stays"


def test_no_override_lifts_a_bar(registry: Registry) -> None:
    two_champions(registry)
    rollback(PARAMS)
    assert "is barred" in promote(PARAMS, override="I say so").reason and champion(registry) == 1


def test_a_person_releases_a_version_and_the_history_says_so(registry: Registry) -> None:
    two_champions(registry)
    rollback(PARAMS, why="a bad night")
    with pytest.raises(RegistryError, match=r"version 1 of pets is not barred"):
        release(PARAMS, 1)
    with pytest.raises(RegistryError, match=r"no version 7"):
        release(PARAMS, 7)
    assert "`thaw promote` judges it" in release(PARAMS, 2, why="the sensor was broken")
    entry = registry.history()[-1]
    assert (entry.kind, entry.version, entry.who) == (RELEASE, 2, user())
    assert "a bad night" in entry.reason and "the sensor was broken" in entry.reason
    assert "thaw.barred" not in registry.version(2).tags and not barred(registry.history())
    assert promote(PARAMS).moved and champion(registry) == 2
    rollback(PARAMS)
    assert not promote(PARAMS).promoted, "a second rollback bars it again"


def test_the_way_back_leaves_out_barred_versions(registry: Registry) -> None:
    for _ in range(3):
        challenge(registry)
        promote(PARAMS)
    rollback(PARAMS)
    challenge(registry)
    assert promote(PARAMS).moved and champion(registry) == 4
    with pytest.raises(RegistryError, match=r"version 3 is barred .* `thaw promote --release 3`"):
        rollback(PARAMS, to=3)
    assert rollback(PARAMS).version == 2


def move(kind: str, version: int, former: int | None) -> Event:
    return Event(kind, "2026-01-01T00:00:00+00:00", "me", version, former, "because")


@pytest.mark.parametrize(
    ("last", "closed"),
    [
        ([move(ROLLBACK, 1, 2)], [2]),
        ([move(OUTSIDE, 1, 2)], [2]),
        ([move(OUTSIDE, 5, 2)], []),
        ([move(ROLLBACK, 1, 2), move(RELEASE, 2, None), move(ROLLBACK, 2, 1)], []),
        ([move(PROMOTE, 3, 2), move(ROLLBACK, 1, 3)], [3]),
        ([move(ROLLBACK, 1, None)], []),
    ],
    ids=["rollback", "back outside", "on outside", "forward again", "over a champion", "the champion was gone"],
)
def test_what_the_alias_was_taken_back_from_is_barred(last: list[Event], closed: list[int]) -> None:
    assert list(barred([move(PROMOTE, 1, None), move(PROMOTE, 2, 1), *last])) == closed
