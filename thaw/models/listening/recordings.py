"""The recordings that a trigger is trained on, read from folders; a file that cannot be read is left out, with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.walking import files_below
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.sounds.streams import of_file
from thaw.models.listening.material import Sound


@dataclass(frozen=True, eq=False)
class Recordings:
    """sounds: in the order of their paths. rejected: the reasons of the files that were left out."""

    sounds: tuple[Sound, ...]
    rejected: tuple[str, ...]

    @property
    def waves(self) -> list[Tensor]:
        """Of the sounds, float32 [T] each."""
        return [sound.wave for sound in self.sounds]


def read_recordings(root: Path, rate: int, progress: Progress = untold) -> Recordings:
    """A sound file, or every sound below a folder, at a rate in samples a second.

    The files of a folder below `root` are a group, such as those of a speaker; a file beside the folders is a group of its own.

    Raises:
        BadSource: there is no such file or folder, or no sound in it.
    """
    if not root.exists():
        raise BadSource(f"`{root}` does not exist; name a folder of sounds, or a sound")
    paths = [root.name] if root.is_file() else sorted(file.path for file in files_below(root))
    folder, sounds, rejected = root.parent if root.is_file() else root, list[Sound](), list[str]()
    for number, path in enumerate(paths, 1):
        try:
            blocks: Iterator[np.ndarray] = of_file(folder / path, rate)
            wave = np.concatenate([*blocks, np.empty(0, np.float32)])
        except BadExample as error:
            rejected.append(str(error))
        else:
            sounds.append(Sound(torch.from_numpy(wave), group_of(path), path, folder / path))
        progress(number, len(paths))
    if not sounds:
        raise BadSource(f"`{root}` has no sound that can be read ({rejected[0] if rejected else 'it is empty'})")
    return Recordings(tuple(sounds), tuple(rejected))


def group_of(path: str) -> str:
    """The folder below the root, or the file itself; path: relative to the root."""
    return PurePosixPath(path).parts[0]
