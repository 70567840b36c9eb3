"""fastText's own files, beside gensim."""

import random
import string
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.fasttext_files import MAGIC, is_fasttext, read_fasttext
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import stacked
from thaw.params.sections import BackboneParams

LETTERS = string.ascii_letters + "éßяжअि日"


def unknown_words(count: int, known: set[str]) -> list[str]:
    chance = random.Random(0)
    words = ("".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 25))) for _ in range(2 * count))
    return [word for word in words if word not in known][:count]


def features(backbone: Backbone, *texts: str, layer: str = "mean") -> torch.Tensor:
    preprocessing = backbone.preprocessing
    batch = stacked([preprocessing.prepare(text.encode()) for text in texts])  # type: ignore[attr-defined]
    return backbone.features(batch)[layer]


@pytest.mark.parametrize("name", ["lee_fasttext_new.bin", "crime-and-punishment.bin"])
def test_known_and_unknown_words_have_the_vectors_of_gensim(real_data: Path, tmp_path: Path, name: str) -> None:
    from gensim.models.fasttext import load_facebook_vectors

    source = real_data / "text/gensim" / name
    reference, model = load_facebook_vectors(str(source)), read_fasttext(source)
    assert is_fasttext(source) and model.words == reference.index_to_key
    assert model.vectors == pytest.approx(reference.vectors, abs=1e-6)
    assert model.counts.tolist() == [reference.get_vecattr(word, "count") for word in model.words]
    converted = convert(Source(source), tmp_path / "v.safetensors")
    assert converted.architecture == f"subword_vectors-{len(model.words)}x{model.vectors.shape[1]}-{len(model.grams)}"
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "v.safetensors")))
    lowercase = backbone.preprocessing.lowercase  # type: ignore[attr-defined]
    words = [*unknown_words(100, set(model.words)), *(word for word in model.words[:200] if word.isalpha())]
    words = [word.lower() if lowercase else word for word in words]
    words = [word for word in words if len(word) > 1 and not set(word) & set("日ि")]  # each is one word for Thaw too
    assert len(words) > 200
    wanted = np.stack([reference[word] for word in words])
    assert features(backbone, *words).numpy() == pytest.approx(wanted, abs=1e-6)


def test_a_text_is_the_mean_of_its_words_in_any_batch(real_data: Path, tmp_path: Path) -> None:
    convert(Source(real_data / "text/gensim/lee_fasttext_new.bin"), tmp_path / "v.safetensors")
    layers = ("maximum", "weighted", "mean")
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "v.safetensors"), layers=layers))
    texts = ("the government of Qwertzland", "the", "Qwertzland", "no parts: a")
    words = features(backbone, "the", "government", "of", "Qwertzland")
    assert torch.allclose(features(backbone, texts[0])[0], words.mean(0), atol=1e-6)
    assert torch.allclose(features(backbone, texts[0], layer="maximum")[0], words.amax(0), atol=1e-6)
    for layer in layers:
        together = features(backbone, *texts, layer=layer)
        alone = torch.cat([features(backbone, text, layer=layer) for text in texts])
        assert torch.allclose(together, alone, atol=1e-6)
    assert read_backbone(BackboneParams(weights=str(tmp_path / "v.safetensors"))).layers == ("mean",)


def test_a_supervised_model_has_no_subwords(real_data: Path, tmp_path: Path) -> None:
    model = read_fasttext(real_data / "text/gensim/pang_lee_polarity_fasttext.bin")
    assert model.vectors.shape == (1694, 100) and not len(model.grams) and model.words[:2] == [".", "the"]
    converted = convert(Source(real_data / "text/gensim/pang_lee_polarity_fasttext.bin"), tmp_path / "v.safetensors")
    assert converted.architecture.startswith("word_vectors-")


def written(*, version: int = 12, pruned: int = -1, quantised: bool = False, cut: int = 0) -> bytes:
    """A model of one word with two dimensions and three buckets."""
    args = (2, 5, 5, 1, 5, 1, 1, 2, 3, 2, 3, 100)
    head = MAGIC + struct.pack("<i12id", version, *args, 1e-4) + struct.pack("<3i2q", 1, 1, 0, 9, pruned)
    rows = np.arange(8, dtype="<f4").tobytes()
    content = head + b"ab\0" + struct.pack("<qb?2q", 9, 0, quantised, 4, 2) + rows
    return content[: len(content) - cut]


def test_the_format_by_hand(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(written())
    model = read_fasttext(tmp_path / "m.bin")
    assert (model.words, model.counts.tolist(), model.shortest, model.longest) == (["ab"], [9], 2, 3)
    assert model.grams.tolist() == [[2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (written(version=13), "an old or a newer version of fastText's format"),
        (written(pruned=3), "is pruned"),
        (written(quantised=True), r"is quantised \(`\.ftz`\)"),
        (written(cut=1), "is damaged or cut short"),
        (written(cut=30), "is damaged or cut short"),
        (MAGIC, "is damaged or cut short"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(BadWeights, match=says):
        convert(Source(tmp_path / "m.bin"), tmp_path / "out.safetensors")
    with pytest.raises(BadWeights, match=r"holds word vectors; `thaw convert"):
        read_backbone(BackboneParams(weights=str(tmp_path / "m.bin")))


def test_the_first_format_is_refused(real_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="fastText, but not of its first format"):
        convert(Source(real_data / "text/gensim/non_ascii_fasttext.bin"), tmp_path / "out.safetensors")
