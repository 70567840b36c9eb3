"""`.pt2` files: what lies in them, and that nothing pickled is written or read."""

import json
import zipfile
from pathlib import Path

import pytest
import torch
from exports import images, model

from thaw.foundation.errors import BadExport
from thaw.models.exporting.graph import export_program
from thaw.models.exporting.torch_format import read_program, write_program


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pt2") / "model.pt2"
    write_program(export_program(model("knn")), path)
    return path


def is_pickle(content: bytes) -> bool:
    """As torch writes it: a pickle, or an archive of one."""
    return content[:2] == b"\x80\x02" or content[:4] == b"PK\x03\x04"


def test_it_holds_json_and_raw_tensors_alone(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert not [name for name, content in contents.items() if is_pickle(content)]
    tensors = json.loads(contents["model/data/constants/model_constants_config.json"])["config"]
    assert tensors and not any(entry["use_pickle"] for entry in tensors.values())


def test_it_is_read_again(file: Path) -> None:
    (found,) = read_program(file).run(torch.stack(images("knn", 3)))
    assert (found == model("knn").predict(images("knn", 3)).probabilities).all()


def test_one_with_a_pickle_is_not_read(tmp_path: Path) -> None:
    program = torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),))
    torch.export.save(program, tmp_path / "model.pt2")  # with its example inputs, as torch does by itself
    with pytest.raises(BadExport, match=r"holds pickled objects \(model/data/sample_inputs/model.pt\)"):
        read_program(tmp_path / "model.pt2")


def test_one_whose_tensors_are_called_pickled_is_not_read(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "model.pt2", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"use_pickle": false', b'"use_pickle": true'))
    with pytest.raises(BadExport, match="holds pickled objects"):
        read_program(tmp_path / "model.pt2")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_such_file_is_said_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(content)
    with pytest.raises(BadExport, match=r"is no \.pt2 file of torch\.export"):
        read_program(tmp_path / "model.pt2")
