"""The page on scale says what the stored rates give, and the model behind it makes sense of any number of images."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from aiobotocore.client import AioBaseClient
from capacity.figures import BYTES, HOURS, NUMBER, shown
from capacity.model import PART_ROWS, Need, gpu_s, needs
from capacity.rates import NETWORKS, TYPICAL, Assumptions, Network, Rates, rates_json, read_rates
from hypothesis import given
from hypothesis import strategies as st
from object_store import object_store
from scale import DOC, STORED, with_blocks

from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, Layer

ASSUMED = Assumptions()
COUNTS = st.integers(min_value=0, max_value=10**12)
ANY_NETWORK = st.sampled_from(NETWORKS)


@pytest.fixture(scope="module")
def rates() -> Rates:
    return read_rates(STORED)


def named(name: str, rates: Rates, assumed: Assumptions = ASSUMED) -> Need:
    (found,) = (need for need in needs(TYPICAL, rates, assumed) if need.name == name)
    return found


def test_the_page_is_what_the_stored_rates_give(rates: Rates) -> None:
    text = DOC.read_text(encoding="utf-8")
    assert with_blocks(text, rates) == text, "run `python benchmarks/scale.py --stored --write`"


def test_rates_come_back_as_they_were_kept(rates: Rates, tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_bytes(rates_json(rates))
    assert read_rates(tmp_path / "scale.json") == rates
    assert rates_json(rates) == STORED.read_bytes()


def test_every_rate_costs_something(rates: Rates) -> None:
    assert all(need.of(10**6) > 0 for need in needs(TYPICAL, rates, ASSUMED))


@given(network=ANY_NETWORK, fewer=COUNTS, more=COUNTS)
def test_more_images_never_need_less(rates: Rates, network: Network, fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    assert all(need.of(fewer) <= need.of(more) for need in needs(network, rates, ASSUMED))


@given(network=ANY_NETWORK)
def test_no_image_needs_nothing(rates: Rates, network: Network) -> None:
    assert {need.of(0) for need in needs(network, rates, ASSUMED)} == {0}


@given(network=ANY_NETWORK)
def test_there_is_enough_for_the_most_images_and_not_for_one_more(rates: Rates, network: Network) -> None:
    for need in needs(network, rates, ASSUMED):
        if need.limit < float("inf"):
            assert need.of(int(need.most)) <= need.limit < need.of(int(need.most) + 1)
            assert need.remedy
        else:
            assert need.most == float("inf")


def test_parts_and_listing_calls_are_whole(rates: Rates) -> None:
    parts, listings = (
        named(name, rates)
        for name in ("parts, so PUT calls and, by Ray, GET calls", "**listing calls** of `extract.store`")
    )
    assert [parts.of(count) for count in (0, 1, PART_ROWS, PART_ROWS + 1, 10**6)] == [0, 1, 1, 2, 489]
    assert [listings.of(count * PART_ROWS) for count in (1, 1000, 1001)] == [2, 2, 4]


def test_more_memory_lasts_longer(rates: Rates) -> None:
    twice = replace(ASSUMED, memory_bytes=2 * ASSUMED.memory_bytes)
    held = "memory of `ingest`"
    assert named(held, rates, twice).most == pytest.approx(2 * named(held, rates).most, rel=1e-6)


def test_a_gpu_waits_for_the_cores_that_decode(rates: Rates) -> None:
    small, large = (replace(ASSUMED, cores=cores) for cores in (1, 10**6))
    bound = ASSUMED.share_of_bound
    assert gpu_s(TYPICAL, rates, small) == pytest.approx(rates.decode_ms / 1e3 / bound)
    assert gpu_s(TYPICAL, rates, large) == pytest.approx(1 / TYPICAL.gpu_images_per_s / bound)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (489, NUMBER, "489"),
        (4_882_813, NUMBER, "4.88M"),
        (10**10, NUMBER, "10B"),
        (8224, BYTES, "8.22 kB"),
        (8.2e9, BYTES, "8.2 GB"),
        (0.00213, HOURS, "0.0021 h"),
        (36225.4, HOURS, "36,225 h"),
        (float("inf"), HOURS, ""),
    ],
)
def test_figures_are_shown_to_three_digits(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What is asked of the object store, counted by operation."""
    counted: Counter[str] = Counter()
    call = AioBaseClient._make_api_call

    async def count(client: AioBaseClient, operation: str, given: dict[str, object]) -> object:
        counted[operation] += 1
        return await call(client, operation, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", count)
    return counted


def test_an_object_store_is_asked_as_often_as_the_model_says(tmp_path: Path, calls: Counter[str]) -> None:
    here, there, layer = (
        FeatureStore(tmp_path / "here"),
        FeatureStore(tmp_path / "there"),
        Layer("fingerprint", "layer", 1),
    )
    part = here.write(layer, [bytes(32)], torch.zeros(1, 1), {})
    with object_store() as url:
        mirror = Mirror(url)
        mirror.has(layer, part.name)  # an actor, before it makes the part
        assert calls == {"HeadObject": 1, "ListObjectsV2": ASSUMED.lists_an_exists}
        calls.clear()
        mirror.put(layer, part)
        assert mirror.pull(there, layer, [part.name]) == 1  # the driver, once the part is made
        assert calls == {"PutObject": 1, "GetObject": 1}
        calls.clear()
        mirror.pull(here, layer)  # a run begins
        mirror.push(here, layer)  # and ends
        assert calls == {"ListObjectsV2": 2}
