"""The environment of features beside the backbone: the libraries whose update may change a number, the driver and the processor."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = ("torch", "torchvision", "pillow", "openvino", "thaw")
_DRIVER = Path("/proc/driver/nvidia/version")
_PROCESSORS = Path("/proc/cpuinfo")


def made_with() -> dict[str, str]:
    """The versions of the libraries and of the GPU's driver, and the processor, by name; "none" for a missing one. No library is imported."""
    return {name: _version(name) for name in _LIBRARIES} | {"driver": _driver(), "processor": _processor()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _driver() -> str:
    try:
        return _DRIVER.read_text().splitlines()[0]
    except (OSError, IndexError):
        return "none"


@cache
def _processor() -> str:
    """The processor's model if Linux names it, else its kind."""
    try:
        lines = _PROCESSORS.read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
