"""Batches are halved until they fit, features stay the same, and other errors pass through."""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.halving_engine import HalvingEngine
from thaw.foundation.errors import OutOfMemory


@dataclass
class Narrow:
    """Has room for so many images at once, and raises what PyTorch raises beyond."""

    room: int
    error: Exception = field(default_factory=lambda: torch.OutOfMemoryError("CUDA out of memory."))
    sizes: list[int] = field(default_factory=list)
    name: str = "narrow"
    precision: Precision = "float32"

    def features(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        self.sizes.append(len(pixels))
        if len(pixels) > self.room:
            raise self.error
        return {"sum": pixels.float().sum((1, 2, 3)).unsqueeze(1)}


def noise(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@given(count=st.integers(1, 40), room=st.integers(1, 40))
def test_features_are_the_same_whatever_fits(count: int, room: int) -> None:
    engine, pixels = Narrow(room), noise(count)
    found = HalvingEngine(engine).features(pixels)["sum"]
    assert torch.equal(found, pixels.float().sum((1, 2, 3)).unsqueeze(1))


def test_the_smaller_size_is_kept_and_said(caplog: pytest.LogCaptureFixture) -> None:
    engine = Narrow(room=5)
    halving = HalvingEngine(engine)
    halving.features(noise(16))
    assert engine.sizes == [16, 8, 4, 4, 4, 4]
    engine.sizes.clear()
    halving.features(noise(8))
    assert engine.sizes == [4, 4]
    assert "memory ran out with 16 examples at once; the run continues with 8" in caplog.text
    assert (halving.name, halving.precision) == ("narrow", "float32")


def test_threads_halve_together() -> None:
    halving = HalvingEngine(Narrow(room=2))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: len(halving.features(noise(16))["sum"]), range(8)))
    assert found == [16] * 8


def test_no_room_for_one_image_says_what_to_do() -> None:
    with pytest.raises(OutOfMemory, match=r"set extract\.workers=1"):
        HalvingEngine(Narrow(room=0)).features(noise(4))


def test_other_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="the network is broken"):
        HalvingEngine(Narrow(room=0, error=RuntimeError("the network is broken"))).features(noise(4))


CODE = """
import resource, torch
from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines.halving_engine import HalvingEngine
from thaw.params.sections import BackboneParams

class Whole:
    name, precision = "whole", "float32"

    def features(self, pixels):
        return {"mean": pixels.repeat(1, 1, 64, 64).float().mean((1, 2, 3)).unsqueeze(1)}

pixels = torch.ones(256, 3, 32, 32, dtype=torch.uint8)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
# A batch takes 256 x 3 x 2048 x 2048 x 5 bytes = 16 GB as a whole, and 63 MB by the image.
resource.setrlimit(resource.RLIMIT_AS, (used + 600 * 2**20,) * 2)
found = HalvingEngine(Whole()).features(pixels)["mean"]
assert found.shape == (256, 1) and bool((found == 1).all())
"""


def test_memory_that_truly_runs_out_is_recognised() -> None:
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "memory ran out with 256 examples at once; the run continues with 128" in found.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY, "only of the process above"
