"""The network that hears phones: padding, silence, loudness, its cut layers, and its exported graph."""

import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from thaw.backbones.architectures import build_seeded, classifier_input
from thaw.backbones.blocks import blocks_of
from thaw.backbones.encoders.log_mel import HIGHEST_HZ, LOWEST_HZ, log_mel, mel_bank
from thaw.backbones.encoders.phones import PhoneNetwork, network_named, shares
from thaw.backbones.splitting import split_at
from thaw.kinds.batches import mapping_of, stacked
from thaw.kinds.sounds.framed import MASK, SAMPLES, framed

RATE, DIM, BANDS = 16_000, 12, 16
NAME, OLDER = f"phones-{BANDS}x{DIM}x3x8", f"phones-{BANDS}x{DIM}x3"
LENGTHS = (4000, 9001, 150, 6400, 1)


@pytest.fixture(scope="module")
def network() -> PhoneNetwork:
    built = build_seeded(NAME, 3, 0).eval().requires_grad_(False)
    assert isinstance(built, PhoneNetwork)
    return built


def sound(length: int) -> dict[str, Tensor]:
    return framed(0.1 * torch.randn(length, generator=torch.Generator().manual_seed(length)), RATE)


def test_a_name_determines_the_shape() -> None:
    built = network_named(NAME, 7)
    assert isinstance(built, PhoneNetwork)
    assert (len(built.layers), built.norm.weight.shape[0], built.fc.weight.shape) == (3, DIM, (7, 8))
    for name in ("resnet18", "phones-16x12", "phones-15x12x3", "phones-16x0x3", "phones-16x12x3x0"):
        assert network_named(name, 2) is None


def test_neither_the_batch_nor_its_padding_matters(network: PhoneNetwork) -> None:
    together = network(mapping_of(stacked([sound(length) for length in LENGTHS])))
    alone = torch.cat([network(mapping_of(stacked([sound(length)]))) for length in LENGTHS])
    assert torch.allclose(together, alone, atol=1e-5)
    noisy = mapping_of(stacked([sound(length) for length in LENGTHS]))
    filled = {**noisy, SAMPLES: noisy[SAMPLES].masked_fill(~noisy[MASK][:, :, None], 0.5)}
    assert torch.allclose(network(filled), together, atol=1e-5), "what stands in the padding is not heard"


def test_the_loudness_of_a_sound_does_not_matter(network: PhoneNetwork) -> None:
    given = mapping_of(stacked([sound(6000)]))
    assert torch.allclose(network({**given, SAMPLES: given[SAMPLES] / 8}), network(given), atol=1e-3)


def test_silence_is_a_sound(network: PhoneNetwork) -> None:
    found = network(mapping_of(stacked([framed(torch.zeros(3000), RATE), framed(torch.zeros(0), RATE)])))
    assert torch.isfinite(found).all()


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    for hertz in (300.0, 1000.0, 5000.0):
        wave = 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(4000) / RATE)
        given = mapping_of(stacked([framed(wave, RATE)]))
        loudest = log_mel(given[SAMPLES], given[MASK], 40)[0, 10].argmax()
        assert mel_bank(40, 160)[:, loudest].argmax() * 100 / 3 == pytest.approx(hertz, rel=0.15)
    assert LOWEST_HZ < 300 and HIGHEST_HZ > 5000


@given(st.lists(st.floats(0.1, 1.0), min_size=1, max_size=20), st.integers(1, 5), st.integers(0, 4))
def test_each_part_is_a_mean_of_its_share_of_the_time(times: list[float], parts: int, padding: int) -> None:
    weights = torch.tensor([[*times, *[0.0] * padding]])
    found = shares(weights, parts)
    assert torch.allclose(found.sum(2), torch.ones(1, parts), atol=1e-4)
    assert (found >= 0).all() and not found[:, :, len(times) :].any()
    assert torch.allclose(found.mean(1), weights / weights.sum(), atol=1e-4), "all parts together are the whole time"
    centres = (found * torch.arange(weights.shape[1])).sum(2)[0]
    assert (centres.diff() >= -1e-4).all(), "parts follow each other"


@pytest.mark.parametrize(
    ("name", "ends"), [(NAME, ["pooled", "summary"]), (OLDER, ["pooled"])], ids=["with a summary", "without"]
)
def test_every_block_is_a_cut_layer_and_the_network_splits_there(name: str, ends: list[str]) -> None:
    network = build_seeded(name, 3, 0).eval().requires_grad_(False)
    assert isinstance(network, PhoneNetwork)
    blocks = blocks_of(network)
    assert [block.output for block in blocks] == ["stem", "layers.0", "layers.1", *ends]
    assert {"pool.weight", "norm.weight", "layers.2.across.weight"} <= set(blocks[3].tensors)
    batch = mapping_of(stacked([sound(length) for length in LENGTHS]))
    wanted = network.summarised(network.pool(network.places(batch)))
    for thawed in range(1, len(blocks)):
        lower, upper = split_at(network, blocks, thawed, output=classifier_input(network))
        assert lower is not None
        assert torch.equal(upper(lower(batch)).view_as(wanted), wanted)


def test_one_exported_graph_takes_any_number_and_length(network: PhoneNetwork) -> None:
    batches = [stacked([sound(length) for length in some]) for some in (LENGTHS, (800,), (20_000, 3000, 480))]
    one_graph_gives_the_same(network, batches[0], batches)
