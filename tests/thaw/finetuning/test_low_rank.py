"""Low-rank adapters on networks of every kind: what is frozen, what is trained, and what is merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from digit_images import desk_in, digit_images, embedded, features_of, start_on
from encoder_folders import tiny_tokenizer
from small_encoder import SHAPE, WINDOW
from torch import Tensor, nn

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.blocks import Block
from thaw.backbones.encoders.word_vectors import architecture_of
from thaw.backbones.weights import Weights
from thaw.finetuning.fitting import finetune
from thaw.finetuning.low_rank import ADAPTER, LowRank, add_adapters
from thaw.finetuning.network import Network, build_network
from thaw.finetuning.pilot import FinetuningPilot
from thaw.foundation.errors import BadParameters
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.kinds.batches import Batch, laid_out, stacked
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.kind import Preprocessing as AnyPreprocessing
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy

PARAMS = FinetuneParams.model_validate({"lora": {"rank": 2}})
HALF = (0.5, 0.5, 0.5)
DINOV2 = "hf/dinov2?hidden_size=32&num_hidden_layers=2&num_attention_heads=2&image_size=28&patch_size=14"
WAV2VEC2 = "wav2vec2-16-2x2x24-group-8k10s5x8k3s2x8k3s2x8k3s2x8k3s2x8k2s2x8k2s2-16x4-post-eps5"
WORDS = architecture_of(5, 8)
PREPROCESSING: Mapping[str, AnyPreprocessing] = {
    DINOV2: Preprocessing(resize=28, crop=28, interpolation="bicubic", mean=HALF, std=HALF),
    SHAPE.architecture: PiecePreprocessing(tokenizer=tiny_tokenizer().to_str(), max_tokens=WINDOW),
    WAV2VEC2: WaveformPreprocessing(),
    WORDS: WordPreprocessing(),
}
ADAPTED: Mapping[str, set[str]] = {
    "timm/test_efficientnet": {"blocks.1.0.conv_exp", "conv_head"},
    "timm/test_vit": {"blocks.0.attn.qkv", "blocks.0.attn.proj", "blocks.5.mlp.fc2"},
    "timm/test_convnext": {"stages.3.blocks.0.mlp.fc1", "stages.0.blocks.0.mlp.fc2"},
    DINOV2: {"layers.0.attention.q_proj", "layers.1.mlp.fc1"},
    SHAPE.architecture: {"layers.0.attention.queries_keys_values", "layers.2.outer"},
    WAV2VEC2: {"layers.0.attention.joined", "layers.1.inner"},
}
"""Networks, and some of their layers that have adapters."""


def small(architecture: str) -> Backbone:
    network, chance = build_seeded(architecture, 2, 0), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():  # scales of layers that begin at zero would hide errors
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=chance))
    stated = PREPROCESSING.get(architecture) or default_preprocessing(architecture, Path("drawn.safetensors"))
    return cut(architecture, Weights(network.state_dict(), {}), ("auto",), stated)


def inputs_of(backbone: Backbone) -> Batch:
    """Two prepared examples."""
    chance = torch.Generator().manual_seed(1)
    match backbone.kind.name:
        case "images":
            return torch.randint(256, (2, *backbone.preprocessing.blank().shape), generator=chance, dtype=torch.uint8)  # type: ignore[union-attr]
        case "sounds":
            return stacked([framed(0.1 * torch.randn(length, generator=chance), 16_000) for length in (9_000, 7_000)])
        case _:
            return stacked([prepared(torch.randint(5, 15, (length,), generator=chance)) for length in (9, 5)])


def lora_on(backbone: Backbone) -> Network:
    features = backbone.features(inputs_of(backbone))[backbone.layers[-1]]
    dim, chance = features.shape[1], torch.Generator().manual_seed(2)
    weights = torch.randn(3, dim, generator=chance) / features.abs().max()
    head = LogisticModel(Standardisation(torch.zeros(dim), torch.ones(dim), torch.inf), weights, torch.zeros(3))
    return build_network(backbone, Strategy("lora", backbone.layers[-1]), head, PARAMS)


def adapters_in(part: nn.Module) -> dict[str, LowRank]:
    upper = part.get_submodule("upper").named_modules()
    return {name.removesuffix(f".{ADAPTER}"): module for name, module in upper if isinstance(module, LowRank)}


def logits_of(network: Network) -> Tensor:
    backbone = network.backbone
    found: Tensor = network.part.eval()(laid_out(backbone.preprocessing.normalise(inputs_of(backbone))))
    return found


@pytest.mark.parametrize("architecture", ADAPTED)
def test_adapters_begin_as_nothing_learn_and_are_merged(architecture: str) -> None:
    backbone = small(architecture)
    network = lora_on(backbone)
    adapters, head = adapters_in(network.part), network.part.head.model()
    assert set(adapters) >= ADAPTED[architecture]
    before = backbone.features(inputs_of(backbone))[backbone.layers[-1]].clone()
    torch.testing.assert_close(logits_of(network).detach(), head.logits(before), atol=1e-4, rtol=1e-4)

    logits_of(network).square().sum().backward()
    trained = {name: parameter for _, name, parameter in network.trained()}
    assert {name for name in trained if ADAPTER not in name} == {"head.weight", "head.bias"}
    assert len(trained) == 2 * len(adapters) + 2
    assert all(parameter.grad is not None for parameter in trained.values())
    assert max(depth for depth, _, _ in network.trained()) > 1

    with torch.no_grad():
        for adapter in adapters.values():
            adapter.up.normal_(std=0.02, generator=torch.Generator().manual_seed(3))
    result = network.result()
    after = result.features(inputs_of(backbone))[backbone.layers[-1]].clone()
    assert (after - before).abs().max() > 1e-2 * before.abs().max()
    torch.testing.assert_close(logits_of(network).detach(), head.logits(after), atol=1e-3, rtol=1e-3)
    old, new = backbone.model.state_dict(), result.model.state_dict()
    assert {name for name in old if not torch.equal(old[name], new[name])} == {f"{name}.weight" for name in adapters}


class Attentive(nn.Module):
    """A layer, and PyTorch's attention, which reads the weights of its last map and does not run it."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.map = nn.Linear(16, 16)
        self.read = nn.Linear(16, 16)

    def forward(self, batch: Tensor) -> Tensor:
        mapped = nn.functional.linear(self.map(batch), self.read.weight)
        attended: Tensor = self.attention(mapped, mapped, mapped)[0]
        return attended


