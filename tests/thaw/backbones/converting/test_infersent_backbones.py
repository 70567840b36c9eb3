"""InferSent's files beside the paper's equations in NumPy, and the files that are refused."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from lstm_equations import states
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.blocks import blocks_of, spread_layers
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.texts.moses_preprocessing import MosesPreprocessing
from thaw.params.sections import BackboneParams

DIM, CELL = 4, 6
LAYERS = ("words", "mean", "maximum")
WORDS = ("<s>", "</s>", "<p>", "</p>", "The", "the", "film", "is", "n't", "n", "'t", "good", ",", "dull", ".")
TEXTS = (
    "The film is n't good , is n't the film dull .",
    "Good",
    "the",
    "qwertzuiop film",
    "film qwertzuiop asdf film .",
)


def vectors() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(0)
    return {word: chance.normal(size=DIM).astype(np.float32) for word in WORDS}


def words_file(path: Path, *without: str) -> Path:
    lines = [
        f"{word} {' '.join(str(float(each)) for each in row)}\n"
        for word, row in vectors().items()
        if word not in without
    ]
    path.write_text("".join(lines))
    return path


def state() -> dict[str, Tensor]:
    """Tensors by the names of the published files; there H is 2,048 and D 300."""
    chance = torch.Generator().manual_seed(0)
    sizes = {
        "weight_ih_l0": (4 * CELL, DIM),
        "weight_hh_l0": (4 * CELL, CELL),
        "bias_ih_l0": (4 * CELL,),
        "bias_hh_l0": (4 * CELL,),
    }
    return {
        f"enc_lstm.{name}{end}": torch.randn(size, generator=chance)
        for end in ("", "_reverse")
        for name, size in sizes.items()
    }


def wanted(text: str, version: int, *, marks: bool = True) -> np.ndarray:
    """The states of one text, [T, 2 H]."""
    tensors = {name.removeprefix("enc_lstm."): tensor.double().numpy() for name, tensor in state().items()}
    words = text.replace("n't", "n 't").split() if version == 2 else text.split()
    around = (("<s>", "</s>") if version == 1 else ("<p>", "</p>")) if marks else ("", "")
    known = [word for word in (around[0], *words, around[1]) if word in WORDS]
    rows = np.array([vectors()[word] for word in known], np.float64)
    both = []
    for end, step in (("", 1), ("_reverse", -1)):
        bias = tensors[f"bias_ih_l0{end}"] + tensors[f"bias_hh_l0{end}"]
        both.append(states(rows[::step], tensors[f"weight_ih_l0{end}"], tensors[f"weight_hh_l0{end}"], bias)[::step])
    return np.concatenate(both, 1)


def converted(folder: Path, version: int = 1, *, old: bool = False, without: tuple[str, ...] = ()) -> Backbone:
    source, out = folder / f"infersent{version}.pkl", folder / "out.safetensors"
    torch.save(state(), source, _use_new_zipfile_serialization=not old)
    convert(Source(source, words_file(folder / "words.txt", *without)), out)
    return read_backbone(BackboneParams(weights=str(out), layers=LAYERS))


def batch_of(backbone: Backbone, *texts: str) -> Batch:
    return stacked([backbone.preprocessing.prepare(text.encode()) for text in texts])  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("old", [False, True])
def test_the_layers_follow_the_equations_and_padding_never_counts(version: int, old: bool, tmp_path: Path) -> None:
    backbone = converted(tmp_path, version, old=old)
    assert backbone.architecture == f"infersent-{len(WORDS)}x{DIM}-{CELL}" and backbone.layers == LAYERS
    found = backbone.features(batch_of(backbone, *TEXTS))
    turned = backbone.features(batch_of(backbone, *reversed(TEXTS)))["maximum"].flip(0)
    assert torch.allclose(turned, found["maximum"], atol=1e-6)
    for row, text in enumerate(TEXTS):
        own = wanted(text, version)
        assert found["maximum"][row].numpy() == pytest.approx(own.max(0), abs=1e-5), text
        assert found["mean"][row].numpy() == pytest.approx(own.mean(0), abs=1e-5), text
        words = text.replace("n't", "n 't").split() if version == 2 else text.split()
        known = [vectors()[word] for word in words if word in WORDS]
        average = np.mean(known, 0) if known else np.zeros(DIM)
        assert found["words"][row].numpy() == pytest.approx(average, abs=1e-6), text
    assert (found["maximum"][2] < 0).any(), "with padding in the maximum there were none below 0"


def test_marks_and_words_without_a_vector_are_passed_over(tmp_path: Path) -> None:
    backbone = converted(tmp_path, without=("<s>", "</s>"))
    found = backbone.features(batch_of(backbone, TEXTS[4], "qwertzuiop"))
    assert found["maximum"][0].numpy() == pytest.approx(wanted(TEXTS[4], 1, marks=False).max(0), abs=1e-5)
    assert not found["maximum"][1].any() and not found["words"][1].any()
    assert backbone.unknown_share(batch_of(backbone, TEXTS[4], "qwertzuiop")) == pytest.approx(3 / 6)
    made = convert(Source(tmp_path / "infersent1.pkl", tmp_path / "words.txt"), tmp_path / "again.safetensors")
    assert made.notes == (
        f"InferSent 1, by the file's name; {len(WORDS) - 2} words, {DIM} dimensions",
        "the vectors have no <s> and no </s>, so texts are read without it, as InferSent does",
    )


def test_the_second_version_cuts_words_in_its_own_way(tmp_path: Path) -> None:
    assert converted(tmp_path, 2).preprocessing == MosesPreprocessing()


def test_blocks_cut_layers_and_random_weights(tmp_path: Path) -> None:
    backbone = converted(tmp_path)
    assert [block.output for block in blocks_of(backbone.model)] == ["embeddings", "maximum"]
    assert spread_layers(backbone.model) == LAYERS
    random = backbone.randomised(1)
    batch = batch_of(backbone, "the film", "qwertzuiop")
    assert random.unknown_share(batch) == backbone.unknown_share(batch), "the vocabulary stays"
    assert not torch.allclose(random.features(batch)["maximum"], backbone.features(batch)["maximum"], atol=1e-3)


def test_one_exported_graph_takes_texts_of_any_length(tmp_path: Path) -> None:
    backbone = converted(tmp_path)
    torch.nn.init.ones_(backbone.model.fc.weight)  # type: ignore[union-attr, arg-type]
    batches = [batch_of(backbone, *texts) for texts in (TEXTS, TEXTS[2:3], ("the film " * 200, "dull"))]
    one_graph_gives_the_same(backbone.model, batch_of(backbone, *TEXTS[:1] * 2), batches)


class Evil:
    """An object whose pickle runs a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def test_a_file_with_code_is_refused_and_never_run(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    words = words_file(tmp_path / "words.txt")
    for name, write in (
        ("infersent1.pkl", lambda path: torch.save({**state(), "x": Evil()}, path)),
        ("infersent2.pkl", lambda path: path.write_bytes(pickle.dumps(Evil()))),
    ):
        write(tmp_path / name)
        with pytest.raises(
            BadWeights,
            match=rf"{name} .*plain tensors are loaded.*`torch\.save\(model\.state_dict\(\), '{name}'\)` in the program",
        ):
            convert(Source(tmp_path / name, words), tmp_path / "out.safetensors")
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out.safetensors").exists()


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    source, words = tmp_path / "infersent1.pkl", words_file(tmp_path / "words.txt")

    def refused(match: str, tensors: dict[str, Tensor], file: Path = source, given: Path | None = words) -> None:
        torch.save(tensors, file)
        with pytest.raises(BadWeights, match=match):
            convert(Source(file, given), tmp_path / "out.safetensors")
        assert not (tmp_path / "out.safetensors").exists()

    refused(r"comes without its word vectors; give them too: `--words glove\.840B\.300d\.txt`", state(), given=None)
    refused(r"`--words crawl-300d-2M\.vec`", state(), tmp_path / "infersent2.pkl", None)
    refused(r"no\.txt is no file; --words takes", state(), given=tmp_path / "no.txt")
    refused(r"infersent1\.pkl holds no word vectors; --words takes", state(), given=source)
    refused(
        "its name does not tell the version.*rename it to infersent1.pkl or infersent2.pkl",
        state(),
        tmp_path / "model.pkl",
    )
    (tmp_path / "short.txt").write_text("the 1 2 3\nfilm 1 2 3\n")
    refused(r"short\.txt has 3 dimensions, and .*infersent1\.pkl takes 4", state(), given=tmp_path / "short.txt")
    lacking = state()
    del lacking["enc_lstm.bias_hh_l0_reverse"]
    refused("`enc_lstm.bias_hh_l0_reverse` is missing", lacking)
    refused(r"`enc_lstm.weight_hh_l0` is \(3, 3\)", state() | {"enc_lstm.weight_hh_l0": torch.zeros(3, 3)})
    refused("holds no network and no word vectors", {"other": torch.zeros(3)})
    source.write_bytes(b"\x80\x02damaged")
    with pytest.raises(BadWeights, match=r"infersent1\.pkl is damaged"):
        convert(Source(source, words), tmp_path / "out.safetensors")
