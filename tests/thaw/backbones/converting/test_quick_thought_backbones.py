"""Checkpoints of Quick-Thought that TensorFlow wrote, beside TensorFlow's own answers (`tests/fixtures/tensorflow/make.py`)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from thaw.backbones.backbone import read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing
from thaw.kinds.texts.word_keys import key_of
from thaw.params.sections import BackboneParams

FILES = Path(__file__).parents[3] / "fixtures/tensorflow"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FILES / "quick_thought_bi", tmp_path / "model"))


def features(source: Source, tmp_path: Path, words: list[list[str]]) -> dict[str, torch.Tensor]:
    convert(source, tmp_path / "out.safetensors")
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "out.safetensors"), layers=("f", "g", "joined")))
    return backbone.features(stacked([prepared(torch.tensor([key_of(word) for word in text])) for text in words]))


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [("uni", "12x4-uni3"), ("bi", "12x4-bi3"), ("bags", "12x4-bags"), ("shared", "12x4-bi3-shared")],
)
def test_features_are_tensorflows(kind: str, architecture: str, tmp_path: Path) -> None:
    source = Source(FILES / f"quick_thought_{kind}")
    assert convert(source, tmp_path / "out.safetensors").architecture == f"quick_thought-{architecture}"
    wanted = json.loads((source.path / "expected.json").read_text())
    found = features(source, tmp_path, wanted["words"])
    for layer in ("f", "g"):
        assert found[layer].numpy() == pytest.approx(np.array(wanted[layer]), abs=2e-6)
    assert torch.allclose(found["joined"], torch.cat([normalize(found["f"]), normalize(found["g"])], 1), atol=1e-6)


def test_unknown_words_have_the_first_row_and_capitals_count(tmp_path: Path) -> None:
    found = features(Source(FILES / "quick_thought_bags"), tmp_path, [["<unk>"], ["qwertzuiop"], ["cat"], ["Cat"]])["f"]
    assert torch.equal(found[0], found[1]) and not torch.equal(found[2], found[3])
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "out.safetensors")))
    assert backbone.preprocessing == TreebankPreprocessing(lowercase=False) and backbone.layers == ("joined",)


def test_a_checkpoint_may_be_named_by_its_index_its_prefix_or_the_folder_around_it(copy: Path, tmp_path: Path) -> None:
    moved = tmp_path / "around/train"
    shutil.copytree(copy, moved)
    (moved / "vocab.txt").rename(tmp_path / "around/BC_dictionary.txt")
    given = (copy, copy / "model.ckpt-7", copy / "model.ckpt-7.index", tmp_path / "around")
    names = {convert(Source(each), tmp_path / "out.safetensors").architecture for each in given}
    assert names == {"quick_thought-12x4-bi3"}


def test_a_checkpoint_of_the_first_version_gives_the_same_file(tmp_path: Path) -> None:
    folder, out = FILES / "quick_thought_bi", tmp_path / "out.safetensors"
    written = [
        (convert(Source(folder / name), out), out.read_bytes()) for name in ("model.ckpt-7", "first_version.ckpt")
    ]
    assert written[0] == written[1]


def test_the_list_of_words_may_lie_elsewhere_and_may_lack_the_unknown_one(copy: Path, tmp_path: Path) -> None:
    words = (copy / "vocab.txt").read_text().split("\n")
    (copy / "vocab.txt").unlink()
    with pytest.raises(
        BadWeights, match=r"no vocab\.txt or dictionary\.txt beside .*give the network's list of words with --words"
    ):
        convert(Source(copy), tmp_path / "out.safetensors")
    (tmp_path / "list").write_text("\n".join(words[1:]) + "\n")
    wanted = json.loads((copy / "expected.json").read_text())
    found = features(Source(copy, tmp_path / "list"), tmp_path, wanted["words"])
    assert found["f"].numpy() == pytest.approx(np.array(wanted["f"]), abs=2e-6)
    (tmp_path / "glove.txt").write_text("".join(f"{word} 0.5 1\n" for word in words[1:]))
    assert torch.equal(features(Source(copy, tmp_path / "glove.txt"), tmp_path, wanted["words"])["f"], found["f"])
    (tmp_path / "short").write_text("the\ncat\n")
    with pytest.raises(
        BadWeights, match=r"short has 2 words, and .*model\.ckpt-7 12 vectors; give its own list with --words"
    ):
        convert(Source(copy, tmp_path / "short"), tmp_path / "out.safetensors")


def test_the_larger_tables_that_the_authors_program_makes_come_first(copy: Path, tmp_path: Path) -> None:
    expanded = copy / "exp_vocab"
    expanded.mkdir()
    chance, words = np.random.default_rng(0), ["Paris", "cat", "<unk>"]
    tables = {name: chance.normal(size=(3, 4)) for name in ("word_embedding", "word_embedding_out")}
    for name, table in tables.items():
        (expanded / f"{name}.txt").write_text("\n".join(words))
        np.save(expanded / f"{name}.npy", table)
    assert convert(Source(copy), tmp_path / "out.safetensors").architecture == "quick_thought-3x4-bi3"
    (expanded / "word_embedding_out.txt").write_text("a\nb\n<unk>")
    with pytest.raises(BadWeights, match="the two encoders have different words"):
        convert(Source(copy), tmp_path / "out.safetensors")
    (expanded / "word_embedding_out.txt").write_text("\n".join(words))
    np.save(expanded / "word_embedding.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(BadWeights, match=r"word_embedding\.npy is missing, damaged, or holds Python objects"):
        convert(Source(copy), tmp_path / "out.safetensors")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            FILES / "numbers",
            "is no checkpoint of Quick-Thought, the only network whose checkpoints are read; it holds bfloat16, float16",
        ),
        (FILES / "numbers/first_version.ckpt", "there is no vocab.txt or dictionary.txt beside"),
    ],
)
def test_other_checkpoints_are_refused_by_name(source: Path, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=says):
        convert(Source(source), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
