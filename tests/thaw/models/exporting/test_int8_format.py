"""Exports in integers of 8 bits: what is quantised, how far the answers move, and what is refused."""

import json
from pathlib import Path

import onnx
import pytest
import torch
from exports import ORIGIN, images, model, on_digits
from small_encoder import texts, write_encoder

from thaw.backbones.backbone import read_backbone
from thaw.foundation.errors import BadExport
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.exporting.checking import INT8
from thaw.models.exporting.folder import write_export
from thaw.models.exporting.formats import Format
from thaw.models.exporting.graph import export_program, inputs_of
from thaw.models.exporting.int8_format import write_int8
from thaw.models.exporting.onnx_format import read_onnx, write_onnx
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures


def integers_in(file: Path) -> list[str]:
    """The operations on integers of a graph, in order."""
    return [
        node.op_type for node in onnx.load(file).graph.node if "Linear" in node.op_type or "Integer" in node.op_type
    ]


def test_convolutions_take_constant_scales_of_training_examples(tmp_path: Path) -> None:
    predictor, folder = model("linear"), tmp_path / "out"
    done = write_export(
        predictor, ORIGIN, Format.INT8, images("linear", 40), folder=folder, calibration=images("linear", 20)
    )
    checked = done.card.checked
    assert done.card.format == "onnx-int8" and checked.tolerance == INT8
    assert checked.agreement.labels_equal == 1 and 1e-4 < checked.agreement.largest_difference < INT8.difference
    floats = sum(tensor.nbytes for tensor in predictor.backbone.needed_tensors().values())
    assert dict(done.files)["model.onnx"] < 0.3 * floats
    graph = onnx.load(folder / "model.onnx").graph
    first = next(node for node in graph.node if node.op_type == "Conv")
    (head,) = [node for node in graph.node if node.op_type == "Gemm"]
    weights = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert weights[first.input[1]] == weights[head.input[1]] == onnx.TensorProto.FLOAT
    assert sum(kind == onnx.TensorProto.INT8 for kind in weights.values()) >= 8
    assert "DynamicQuantizeLinear" not in integers_in(folder / "model.onnx")
    readme = (folder / "README.md").read_text()
    assert "integers of 8 bits" in readme and "onnxruntime.InferenceSession" in readme
    assert json.loads((folder / "model.json").read_text())["format"] == "onnx-int8"


def test_linear_maps_take_a_scale_of_each_batch(tmp_path: Path) -> None:
    backbone = read_backbone(BackboneParams(weights=str(write_encoder(tmp_path / "tiny.safetensors"))))
    rows, reader = texts(40), open_reader(backbone.preprocessing, Limits())
    examples = [reader.prepare(text.encode()) for text, _ in rows]
    features = backbone.features(backbone.kind.collate(examples))[backbone.layers[-1]].clone()
    targets = torch.tensor([["bad", "good"].index(label) for _, label in rows])
    head = fit_head(LabelledFeatures(features, targets, ("bad", "good")), None, HeadParams(l2=(1.0,), folds=2))
    predictor = Predictor(backbone, head, backbone.layers[-1])
    whole, file = tmp_path / "whole.onnx", tmp_path / "model.onnx"
    write_onnx(export_program(predictor), [given.name for given in inputs_of(predictor)], ["probabilities"], whole)
    write_int8(whole, [], file)
    found = integers_in(file)
    assert found.count("MatMulInteger") == 12 and "DynamicQuantizeLinear" in found  # four in each of three layers
    (probabilities,) = read_onnx(file).run(backbone.kind.collate(examples))
    difference = abs(probabilities - predictor.predict(examples).probabilities).max()
    assert 1e-4 < difference < INT8.difference


def test_networks_with_a_single_layer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadExport, match="fewer than two layers for 8 bits"):
        write_export(on_digits("linear"), ORIGIN, Format.INT8, images("linear", 4), folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
