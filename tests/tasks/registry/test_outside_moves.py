"""Moves of the alias by MLflow's own client, as they come into the history."""

from registration import challenge, champion, kinds_of

from tasks.registry.outside_moves import WHO, notice
from tasks.registry.promotion import promote
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.rollback import rollback
from thaw.params.sections import Params, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))


def test_a_move_is_noticed_once(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
        promote(PARAMS)
    assert notice(registry) is None
    challenge(registry)
    registry.client.set_registered_model_alias("pets", CHAMPION, "3")
    event = notice(registry)
    assert event is not None and (event.kind, event.version, event.former, event.who) == ("outside", 3, 2, WHO)
    assert notice(registry) is None and champion(registry) == 3
    assert kinds_of(registry)[-1] == ("outside", 3) and registry.history()[-1] == event
    assert rollback(PARAMS).version == 2, "the way back knows it"


def test_a_return_made_outside_holds_as_a_rollback_does(registry: Registry) -> None:
    for _ in range(2):
        challenge(registry)
        promote(PARAMS)
    registry.client.set_registered_model_alias("pets", CHAMPION, "1")
    night = promote(PARAMS)
    assert not night.promoted and champion(registry) == 1 and "version 2 is barred (outside Thaw" in night.reason
    assert "thaw.barred" in registry.version(2).tags


def test_an_alias_that_is_gone_is_noticed_once(registry: Registry) -> None:
    challenge(registry)
    promote(PARAMS)
    registry.client.delete_registered_model_alias("pets", CHAMPION)
    event = notice(registry)
    assert event is not None and (event.kind, event.version) == ("lost", 1) and "the alias was removed" in event.reason
    assert notice(registry) is None
    rollback(PARAMS)
    assert champion(registry) == 1 and notice(registry) is None
    registry.delete(1)
    event = notice(registry)
    assert event is not None and "was deleted" in event.reason


def test_a_first_champion_that_was_set_outside_is_noticed(registry: Registry) -> None:
    registry.client.set_registered_model_alias("pets", CHAMPION, str(challenge(registry)))
    event = notice(registry)
    assert event is not None and (event.version, event.former) == (1, None)


def test_nothing_is_noticed_where_there_is_nothing(registry: Registry) -> None:
    assert notice(registry) is None
    challenge(registry)
    assert notice(registry) is None and registry.history() == ()
