"""Doc2Vec's network beside a plain NumPy transcription of its objective."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.encoders.paragraph_vectors import architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

WORDS = [f"word{number}" for number in range(200)]
TEXTS = ("word1 word2 unheard word3 word1", "word7", "unheard of", " ".join(WORDS[50:120]), "word1 word2")
NEGATIVE = 5
WINDOWS = pytest.mark.parametrize("window", [None, 2])


def tensors_of(window: int | None) -> dict[str, Tensor]:
    state = dict(build_seeded(architecture_of(200, 16, window, NEGATIVE), 1, seed=3).state_dict())
    state["keys"] = torch.tensor(sorted(key_of(word) for word in WORDS))
    return state


def backbone(window: int | None) -> Backbone:
    weights = Weights(tensors_of(window), {})
    return cut(architecture_of(200, 16, window, NEGATIVE), weights, ("auto",), WordPreprocessing())


def features(network: Backbone, *texts: str) -> NDArray[np.float32]:
    batch = stacked([WordPreprocessing().prepare(text.encode()) for text in texts])
    return network.features(batch)["inferred"].numpy()


def objective(tensors: Mapping[str, Tensor], text: str, window: int | None, vector: NDArray[np.float64]) -> float:
    """What the vector of a text maximises, word by word."""
    place = {int(key): row for row, key in enumerate(tensors["keys"])}
    rows = [place.get(key_of(word)) for word in text.split()]
    outputs = tensors["outputs"].double().numpy()
    noise = outputs[tensors["noise"].numpy()]
    total = []
    for number, row in enumerate(rows):
        if row is None:
            continue
        hidden = [vector]
        if window is not None:
            inputs = tensors["inputs"].double().numpy()
            near = range(max(0, number - window), min(len(rows), number + window + 1))
            hidden += [inputs[rows[other]] for other in near if other != number and rows[other] is not None]
        mean = np.mean(hidden, 0)
        total.append(-np.logaddexp(0, -outputs[row] @ mean) - NEGATIVE * np.logaddexp(0, noise @ mean).mean())
    return float(np.mean(total))


@WINDOWS
def test_it_climbs_the_objective_of_the_paper(window: int | None) -> None:
    tensors, network = tensors_of(window), backbone(window)
    for text, found in zip(TEXTS, features(network, *TEXTS), strict=True):
        if text == "unheard of":
            assert not found.any(), "no word is known"
            continue

        def height(vector: NDArray[np.float64], text: str = text) -> float:
            return -objective(tensors, text, window, vector)

        highest = -minimize(height, np.zeros(16)).fun
        start, reached = objective(tensors, text, window, np.zeros(16)), objective(tensors, text, window, found)
        assert reached - start > 0.9 * (highest - start) > 0


@WINDOWS
def test_neither_the_order_nor_the_batch_matters(window: int | None) -> None:
    network = backbone(window)
    together = features(network, *TEXTS)
    for number, text in enumerate(TEXTS):
        assert features(network, text)[0] == pytest.approx(together[number], abs=1e-5)
    assert np.array_equal(together, features(network, *TEXTS)), "nothing is drawn at random"


def test_the_share_of_unknown_words_is_told() -> None:
    batch = stacked([WordPreprocessing().prepare(text) for text in (b"word1 unheard word2", b"of")])
    assert backbone(None).unknown_share(batch) == pytest.approx(0.5)


@WINDOWS
def test_random_weights_keep_the_vocabulary(window: int | None) -> None:
    random = backbone(window).randomised(1)
    assert torch.equal(random.model.get_buffer("keys"), tensors_of(window)["keys"])
    assert np.isfinite(features(random, *TEXTS)).all()


@WINDOWS
def test_a_graph_of_it_takes_texts_of_any_length(window: int | None) -> None:
    network = backbone(window)
    batch = stacked([WordPreprocessing().prepare(text.encode()) for text in TEXTS[:3]])
    dynamic = {
        "tokens": {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},
        "mask": {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},
    }
    program = torch.export.export(network.extractor, (batch,), dynamic_shapes=(dynamic,)).module()
    other = stacked([WordPreprocessing().prepare(text.encode()) for text in TEXTS])
    assert torch.allclose(program(other)["inferred"], network.features(other)["inferred"], atol=1e-5)
