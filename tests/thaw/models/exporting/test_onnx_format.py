"""ONNX files: names, types, and what is said where ONNX is missing."""

from pathlib import Path

import onnx
import pytest
import torch
from exports import images, model

from thaw.foundation.errors import BadExport
from thaw.models.exporting import onnx_format
from thaw.models.exporting.graph import export_program, outputs_of
from thaw.models.exporting.onnx_format import read_onnx, write_onnx


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, predictor = tmp_path_factory.mktemp("onnx") / "model.onnx", model("opened by mahalanobis")
    write_onnx(export_program(predictor), ["pixels"], [output.name for output in outputs_of(predictor)], path)
    return path


def test_inputs_and_outputs_have_their_names_types_and_a_batch_of_any_length(file: Path) -> None:
    graph = onnx.load(file).graph
    found = {
        value.name: [onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
                     *(each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim)]
        for value in (*graph.input, *graph.output)
    }  # fmt: skip
    assert found == {
        "pixels": ["uint8", "N", 3, 32, 32],
        "probabilities": ["float32", "N", 3],
        "known_score": ["float32", "N"],
        "accepted": ["bool", "N"],
    }
    onnx.checker.check_model(file, full_check=True)


def test_it_holds_no_path_of_this_machine_and_no_source_code(file: Path) -> None:
    content = file.read_bytes()
    assert str(Path.cwd()).encode() not in content and b"site-packages" not in content and b".py" not in content


def test_onnxruntime_runs_it(file: Path) -> None:
    predictor, pixels = model("opened by mahalanobis"), images("linear", 5)
    said, runner = predictor.predict(pixels), read_onnx(file)
    probabilities, known, accepted = runner.run(torch.stack(pixels))
    assert abs(probabilities - said.probabilities).max() < 1e-5 and abs(known - said.known_scores).max() < 1e-4
    assert (accepted == said.accepted).all() and runner.name.startswith("onnxruntime 1.")


def test_where_it_is_not_installed_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnx_format, "NEEDED", ("onnx", "onnx_of_tomorrow"))
    with pytest.raises(
        BadExport, match=r"needs onnx_of_tomorrow; run `make install`.*\.\[onnx\]'` in Thaw's folder; --format torch"
    ):
        write_onnx(export_program(model("linear")), ["pixels"], ["probabilities"], tmp_path / "model.onnx")


class Distances(torch.nn.Module):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")


def test_what_has_no_form_in_onnx_is_said_in_words(tmp_path: Path) -> None:
    program = torch.export.export(Distances(), (torch.zeros(2, 3),))
    with pytest.raises(BadExport, match=r"has no form in ONNX: .*cdist.*; try --format torch"):
        write_onnx(program, ["pixels"], ["distances"], tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
