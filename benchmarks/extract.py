"""Claims: how many times as fast as the plain way Thaw decodes, runs a backbone, and extracts features end to end.

    THAW_REAL_DATA=FOLDER python benchmarks/extract.py [--quick]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}` and `mobilenet_v2-imagenet.pth`. Everything runs on the CPU, ours and the reference in
turns. Decoding: one thread, the photographs as they are (500 pixels at most) and enlarged to 2000 x 1500; the reference is Pillow with torchvision's
weight transforms. Forward: one core, 64 photographs; the reference is eager float32 in PyTorch's own layout.
End to end: all cores, image files to features (ours to Parquet); the reference is the tutorial's DataLoader with a worker a core and the
same network, eager. The 397 photographs come 8 times each, as files of their own. The bound is the time that decoding them all
takes on all cores, with nothing else, and the forward passes of the engine that is chosen. ResNet-18 and timm's ViT-S/16 have random
weights, which cost the same. ViT-S/16 runs the forward pass alone, and its ratios have no goal; without timm it is left out.
OpenVINO takes part where it is installed (`make install` brings it), PyTorch's compiler where there is a C++ compiler.
Peak memory has a benchmark of its own, `steady_memory.py`. `--quick` takes fewer photographs and one round, and leaves PyTorch's compiler out.
"""

import argparse
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import AUTO, Backbone, cut, read_backbone
from thaw.backbones.engines import Work, choose_engine
from thaw.backbones.engines.compiled_engine import build_compiled_engine, has_compiler
from thaw.backbones.engines.engine import Engine, Precision
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.reference import reference_network, reference_pass
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.weights import Weights
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import Aids, extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.files import decode
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import Limits
from thaw.kinds.reading import spread
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

MOST = 10**8
CPU = torch.device("cpu")
LARGE = (2000, 1500)
VIT = "timm/vit_small_patch16_224"


def plain_pixels(contents: Sequence[bytes], backbone: Backbone) -> torch.Tensor:
    """Decoded by Pillow, resized and cropped as torchvision's own weight transforms do: uint8 [N, 3, H, W]."""
    return torch.stack([backbone.preprocessing.pixels(decode(content, MOST)) for content in contents])


