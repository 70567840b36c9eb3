"""The language model in one direction beside its equations in NumPy."""

import numpy as np
import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from lstm_equations import states
from torch import Tensor

from thaw.backbones.architectures import build, build_seeded, classifier_input, outline_of
from thaw.backbones.backbone import cut, read_written_backbone, write_backbone
from thaw.backbones.blocks import blocks_of, spread_layers
from thaw.backbones.encoders.lstm import LanguageModel
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import mapping_of, stacked
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing

NAME = "lstm-20x6-2x5"
TEXTS = ([3, 4, 5, 19, 0], [7], [1, -4, 2, 99], [50, 60])
"""Numbers of words; those below 0 and above 19 are unknown."""


def network(name: str = NAME) -> LanguageModel:
    built = build_seeded(name, 3, 0).eval()
    assert isinstance(built, LanguageModel)
    for layer in built.recurrent:
        torch.nn.init.normal_(layer.hidden, std=0.1)
        torch.nn.init.normal_(layer.cell, std=0.1)
    return built.requires_grad_(False)


def given(*texts: list[int]) -> dict[str, Tensor]:
    return dict(mapping_of(stacked([prepared(torch.tensor(text)) for text in texts])))


def by_equations(built: LanguageModel, text: list[int]) -> list[np.ndarray]:
    """The vectors of the known words, and the states of each layer, all [T, ...]."""
    rows = built.embeddings.vectors[[word for word in text if 0 <= word < 20]].double().numpy()
    found = [rows]
    for layer in built.recurrent:
        into, between, bias, hidden, cell = (
            each[0].double().numpy() for each in (layer.into, layer.between, layer.bias, layer.hidden, layer.cell)
        )
        found.append(states(found[-1], into.T, between.T, bias, begin=(hidden, cell)))
    return found


def test_every_layer_follows_the_equations_in_any_batch_and_unknown_words_are_passed_over() -> None:
    built = network()
    backbone = cut(NAME, Weights(built.state_dict(), {}), built.cut_layers, TreebankPreprocessing(lowercase=True))
    features = backbone.features(given(*TEXTS))
    for row, text in enumerate(TEXTS[:3]):
        words, first, second = by_equations(built, text)
        wanted = {
            "words": words.mean(0), "layers.0": first.mean(0), "layers.1": second.mean(0), "maximum": second.max(0),
            "last": second[-1], "joined": np.concatenate([second[-1], second.max(0), second.mean(0)]),
        }  # fmt: skip
        for layer, vector in wanted.items():
            assert features[layer][row].numpy() == pytest.approx(vector, abs=1e-6), (layer, text)
    assert not any(found[3].any() for found in features.values()), "a text without a known word is zero"
    assert backbone.unknown_share(given(*TEXTS)) == pytest.approx(4 / 12)


def test_the_order_of_words_counts() -> None:
    built = network()
    one, other = built(given([1, 2, 3], [3, 2, 1]))
    assert not torch.allclose(one, other, atol=1e-4)


def test_blocks_and_cut_layers_are_the_same_after_they_are_written_and_read(tmp_path: object) -> None:
    built = network()
    assert classifier_input(built) == "joined" and [block.output for block in blocks_of(built)][-1] == "joined"
    tensors = [name for block in blocks_of(built) for name in block.tensors]
    assert sorted(tensors) == sorted(name for name in built.state_dict() if not name.startswith("fc."))
    assert spread_layers(built)[-1] == "joined"
    backbone = cut(NAME, Weights(built.state_dict(), {}), built.cut_layers, TreebankPreprocessing(lowercase=True))
    write_backbone(backbone, tmp_path)  # type: ignore[arg-type]
    again = read_written_backbone(tmp_path).features(given(*TEXTS))  # type: ignore[arg-type]
    assert all(torch.equal(again[layer], found) for layer, found in backbone.features(given(*TEXTS)).items())


def test_gradients_reach_every_parameter() -> None:
    built = network().requires_grad_(True)
    built(given(*TEXTS)).square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.any() for each in built.parameters())


def test_one_exported_graph_takes_short_and_long_texts() -> None:
    one_graph_gives_the_same(network(), given([1, 2], [3]), [given(*TEXTS), given([4]), given([1, 2, 3] * 30, [5])])


@pytest.mark.parametrize("name", ["lstm-20x6", "lstm-0x6-1x5", "lstm-20x6-0x5", "lstm-20x6-1x5-2"])
def test_names_that_state_no_network_are_refused(name: str) -> None:
    with pytest.raises(BadParameters, match=name):
        build(name, 2)


def test_the_name_states_every_size() -> None:
    shapes = {name: tuple(each.shape) for name, each in outline_of("lstm-20000x100-2x300").tensors.items()}
    assert shapes["embeddings.vectors"] == (20000, 100) and shapes["recurrent.0.into"] == (1, 100, 1200)
    assert shapes["recurrent.1.into"] == (1, 300, 1200) and shapes["fc.weight"][1] == 900
