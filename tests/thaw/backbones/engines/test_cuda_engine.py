"""On a GPU: the reference's features within tolerance, from several threads, on each GPU that there is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines.cuda_engine import build_compiled_cuda_engine, build_cuda_engine, cuda_devices
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.reference import deviation, reference_features
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.params.sections import BackboneParams

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")

SMALL = BackboneParams(weights="data/pretrain/small.safetensors", layers=("layer2", "auto"))


def noise(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("build", [build_cuda_engine, build_compiled_cuda_engine])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_features_are_within_tolerance_from_several_threads(build: object, precision: Precision) -> None:
    backbone, pixels = read_backbone(SMALL), noise(64)
    engine = build(backbone, precision, cuda_devices(torch.device("cuda")))  # type: ignore[operator]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(engine.features, pixels.split(9)))
    expected = reference_features(pixels, backbone)
    for name in backbone.layers:
        found = torch.cat([part[name] for part in parts])
        assert found.device.type == "cpu" and found.dtype == torch.float32
        assert TOLERANCES[precision].allows(deviation(found, expected[name]))
    assert backbone.is_unchanged()


def test_devices_by_name() -> None:
    assert len(cuda_devices(torch.device("cuda"))) == torch.cuda.device_count()
    assert cuda_devices(torch.device("cuda:0")) == (torch.device("cuda", 0),)
