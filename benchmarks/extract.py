"""Claims: how many times as fast as the plain way Thaw decodes, runs a backbone, and extracts features end to end.

    THAW_REAL_DATA=FOLDER python benchmarks/extract.py [--quick]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}` and `mobilenet_v2-imagenet.pth`. Everything runs on the CPU, ours and the reference in
turns. Decoding: one thread, the photographs as they are (500 pixels at most) and enlarged to 2000 x 1500; the reference is Pillow with torchvision's
weight transforms. Forward: one core, 64 photographs; the reference is eager float32 in PyTorch's own layout.
End to end: all cores, image files to features (ours to Parquet); the reference is the tutorial's DataLoader with a worker a core and the
same network, eager. OpenVINO takes part where it is installed (`pip install 'thaw[openvino]'`). `--quick` takes fewer rounds.
"""

import argparse
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from thaw.architectures import build_seeded, default_preprocessing
from thaw.backbones import AUTO, Backbone, cut, read_backbone
from thaw.decoding import decode_pixels
from thaw.engines.engine import Engine, Precision
from thaw.engines.openvino_engine import build_openvino_engine
from thaw.engines.torch_engine import build_torch_engine
from thaw.extraction import extract
from thaw.features import FeatureStore
from thaw.ingestion import ingest
from thaw.params import BackboneParams, DatasetParams, ExtractParams
from thaw.reference import reference_features, reference_pixels
from thaw.threads import threads
from thaw.weights import Weights

MOST = 10**8
CPU = torch.device("cpu")
LARGE = (2000, 1500)


def main() -> None:
    """Measure each case, print what was taken and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with hymenoptera/ and mobilenet_v2-imagenet.pth", file=sys.stderr)
        raise SystemExit(0)
    images, weights = Path(real) / "hymenoptera", Path(real) / "mobilenet_v2-imagenet.pth"
    rounds = 2 if quick else 5
    backbone = read_backbone(BackboneParams(weights=str(weights)))
    contents = [file.read_bytes() for file in sorted(images.rglob("*.jp*g"))[:64]]
    with threads(1):
        _decoding(contents, backbone, rounds)
        _forward("MobileNetV2", backbone, contents, rounds)
        random = Weights(build_seeded("resnet18", 1000, 0).state_dict(), {})
        preprocessing = default_preprocessing("resnet18", Path("none"))
        _forward("ResNet-18", cut("resnet18", random, (AUTO,), preprocessing), contents, rounds)
    _end_to_end(images, backbone, rounds)


def _decoding(contents: list[bytes], backbone: Backbone, rounds: int) -> None:
    for name, files, goal in (("500 pixels", contents, 1.7), ("2000 x 1500", _enlarged(contents[:8]), 3.5)):
        found = _interleaved(
            {
                "ours": lambda files=files: [decode_pixels(one, backbone.preprocessing, MOST) for one in files],
                "reference": lambda files=files: reference_pixels(files, backbone, MOST),
            },
            rounds,
        )
        _claim(f"decode and transform, {name}, ms an image", found["ours"], found["reference"], len(files), goal)


def _enlarged(contents: list[bytes]) -> list[bytes]:
    found = []
    for content in contents:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(content)) as image:
            image.convert("RGB").resize(LARGE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88)
        found.append(buffer.getvalue())
    return found


def _forward(name: str, backbone: Backbone, contents: list[bytes], rounds: int) -> None:
    pixels = reference_pixels(contents, backbone, MOST)
    side = (pixels.shape[2], pixels.shape[3])
    engines: list[Engine] = [build_torch_engine(backbone, precision, CPU) for precision in _PRECISIONS]
    if find_spec("openvino") is not None:
        engines += [build_openvino_engine(backbone, precision, side, workers=1) for precision in _PRECISIONS]
    contenders: dict[str, Callable[[], object]] = {
        f"{engine.name} {engine.precision}": lambda engine=engine: engine.features(pixels) for engine in engines
    }
    found = _interleaved({"reference": lambda: reference_features(pixels, backbone), **contenders}, rounds)
    goals = {"torch float32": None, "torch bfloat16": 8.0, "openvino float32": 1.8, "openvino bfloat16": 10.0}
    for contender in contenders:
        claim = f"forward, {name}, {contender}, ms an image"
        _claim(claim, found[contender], found["reference"], len(pixels), goals[contender])


_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def _end_to_end(images: Path, backbone: Backbone, rounds: int) -> None:
    manifest = ingest(images, DatasetParams(source=str(images))).manifest

    def ours(precision: Precision) -> None:
        with tempfile.TemporaryDirectory() as folder:
            params = ExtractParams(precision=precision)
            extract(manifest, images, backbone, FeatureStore(Path(folder)), params, max_pixels=MOST)

    loops = [_loader(images / split, backbone) for split in ("train", "val")]

    def loop() -> None:
        for loader in loops:
            for pixels, _ in loader:
                with torch.inference_mode():
                    backbone.model.features(pixels).mean((2, 3))  # type: ignore[operator]

    found = _interleaved(
        {"reference": loop, "float32": lambda: ours("float32"), "bfloat16": lambda: ours("bfloat16")}, rounds
    )
    for precision, goal in (("float32", 1.8), ("bfloat16", 5.0)):
        claim = f"end to end, 397 photographs, MobileNetV2, {precision}, ms an image"
        _claim(claim, found[precision], found["reference"], len(manifest), goal)


def _loader(folder: Path, backbone: Backbone) -> "DataLoader[object]":
    from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

    normalise = Normalize(list(backbone.preprocessing.mean), list(backbone.preprocessing.std))
    dataset = ImageFolder(str(folder), Compose([Resize(256), CenterCrop(224), ToTensor(), normalise]))
    return DataLoader(dataset, batch_size=32, num_workers=os.cpu_count() or 1, persistent_workers=True)


def _interleaved(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, in turns so that a slow spell hits all alike; a first round warms up and is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds + 1):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            if round_:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def _claim(claim: str, ours: float, reference: float, images: int, goal: float | None) -> None:
    mine, theirs = 1e3 * ours / images, 1e3 * reference / images
    print(
        json.dumps({"claim": claim, "ours": mine, "reference": theirs, "ratio": reference / ours, "goal": goal}),
        flush=True,
    )


if __name__ == "__main__":
    main()
