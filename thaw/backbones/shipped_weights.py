"""The weights that ship with Thaw, laid at a place of their name. PyTorch is not needed for that."""

import shutil
from pathlib import Path

from thaw.foundation.files.atomic import atomic
from thaw.foundation.files.shipped import shipped
from thaw.params.values.places import SHIPPED_WEIGHTS, shipped_in


def lay_shipped(path: Path) -> bool:
    """Copy the weights of the name in `path` to it, such as `thaw_small.safetensors`; False: no weights of that name ship with Thaw."""
    name = shipped_in(path.name)
    if name is None:
        return False
    with atomic(path) as temporary:
        shutil.copyfile(shipped(SHIPPED_WEIGHTS[name]), temporary)
    return True
