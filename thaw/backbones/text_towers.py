"""Text towers: networks that have learnt beside a backbone to put a text to the place of the examples that it describes.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (CLIP), ICML 2021; Zhai et al., the sigmoid loss of SigLIP,
ICCV 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from thaw.foundation.files.atomic import replaced_folder
from thaw.params.values.places import tower_place

JOINT = "joint"
"""The cut layer of a backbone whose features lie at the place that it shares with texts: float32 [N, D], each row of length 1."""


class TextTower(Protocol):
    """A text tower. scale, bias: what the cosine of an example and a text is multiplied by, and what is added, to give the logit of the checkpoint."""

    @property
    def scale(self) -> float: ...

    @property
    def bias(self) -> float: ...

    def embed(self, texts: Sequence[str]) -> Tensor:
        """float32 [N, D], each row of length 1.

        Raises:
            BadParameters: a text is longer than the tower takes.
        """


def write_beside(weights: Path, write: Callable[[Path], None]) -> None:
    """Write a text tower to the place beside a backbone's file, whole or not at all."""
    with replaced_folder(tower_place(weights)) as folder:
        write(folder)


def text_tower_of(weights: Path) -> TextTower | None:
    """The text tower of a backbone's file; None: it has none.

    Raises:
        BadArtifact: it is damaged, or belongs to another file.
        BadParameters: its library is not installed.
    """
    if not tower_place(weights).is_dir():
        return None
    from thaw.backbones.providers.hf_texts import read_tower

    return read_tower(tower_place(weights), weights)
