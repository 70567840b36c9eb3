"""The listing of the registry: kept as long as the store's files are as they were, and read anew after any write."""

import pytest
from registration import challenge

from tasks.registry import listing
from tasks.registry.listing import KEPT, read_listing
from tasks.registry.promotion import promote
from tasks.registry.registry import CHAMPION, Registry
from thaw.params.sections import Params, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models for which MLflow was opened."""
    names: list[str] = []
    open_registry = listing.open_registry

    def noted(params: RegistryParams) -> Registry:
        names.append(params.name)
        return open_registry(params)

    monkeypatch.setattr(listing, "open_registry", noted)
    return names


def test_mlflow_is_opened_once_until_something_is_written(registry: Registry, opened: list[str]) -> None:
    challenge(registry)
    promote(PARAMS)
    first = read_listing(PARAMS.registry)
    assert (first.versions, first.history) == (registry.versions(), registry.history())
    assert read_listing(PARAMS.registry) == first and opened == ["pets"]
    challenge(registry)
    registry.client.set_registered_model_alias("pets", CHAMPION, "2")  # outside Thaw
    second = read_listing(PARAMS.registry)
    assert [version.number for version in second.versions] == [2, 1] and second.history[-1].kind == "outside"
    assert second == read_listing(PARAMS.registry) and opened == ["pets", "pets"]


def test_another_name_or_store_or_a_damaged_file_is_no_hit(
    registry: Registry, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge(registry)
    kept = read_listing(PARAMS.registry)
    assert read_listing(RegistryParams(name="birds")).versions == ()
    KEPT.write_bytes(KEPT.read_bytes()[:-9])
    assert read_listing(PARAMS.registry) == kept
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///elsewhere.db")
    assert read_listing(PARAMS.registry).versions == ()
    assert opened == ["pets", "birds", "pets", "pets"]
