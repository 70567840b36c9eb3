"""The device that runs a network, by name, and its arithmetic."""

import torch

from thaw.foundation.errors import BadParameters


def best_device(name: str) -> torch.device:
    """The device of that name; `auto`: CUDA if there is a GPU, else the CPU.

    Raises:
        BadParameters: this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadParameters(
            f"extract.device: {name} cannot be used here ({reason}); auto takes an existing device"
        ) from error
    return torch.device(name)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32: AMX or AVX-512 BF16, or a GPU's tensor cores."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(known.get("amx_bf16") or known.get("avx512_bf16"))


def faster_on_cpu() -> torch.autocast:
    """The context of a training on the CPU: bfloat16 where the processor multiplies it faster, and float32 elsewhere, where bfloat16 would be emulated."""
    return torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16(torch.device("cpu")))
