"""What features are made with beside the backbone: the libraries whose update may change a number."""

import platform
from importlib.metadata import version

_LIBRARIES = ("torch", "torchvision", "pillow", "thaw")
MACHINE = "machine"


def made_with() -> dict[str, str]:
    """The versions of the libraries, and the kind of processor, by name; imports none of them."""
    return {name: version(name) for name in _LIBRARIES} | {MACHINE: platform.machine()}
