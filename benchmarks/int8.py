"""Claims: what integers of 8 bits would cost and gain as an engine of extraction, beside the engine that is chosen today.

    THAW_REAL_DATA=FOLDER python benchmarks/int8.py [--quick]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}` and `mobilenet_v2-imagenet.pth`. ONNX Runtime quantises as for `thaw export --int8`, calibrated on
training photographs. ONNX Runtime and OpenVINO run that graph beside OpenVINO's engine in float32 and, where the processor has it, in bfloat16: in turns, on
one core, by CPU seconds, so other work of the machine counts little. Printed beside the speed: the deviation from the reference on validation photographs,
which `thaw/backbones/engines/tolerances.py` bounds for engines. The accuracy is that of a linear head fitted on the features of each. ResNet-18 and timm's
ViT-S/16 have random weights: they are here for their speed. No ratio has a goal.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import AUTO, Backbone, cut, read_backbone
from thaw.backbones.devices import has_bfloat16
from thaw.backbones.engines.engine import Precision, padded
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.openvino_network import compiled_network, load_openvino
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.weights import Weights
from thaw.heads import fit_head
from thaw.kinds.images.files import decode
from thaw.models.exporting.int8_format import write_int8
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

MOST = 10**8
BATCH, CALIBRATION, TIMED = 8, 64, 32
VIT = "timm/vit_small_patch16_224"
Forward = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Photographs:
    """Prepared photographs uint8 [N, 3, H, W] and their targets."""

    examples: torch.Tensor
    targets: torch.Tensor


class Features(nn.Module):
    """The backbone up to its last layer, as the exporter takes it: prepared examples to features float32 [B, D]."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.network, self._backbone, self._layer = backbone.extractor, backbone, backbone.layers[-1]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """See the class."""
        normalised = self._backbone.preprocessing.normalise(batch)
        return self._backbone.pool(self._layer, self.network(normalised)[self._layer])


def main() -> None:
    """Measure each network, print what was measured, and end with one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer photographs and rounds, and MobileNetV2 alone")
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with hymenoptera/ and mobilenet_v2-imagenet.pth", file=sys.stderr)
        raise SystemExit(0)
    torch.set_num_threads(1)
    mobilenet = read_backbone(BackboneParams(weights=str(Path(real) / "mobilenet_v2-imagenet.pth")))
    networks = {"mobilenet_v2": mobilenet} | ({} if quick else {name: _drawn(name) for name in ("resnet18", VIT)})
    few = 20 if quick else None
    train, val = (_photographs(Path(real) / "hymenoptera" / split, mobilenet, few) for split in ("train", "val"))
    lines: list[dict[str, object]] = []
    for name, backbone in networks.items():
        lines += _measure(name, backbone, train, val, rounds=2 if quick else 7)
    for line in lines:
        print(json.dumps(line))


def _measure(
    name: str, backbone: Backbone, train: Photographs, val: Photographs, *, rounds: int
) -> list[dict[str, object]]:
    layer, side = backbone.layers[-1], (train.examples.shape[2], train.examples.shape[3])
    forwards = _int8(backbone, train.examples[:CALIBRATION])
    precisions: tuple[Precision, ...] = ("float32", "bfloat16") if has_bfloat16(torch.device("cpu")) else ("float32",)
    for precision in precisions:
        engine = build_openvino_engine(backbone, precision, side, 1)
        forwards[f"openvino {precision}"] = lambda batch, engine=engine: engine.features(batch)[layer]  # type: ignore[misc]
    speeds = _speeds(forwards, val.examples[:TIMED], rounds)
    sample = val.examples[:BATCH]
    expected = reference_features(sample, backbone)
    deviations = {
        each: worst_deviation({layer: run(sample)}, {layer: expected[layer]}) for each, run in forwards.items()
    }
    for each, deviation in deviations.items():
        print(f"{name}, {each}: {speeds[each]:.0f} photographs a CPU second, {deviation}")
    plain = [each for each in forwards if not each.startswith("int8")]
    lines = []
    for each in [each for each in forwards if each.startswith("int8")]:
        lines += [_claim(f"{name}: speed of {each} to {other}", speeds[each], speeds[other]) for other in plain]
    if name == "mobilenet_v2":
        reached = {each: _accuracy(run, train, val) for each, run in forwards.items()}
        lines += [
            _claim(f"{name}: accuracy of a linear head on {each}, to float32", reached[each], reached[plain[0]])
            for each in reached
            if each != plain[0]
        ]
    return lines


