"""A model that was fitted as in a notebook, with what was said meanwhile."""

import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

from tiny_sources import write_digits

import thaw


@dataclass(frozen=True)
class Fitted:
    """source: digits as files, among which one is damaged and one is there twice. cache: of the user. warned: what was said of files that cannot be used."""

    model: thaw.Model
    source: Path
    cache: Path
    warned: tuple[str, ...]


def fit_digits(root: Path) -> Fitted:
    source, cache = write_digits(root / "digits"), root / "cache"
    shutil.copy(source / "0/00.png", source / "0/copy.png")
    (source / "1/damaged.png").write_bytes((source / "1/00.png").read_bytes()[:40])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model = thaw.fit(source, backbone="thaw_small", cache=cache, quiet=True)
    said = tuple(str(each.message) for each in caught if "cannot be used" in str(each.message))
    return Fitted(model, source, cache, said)
