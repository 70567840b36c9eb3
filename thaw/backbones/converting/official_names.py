"""Names of text encoders that have an official place, and the files that stand for them below `data/weights`."""

import difflib
import re
from pathlib import Path

from thaw.backbones.converting.official_files import official_file_names, official_files

ENDING = ".safetensors"
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""`ORG/NAME` on Hugging Face."""
SLASH = "--"
"""In the place of the slash of `ORG/NAME` in names of files."""
_FILES = re.compile(
    r".*\.(?:txt|vec|bin|gz|zip|xz|pkl|pt|pth|ckpt|npy|npz|hdf5|json|onnx|pb|safetensors)", re.IGNORECASE
)


def is_official(name: str) -> bool:
    """Whether a text is the name of an encoder, and not of a file or a folder."""
    if Path(name).exists():
        return False
    return official_files(name) is not None or (HUB_NAME.fullmatch(name) is not None and not _FILES.fullmatch(name))


def file_of(name: str) -> str:
    """The file of an encoder's name: `glove.6B.50d.safetensors`, `ORG--NAME.safetensors`."""
    return f"{name.replace('/', SLASH)}{ENDING}"


def name_in(file: str) -> str | None:
    """The inverse of `file_of`; None: the file has no name of an encoder."""
    if not file.endswith(ENDING):
        return None
    stem = file.removesuffix(ENDING)
    name = stem.replace(SLASH, "/", 1)
    return name if official_files(stem) is not None or HUB_NAME.fullmatch(name) else None


def what_is_fetched(name: str) -> str:
    """The places, licences and sizes of an encoder's files, for a sentence."""
    found = official_files(name)
    if found is None:
        return f"{name} from Hugging Face, which states the licence and the size"
    others = [] if found.words is None else [what_is_fetched(found.words)]
    return ", and ".join([*map(str, found.files.values()), *others])


def similar_names(name: str) -> str:
    """Names that are like a wrong one, as the end of a sentence."""
    near = difflib.get_close_matches(name, official_file_names(), n=4, cutoff=0.5)
    if near:
        return f"names like it are {', '.join(near)}"
    return f"names are {', '.join(official_file_names())}, and ORG/NAME on Hugging Face"
