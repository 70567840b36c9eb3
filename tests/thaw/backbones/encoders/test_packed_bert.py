"""The network without padding gives the numbers of `Bert`, whatever the batch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from thaw.backbones.architectures import build_seeded
from thaw.backbones.encoders.bert import Bert
from thaw.backbones.encoders.packed_bert import PackedBert, packed_bert
from thaw.backbones.graph import trace
from thaw.backbones.splitting import split_at
from thaw.kinds.batches import stacked
from thaw.kinds.texts.padded import prepared

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch has no oneDNN here")
WINDOW = 40
LAYERS = ("embeddings", "layers.0", "layers.2", "pooled")


def built(pooling: str = "mean", activation: str = "gelu") -> Bert:
    network = (
        build_seeded(f"bert-60x24-3x4x40-{WINDOW}-{activation}-eps12-{pooling}", 3, 0).eval().requires_grad_(False)
    )
    assert isinstance(network, Bert)
    return network


def whole(network: Bert, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The outputs of the cut layers by the network itself."""
    traced = trace(network)
    assert all(traced.node(name) for name in LAYERS)
    return {name: split_at(network, (), 1, output=name)[1](batch) for name in LAYERS}


def packed(network: Bert, dtype: torch.dtype = torch.float32, layers: tuple[str, ...] = LAYERS) -> PackedBert:
    build = packed_bert(network, layers)
    assert build is not None
    return build(dtype)


def batch_of(lengths: list[int]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(sum(lengths))
    batch = stacked([prepared(torch.randint(1, 60, (length,), generator=generator)) for length in lengths])
    assert not isinstance(batch, Tensor)
    return dict(batch)


NETWORKS = {
    (pooling, activation): built(pooling, activation)
    for pooling in ("mean", "first-unit")
    for activation in ("gelu", "tanh")
}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 3 * WINDOW), min_size=1, max_size=9),
    st.sampled_from(sorted(NETWORKS)),
    st.floats(0, 0.5),
)
def test_it_gives_the_networks_numbers(lengths: list[int], which: tuple[str, str], hidden: float) -> None:
    network, batch = NETWORKS[which], batch_of(lengths)
    # Pieces may be hidden anywhere but at the first place, by which `first` pools.
    kept = torch.rand(batch["mask"].shape, generator=torch.Generator().manual_seed(0)) >= hidden
    kept[:, 0] = True
    batch["mask"] &= kept
    expected = whole(network, batch)
    found = packed(network)(batch)
    assert list(found) == list(LAYERS)
    for name in LAYERS:
        assert found[name].dtype == torch.float32
        assert torch.allclose(found[name], expected[name], atol=2e-5), name


def test_a_text_without_a_piece_is_zero() -> None:
    network, batch = NETWORKS["mean", "gelu"], batch_of([5, 9])
    batch["mask"][0] = False
    found = packed(network)(batch)
    assert all(not rows[0].any() for rows in found.values())
    assert torch.allclose(found["pooled"], whole(network, batch)["pooled"], atol=2e-5)
    batch["mask"][:] = False
    assert all(not rows.any() for rows in packed(network)(batch).values())


def test_it_stops_at_the_deepest_layer_and_keeps_the_order_of_names() -> None:
    network = NETWORKS["mean", "gelu"]
    found = packed(network, layers=("layers.1", "embeddings"))(batch_of([7]))
    assert list(found) == ["layers.1", "embeddings"]
    assert len(packed(network, layers=("embeddings",))._stack) == 0


def test_half_the_digits_are_near() -> None:
    network, batch = NETWORKS["mean", "gelu"], batch_of([3, 17, 40, 55])
    found, expected = packed(network, torch.bfloat16)(batch), whole(network, batch)
    for name in LAYERS:
        assert found[name].dtype == torch.float32
        assert torch.allclose(found[name], expected[name], atol=0.06, rtol=0.02), name


def test_other_networks_and_other_nodes_are_left_to_pytorch() -> None:
    assert packed_bert(build_seeded("resnet18", 2, 0), ("avgpool",)) is None
    assert packed_bert(NETWORKS["mean", "gelu"], ("layers.1.norm",)) is None
    assert packed_bert(NETWORKS["mean", "gelu"], ("layers.3",)) is None
