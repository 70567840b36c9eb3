"""Averaged word vectors beside NumPy."""

from pathlib import Path

import numpy as np
import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone, read_written_backbone, write_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.vector_files import read_vectors
from thaw.backbones.encoders.word_vectors import Find
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.word_keys import words_of
from thaw.params.sections import BackboneParams

LAYERS = ("mean", "weighted", "maximum")
TEXTS = ("the cat sat on the mat .", "A film that isn't good, but is never dull; qwertzuiop!", "qwertzuiop", "the")


@pytest.fixture(scope="module")
def glove(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("vectors") / "glove.safetensors"
    converted = convert(Source(real_data / "text/vectors/glove.6B.50d.first10000.txt"), out)
    assert converted.architecture == "word_vectors-10000x50" and converted.notes == ("10,000 words, 50 dimensions",)
    return out


@pytest.fixture(scope="module")
def backbone(glove: Path) -> Backbone:
    return read_backbone(BackboneParams(weights=str(glove), layers=LAYERS))


def features(backbone: Backbone, *texts: str) -> dict[str, torch.Tensor]:
    preprocessing = backbone.preprocessing
    return backbone.features(stacked([preprocessing.prepare(text.encode()) for text in texts]))  # type: ignore[attr-defined]


def test_the_layers_are_those_of_the_paper(backbone: Backbone, real_data: Path) -> None:
    vectors = read_vectors(real_data / "text/vectors/glove.6B.50d.first10000.txt")
    place = {word: row for row, word in enumerate(vectors.words)}
    found = features(backbone, *TEXTS)
    for number, text in enumerate(TEXTS):
        rows = [place[word] for word in words_of(text, lowercase=True) if word in place]
        known = vectors.vectors[rows].astype(np.float64)
        probability = 1 / ((np.array(rows) + 1) * np.log(len(place) + 1))
        weight = 1e-3 / (1e-3 + probability)
        wanted = {
            "mean": known.mean(0) if rows else np.zeros(50),
            "maximum": known.max(0) if rows else np.zeros(50),
            "weighted": (weight @ known) / weight.sum() if rows else np.zeros(50),
        }
        for layer, row in wanted.items():
            assert found[layer][number].numpy() == pytest.approx(row, abs=1e-6), (layer, text)


def test_neither_the_order_nor_the_batch_matters(backbone: Backbone) -> None:
    together = features(backbone, *TEXTS)
    for number, text in enumerate(TEXTS):
        alone = features(backbone, text)
        for layer in LAYERS:
            assert torch.allclose(alone[layer][0], together[layer][number], atol=1e-6)


def test_the_share_of_unknown_words_is_told(backbone: Backbone) -> None:
    preprocessing = backbone.preprocessing
    batch = stacked([preprocessing.prepare(text) for text in (b"the cat qwertzuiop", b"zyxwvu")])  # type: ignore[attr-defined]
    assert backbone.unknown_share(batch) == pytest.approx(2 / 4), "padding is no word"
    assert backbone.has_vocabulary


def test_layers_run_in_their_own_order_and_the_mean_is_the_default(backbone: Backbone, glove: Path) -> None:
    assert backbone.layers == ("maximum", "weighted", "mean")
    assert read_backbone(BackboneParams(weights=str(glove))).layers == ("mean",)
    (block,) = blocks_of(backbone.model)
    assert block.output == "mean" and "vectors" in block.tensors
    with pytest.raises(BadParameters, match=r"backbone\.layers: last given; word_vectors-10000x50 has"):
        read_backbone(BackboneParams(weights=str(glove), layers=("last",)))


def test_random_vectors_keep_the_vocabulary(backbone: Backbone) -> None:
    random = features(backbone.randomised(1), *TEXTS)["mean"]
    assert random[0].abs().sum() > 0 and not random[2].any(), "known words have vectors, and unknown ones have none"
    assert not torch.allclose(random[0], features(backbone, TEXTS[0])["mean"][0])


def test_it_is_the_same_after_it_is_written_and_read(backbone: Backbone, tmp_path: Path) -> None:
    write_backbone(backbone.only(("mean",)), tmp_path)
    again = read_written_backbone(tmp_path)
    assert torch.equal(features(again, *TEXTS)["mean"], features(backbone, *TEXTS)["mean"])
    assert again.fingerprint("float32", "float32") == backbone.fingerprint("float32", "float32")


@pytest.mark.parametrize("count", [1, 2, 3, 8, 100])
def test_binary_search(count: int) -> None:
    keys = torch.arange(count) * 10 - 50
    wanted = torch.arange(-70, 10 * count).view(1, -1)
    expected = (torch.searchsorted(keys, wanted, right=True) - 1).clamp(min=0)
    assert torch.equal(Find(count)(keys, wanted), expected)


def test_capitals_count_where_the_vocabulary_has_them(tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text("4 2\nParis 1 0\nparis 0 1\nLondon 1 1\nof 0 0\n")
    convert(Source(tmp_path / "v.vec"), tmp_path / "v.safetensors")
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "v.safetensors")))
    assert features(backbone, "Paris", "paris", "PARIS")["mean"].tolist() == [[1, 0], [0, 1], [0, 0]]


def test_vectors_as_weights_say_how_to_convert_them(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "text/gensim/test_glove.txt"
    with pytest.raises(BadWeights, match=r"holds word vectors; `thaw convert .*test_glove\.txt vectors\.safetensors`"):
        read_backbone(BackboneParams(weights=str(path)))
    for source, says in (
        (tmp_path, "holds no network"),
        (tmp_path / "no.txt", "does not exist"),
        (Path("README.md"), "holds no network and no word vectors"),
    ):
        with pytest.raises(BadWeights, match=says):
            convert(Source(source), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
