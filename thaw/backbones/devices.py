"""The device that runs a network, by name."""

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