def test_layers_whose_weights_alone_are_read_have_no_adapter() -> None:
    part = nn.Sequential()
    part.add_module("upper", Attentive())
    block = Block("", (), tuple(part.get_submodule("upper").state_dict()))
    assert add_adapters(part, [block], torch.zeros(1, 4, 16), PARAMS.lora, seed=0) == ("map",)


def test_frozen_weights_stay_bit_identical_and_a_change_has_the_rank_of_its_adapter(tmp_path: Path) -> None:
    images, start = digit_images(0, 60), start_on(digit_images(0, 60))
    model = start.head.model
    assert isinstance(model, LogisticModel)
    ignorant = replace(start.head, model=replace(model, weights=0.1 * model.weights.roll(1, 0)))
    settings = {"epochs": 2, "batch_size": 16, "precision": "float32", "lora": {"rank": 2, "learning_rate": 0.01}}
    tuned = finetune(
        replace(start, head=ignorant),
        images,
        digit_images(60, 60),
        Strategy("lora", embedded().layers[-1]),
        FinetuneParams.model_validate(settings),
        desk=desk_in(tmp_path),
    )
    assert tuned.epochs > 0 and tuned.history[tuned.epochs].val_loss < tuned.history[0].val_loss  # type: ignore[operator]
    assert embedded().is_unchanged()
    old, new = embedded().model.state_dict(), tuned.predictor.backbone.model.state_dict()
    changes = {name: new[name] - old[name] for name in old if not torch.equal(old[name], new[name])}
    assert old.keys() == new.keys() and set(changes) >= {"layer1.0.conv1.weight", "layer3.0.conv2.weight"}
    assert all(name.endswith("weight") and change.dim() == 4 for name, change in changes.items())
    assert all(int(torch.linalg.matrix_rank(change.flatten(1), rtol=1e-3)) <= 2 for change in changes.values())


def test_networks_without_layers_to_adapt_are_refused_and_not_offered(tmp_path: Path) -> None:
    words = small(WORDS)
    with pytest.raises(BadParameters, match=r"adapters of rank 2 make smaller; set finetune.lora.rank lower, or"):
        lora_on(words)
    images = digit_images(0, 6)

    def offered(backbone: Backbone, rank: int) -> list[str]:
        features, params = features_of(embedded(), images), FinetuneParams.model_validate({"lora": {"rank": rank}})
        layer, desk = backbone.layers[-1], desk_in(tmp_path)
        pilot = FinetuningPilot(backbone, layer, lambda: images, features, HeadParams(), params, desk)
        return [strategy.kind for strategy in pilot.strategies]

    assert "lora" in offered(embedded(), 2)
    assert "lora" not in offered(embedded(), 1000) and "lora" not in offered(words, 2)