def _claim(text: str, ours: float, reference: float) -> dict[str, object]:
    return {
        "claim": text,
        "ours": round(ours, 4),
        "reference": round(reference, 4),
        "ratio": round(ours / reference, 3),
        "goal": 0,
    }


def _int8(backbone: Backbone, calibration: torch.Tensor) -> dict[str, Forward]:
    """The network that ONNX Runtime quantised, run on one thread by ONNX Runtime and by OpenVINO."""
    network = Features(backbone).eval()
    with tempfile.TemporaryDirectory() as name:
        plain, quantised = Path(name) / "plain.onnx", Path(name) / "int8.onnx"
        given = (calibration[:BATCH],)
        torch.onnx.export(network, given, plain, dynamo=True, input_names=["batch"], external_data=False, verbose=False)
        write_int8(plain, list(calibration.split(BATCH)), quantised)
        threads = onnxruntime.SessionOptions()
        threads.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(quantised, threads, providers=["CPUExecutionProvider"])
        openvino = load_openvino()
        model = openvino.convert_model(str(quantised))
        request = compiled_network(openvino, model, "float32", 1).create_infer_request()
    return {
        "int8 onnxruntime": _in_batches(lambda part: np.asarray(session.run(None, {"batch": part})[0])),
        "int8 openvino": _in_batches(lambda part: np.array(request.infer(part)[0])),
    }


def _in_batches(run: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Forward:
    """All examples in batches of one size, as the graphs take them; the last one is filled up."""

    def forward(batch: torch.Tensor) -> torch.Tensor:
        parts = [run(padded(part, BATCH).numpy())[: len(part)] for part in batch.split(BATCH)]
        return torch.from_numpy(np.concatenate(parts))

    return forward


def _speeds(forwards: dict[str, Forward], examples: torch.Tensor, rounds: int) -> dict[str, float]:
    """Examples a CPU second: medians over rounds in which all take turns."""
    taken: dict[str, list[float]] = {name: [] for name in forwards}
    for number in range(rounds + 1):
        for name, forward in forwards.items():
            began = time.process_time()
            forward(examples)
            if number:  # the first round warms up
                taken[name].append(len(examples) / (time.process_time() - began))
    return {name: statistics.median(values) for name, values in taken.items()}


def _accuracy(forward: Forward, train: Photographs, val: Photographs) -> float:
    names = ("ants", "bees")
    head = fit_head(LabelledFeatures(forward(train.examples), train.targets, names), None, HeadParams())
    return float((head.logits(forward(val.examples)).argmax(1) == val.targets).float().mean())


def _photographs(folder: Path, backbone: Backbone, few: int | None) -> Photographs:
    paths = [
        (path, label) for label, name in enumerate(("ants", "bees")) for path in sorted((folder / name).iterdir())[:few]
    ]
    examples = torch.stack([backbone.preprocessing.pixels(decode(path.read_bytes(), MOST)) for path, _ in paths])
    order = torch.randperm(len(paths), generator=torch.Generator().manual_seed(0))
    return Photographs(examples[order], torch.tensor([label for _, label in paths])[order])


def _drawn(architecture: str) -> Backbone:
    tensors = build_seeded(architecture, 1000, 0).state_dict()
    return cut(architecture, Weights(tensors, {}), (AUTO,), default_preprocessing(architecture, Path(architecture)))


if __name__ == "__main__":
    main()
