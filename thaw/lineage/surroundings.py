"""The surroundings of a training beside code and data: the installed packages and the machine."""

import os
import platform
import socket
from dataclasses import dataclass
from importlib.metadata import distributions

from thaw.features.store.environment import made_with
from thaw.foundation.parallel.ordered_map import usable_cores


@dataclass(frozen=True)
class Machine:
    """A machine. driver: of its GPU; "none" without a GPU."""

    host: str
    system: str
    python: str
    processor: str
    cores: int
    memory_gb: float
    gpus: tuple[str, ...]
    driver: str


def this_machine() -> Machine:
    """The machine of this process, as PyTorch sees it."""
    import torch

    made = made_with()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Machine(
        host=socket.gethostname(),
        system=platform.platform(),
        python=platform.python_version(),
        processor=made["processor"],
        cores=usable_cores(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        gpus=tuple(torch.cuda.get_device_name(number) for number in range(count)),
        driver=made["driver"],
    )


def installed_packages() -> dict[str, str]:
    """Every installed package and its version, by name, sorted."""
    # Each look at `metadata` reads and parses the file again.
    stated = (distribution.metadata for distribution in distributions())
    versions = {str(metadata["Name"]): str(metadata["Version"]) for metadata in stated if metadata["Name"]}
    return dict(sorted(versions.items(), key=lambda pair: pair[0].casefold()))