def main() -> None:
    """Measure each case, print what was taken and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with hymenoptera/ and mobilenet_v2-imagenet.pth", file=sys.stderr)
        raise SystemExit(0)
    images, weights = Path(real) / "hymenoptera", Path(real) / "mobilenet_v2-imagenet.pth"
    rounds = 1 if quick else 5
    mobilenet = read_backbone(BackboneParams(weights=str(weights)))
    resnet = _drawn("resnet18")
    further = [("ViT-S/16", _drawn(VIT))] if find_spec("timm") is not None else []
    contents = [file.read_bytes() for file in sorted(images.rglob("*.jp*g"))[: 16 if quick else 64]]
    with threads(1):
        _decoding(contents, mobilenet, rounds)
        for name, backbone in (("MobileNetV2", mobilenet), ("ResNet-18", resnet), *further):
            _forward(name, backbone, contents, rounds, compiled=has_compiler() and not quick)
    with tempfile.TemporaryDirectory() as folder:
        if quick:
            _end_to_end("MobileNetV2", mobilenet, many(images / "val", Path(folder), 1), 1)
            return
        photographs = many(images, Path(folder), 8)
        for name, backbone in (("MobileNetV2", mobilenet), ("ResNet-18", resnet)):
            _end_to_end(name, backbone, photographs, 2)


def _drawn(architecture: str) -> Backbone:
    """A network with random weights."""
    weights = Weights(build_seeded(architecture, 1000, 0).state_dict(), {})
    return cut(architecture, weights, (AUTO,), default_preprocessing(architecture, Path("none")))


def _decoding(contents: list[bytes], backbone: Backbone, rounds: int) -> None:
    exact = backbone.preprocessing
    cases = (
        ("500 pixels", contents, exact, 1.7),
        ("2000 x 1500", _enlarged(contents[:8]), exact, None),
        ("2000 x 1500, scaled", _enlarged(contents[:8]), replace(exact, decoding="scaled"), 3.5),
    )
    for name, files, preprocessing, goal in cases:
        found = _interleaved(
            {
                "ours": lambda files=files, how=preprocessing: [decode_pixels(one, how, MOST) for one in files],
                "reference": lambda files=files: plain_pixels(files, backbone),
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


def _forward(name: str, backbone: Backbone, contents: list[bytes], rounds: int, *, compiled: bool) -> None:
    pixels = plain_pixels(contents, backbone)
    side = (pixels.shape[2], pixels.shape[3])
    engines: list[Engine] = [build_torch_engine(backbone, precision, CPU) for precision in _PRECISIONS]
    if compiled:
        engines += [build_compiled_engine(backbone, precision) for precision in _PRECISIONS]
    if find_spec("openvino") is not None:
        engines += [build_openvino_engine(backbone, precision, side, workers=1) for precision in _PRECISIONS]
    contenders: dict[str, Callable[[], object]] = {
        f"{engine.name} {engine.precision}": lambda engine=engine: engine.features(pixels) for engine in engines
    }
    plain = reference_network(backbone)
    found = _interleaved({"reference": lambda: reference_pass(plain, pixels, backbone), **contenders}, rounds)
    goals = {"torch compiled bfloat16": 8.0, "openvino float32": 1.8, "openvino bfloat16": 10.0}
    for contender in contenders:
        claim = f"forward, {name}, {contender}, ms an image"
        goal = None if backbone.architecture == VIT else goals.get(contender)
        _claim(claim, found[contender], found["reference"], len(pixels), goal)


_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def _end_to_end(name: str, backbone: Backbone, images: Path, rounds: int) -> None:
    """Files to features on all cores, beside the tutorial's loop; and as a share of the time that decoding and forward passes take by themselves."""
    manifest = ingest(Places(images), DatasetParams(source=str(images)), KIND).manifest
    workers = usable_cores()
    plain = reference_network(backbone)
    loader = _loader(images, backbone)

    def loop() -> None:
        with torch.inference_mode():
            for pixels, _ in loader:
                for output in plain(pixels).values():
                    backbone.pool(output)

    references = [(row.digest, images / row.path) for row in manifest.examples()]
    batches = [references[start : start + 16] for start in range(0, len(references), 16)]
    source = PixelSource(backbone.preprocessing, MOST, MemoryBound(10**9))

    def decode() -> None:
        with threads(1):
            for _ in map_ahead(source.read, batches, workers=workers, depth=workers + 1):
                pass

    with tempfile.TemporaryDirectory() as kept:

        def ours(precision: Precision) -> None:
            with tempfile.TemporaryDirectory() as folder:
                params = ExtractParams(precision=precision)
                store = FeatureStore(Path(folder))
                extract(
                    manifest, Places(images), backbone, store, params, limits=Limits(MOST), aids=Aids(keep=Path(kept))
                )

        contenders: dict[str, Callable[[], object]] = {"reference": loop, "decode": decode}
        for precision in _PRECISIONS:
            work = Work(len(manifest), workers, CPU, Path(kept))
            engine = choose_engine(
                backbone, "auto", precision, work, lambda count: source.read(spread(references, count))
            ).engine
            decoded = source.read(references[:16])

            def forward(engine: Engine = engine, decoded: torch.Tensor = decoded) -> None:
                with threads(1):
                    repeated = [decoded[: len(batch)] for batch in batches]
                    for _ in map_ahead(engine.features, repeated, workers=workers, depth=workers + 1):
                        pass

            contenders[precision] = lambda precision=precision: ours(precision)
            contenders[f"forward {precision}"] = forward
            print(f"{name} {precision}: {engine.name} is chosen")
        found = _interleaved(contenders, rounds)
    for precision, goal in (("float32", 1.8), ("bfloat16", 5.0)):
        claim = f"end to end, {len(manifest)} photographs, {name}, {precision}, ms an image"
        _claim(claim, found[precision], found["reference"], len(manifest), goal)
        bound = found["decode"] + found[f"forward {precision}"]
        claim = f"the same as a share of the bound that decoding and the forward pass set together, {name}, {precision}, ms an image"
        _claim(claim, found[precision], bound, len(manifest), 0.9)


def many(photographs: Path, folder: Path, times: int) -> Path:
    """Every photograph `times` times, each a file of its own: a number after the end of the picture makes its digest another."""
    for file in sorted(photographs.rglob("*.jp*g")):
        for number in range(times):
            path = folder / file.parent.name / f"{file.stem}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read_bytes() + str(number).encode())
    return folder


def _loader(folder: Path, backbone: Backbone) -> "DataLoader[object]":
    from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

    normalise = Normalize(list(backbone.preprocessing.mean), list(backbone.preprocessing.std))
    dataset = ImageFolder(str(folder), Compose([Resize(256), CenterCrop(224), ToTensor(), normalise]))
    loader = DataLoader(
        dataset,
        batch_size=32,
        num_workers=os.cpu_count() or 1,
        persistent_workers=True,
        multiprocessing_context="spawn",
    )
    _LOADERS.append(loader)
    return loader


_LOADERS: list["DataLoader[object]"] = []
"""Kept to the end: shutting their workers down beside OpenVINO's and the compiler's threads ends this process by a segmentation fault now and then."""


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
    sys.stdout.flush()
    os._exit(0)  # see _LOADERS
