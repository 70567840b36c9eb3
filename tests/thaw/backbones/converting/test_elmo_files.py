"""ELMo's files beside AllenNLP's outputs, and the files that are refused."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from elmo_folder import CELL, LONGEST, OPTIONS, STATE, elmo_folder
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_backbone, read_written_backbone, write_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing
from thaw.kinds.texts.characters import characters_of, sentence_marks
from thaw.params.sections import BackboneParams

LAYERS = ("characters", "layers.0", "layers.1", "mix")


def converted(source: Path, out: Path, *layers: str) -> Backbone:
    convert(Source(source), out)
    return read_backbone(BackboneParams(weights=str(out), layers=layers or LAYERS))


@pytest.fixture(scope="module")
def fixture(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    out = tmp_path_factory.mktemp("elmo") / "elmo.safetensors"
    return converted(real_data / "text/elmo", out)


def top(backbone: Backbone, words: np.ndarray) -> Tensor:
    """The last layer's vectors of one text, [T, 2 S]; words: int16 [T, L]."""
    tokens = torch.from_numpy(words)[None]
    places: Tensor = backbone.extractor({"tokens": tokens, "mask": torch.ones(tokens.shape[:2], dtype=torch.bool)})[
        "layers.1"
    ]
    return places[0]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_last_layer_is_that_of_allennlp(number: int, fixture: Backbone, real_data: Path) -> None:
    """AllenNLP's outputs are those of a network that never forgets: the state before a sentence is that behind the sentence before it.

    So each direction is compared on one long text, with the sentences in the order in which that direction meets them.
    """
    folder = real_data / "text/elmo"
    sentences = [
        characters_of(each.split(), 50) for each in json.loads((folder / "sentences.json").read_text())[number]
    ]
    between = sentence_marks(50)[::-1]
    with h5py.File(folder / f"lm_embeddings_{number}.hdf5") as file:
        wanted = [torch.from_numpy(file[str(each)][...]) for each in range(len(sentences))]
    for order, half in ((range(len(sentences)), 0), (reversed(range(len(sentences))), 1)):
        numbers = list(order)
        parts = [part for each in numbers for part in (between, sentences[each])][1:]
        found = top(fixture, np.concatenate(parts))[:, 16 * half : 16 * (half + 1)]
        for each in numbers:
            own, found = found[: len(sentences[each])], found[len(sentences[each]) + 2 :]
            assert (own - wanted[each][half]).abs().max() < 2e-6, each
    alone = top(fixture, sentences[0])
    assert (alone - torch.cat([wanted[0][0], wanted[0][1]], 1)).abs().max() < 2e-6, "a text begins after a mark"


def test_a_conversion_tells_what_it_made(tmp_path: Path) -> None:
    made = convert(Source(elmo_folder(tmp_path / "tiny")), tmp_path / "out.safetensors")
    assert made.architecture == f"elmo-262x3-1x4.3x6-relu-1-2x{CELL}x{STATE}-clip0.4x0.3"
    assert made.notes[0] == f"2 layers of 2 x {STATE} dimensions above the characters, and their mix"
    assert made.notes[1].startswith(f"words of up to {LONGEST - 2} bytes")


def test_one_of_the_two_files_names_them_both(tmp_path: Path) -> None:
    folder = elmo_folder(tmp_path / "tiny")
    whole = converted(folder, tmp_path / "out.safetensors")
    for name in ("weights.hdf5", "options.json"):
        assert converted(folder / name, tmp_path / "out.safetensors").weights_digest == whole.weights_digest
    for name in ("weights.hdf5", "options.json"):
        (folder / name).rename(folder / f"elmo_2x4096_512_{name}")
    for name in ("", "elmo_2x4096_512_weights.hdf5", "elmo_2x4096_512_options.json"):
        assert converted(folder / name, tmp_path / "out.safetensors").weights_digest == whole.weights_digest


def test_a_written_backbone_prepares_and_computes_the_same(tmp_path: Path) -> None:
    backbone = converted(elmo_folder(tmp_path / "tiny"), tmp_path / "out.safetensors", "layers.0")
    assert backbone.preprocessing == CharacterPreprocessing(longest=LONGEST)
    write_backbone(backbone, tmp_path)
    again = read_written_backbone(tmp_path)
    assert not any(name.startswith("recurrent.1") for name in backbone.needed_tensors())
    batch = stacked([CharacterPreprocessing(LONGEST).prepare(text.encode()) for text in ("a good film", "dull")])
    assert torch.equal(again.features(batch)["layers.0"], backbone.features(batch)["layers.0"])


def options(folder: Path, section: str, **values: object) -> None:
    (folder / "options.json").write_text(json.dumps(OPTIONS | {section: OPTIONS[section] | values}))


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    folder = elmo_folder(tmp_path / "tiny")
    kept = {path: path.read_bytes() for path in folder.iterdir()}

    def refused(match: str, source: Path = folder) -> None:
        with pytest.raises(BadWeights, match=match):
            convert(Source(source), tmp_path / "out.safetensors")
        assert not (tmp_path / "out.safetensors").exists()
        for path, content in kept.items():
            path.write_bytes(content)

    options(folder, "char_cnn", n_characters=261)
    refused(r"n_characters is 261; 262 is read")
    options(folder, "char_cnn", activation="gelu")
    refused("activation is gelu; relu and tanh are read")
    options(folder, "char_cnn", filters=[[0, 4]])
    refused(r"filters is \[\[0, 4\]\]; pairs")
    options(folder, "char_cnn", filters=7)
    refused("filters is 7; pairs")
    options(folder, "char_cnn", max_characters_per_token=3)
    refused("max_characters_per_token is less than 4")
    options(folder, "lstm", use_skip_connections=False)
    refused("use_skip_connections is not true")
    options(folder, "lstm", cell_clip=-1)
    refused(r"cell_clip and proj_clip are \[-1, 0.3\]")
    options(folder, "lstm", dim=True)
    refused(r"lstm\.dim is True; a number from 1 on")
    options(folder, "lstm", dim=CELL + 1)
    refused(r"`RNN_0/RNN/MultiRNNCell/Cell0/LSTMCell/W_0` is \(10, 28\), and its options.json states \(10, 32\)")
    options(folder, "lstm", n_layers=3)
    refused("has no `RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/W_0`")
    (folder / "options.json").write_text('{"lstm": {}}')
    refused(r"has no char_cnn\.n_characters")
    (folder / "options.json").write_text("{")
    refused("is no JSON, or damaged")
    (folder / "weights.hdf5").write_bytes(kept[folder / "weights.hdf5"][:3000])
    refused(r"weights\.hdf5 is damaged or cut short")
    (folder / "options.json").unlink()
    refused("is HDF5, which is read if it is ELMo's with its options.json beside it")
    (folder / "other_weights.hdf5").write_bytes(kept[folder / "weights.hdf5"])
    refused("holds other_weights.hdf5, weights.hdf5; name one of these files")


def test_without_limits_nothing_is_clipped(tmp_path: Path) -> None:
    folder = elmo_folder(tmp_path / "tiny")
    options(folder, "lstm", cell_clip=None, proj_clip=None)
    assert convert(Source(folder), tmp_path / "out.safetensors").architecture.endswith(f"2x{CELL}x{STATE}")


def test_without_the_package_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = elmo_folder(tmp_path / "tiny")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(BadParameters, match=r"is read by the package h5py, .*`pip install 'thaw\[texts\]'`"):
        convert(Source(folder), tmp_path / "out.safetensors")
