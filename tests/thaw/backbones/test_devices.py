"""The hardware decides on the arithmetic of `auto`."""

from pathlib import Path

import torch

from thaw.backbones.devices import has_bfloat16


def test_the_hardware_is_asked() -> None:
    flags = Path("/proc/cpuinfo").read_text()
    assert has_bfloat16(torch.device("cpu")) == ("amx_bf16" in flags or "avx512_bf16" in flags)
