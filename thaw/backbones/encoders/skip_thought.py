"""Skip-Thought: the last state of recurrent units that were trained to tell the sentences before and after a sentence.

Kiros et al., "Skip-Thought Vectors", NIPS 2015.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.gated_units import AT_ONCE, BothWays, ResetAfter
from thaw.backbones.encoders.known_words import KnownWords, random_table

FAMILY = "skip_thought"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)(?=-)(?:-uni([1-9]\d*))?(?:-bi([1-9]\d*))?")


def architecture_of(words: int, dim: int, uni: int, bi: int) -> str:
    """The name of a network, such as `skip_thought-930913x620-uni2400-bi1200`; uni, bi: sizes of states, 0 where there is no such encoder."""
    sizes = "".join(f"-{name}{size}" for name, size in (("uni", uni), ("bi", bi)) if size)
    return f"{FAMILY}-{words}x{dim}{sizes}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    found = _SIZE.fullmatch(architecture)
    if found is None:
        return None
    words, dim, uni, bi = (int(each or 0) for each in found.groups())
    return SkipThought(words, dim, {"uni": uni, "bi": bi}, num_classes)


class SkipThought(KnownWords):
    """Takes the words of a text as `KnownWords` does; an unknown word has the vector of `UNK`.

    Cut layers: `uni` float [B, uni], the last state of one unit; `bi` float [B, 2 bi], the last states of two, one of which reads from the end; and `joined`,
    all of them one after another, each with the length 1, as in the paper's experiments (section 3). A network may have one of the two alone.

    Tensors: those of `KnownWords`, tables `uni_vectors` and `bi_vectors` float32 [V + 1, D], and the units' weights.
    """

    micro_batch: ClassVar[int] = AT_ONCE
    """The number of texts in a pass on a CPU core."""

    def __init__(self, words: int, dim: int, sizes: Mapping[str, int], num_classes: int) -> None:
        super().__init__(words)
        if uni := sizes["uni"]:
            self.uni_vectors = random_table(words, dim)
            self.uni = ResetAfter(dim, uni)
        if bi := sizes["bi"]:
            self.bi_vectors = random_table(words, dim)
            self.bi = BothWays(ResetAfter, dim, bi)
        self.joined = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(uni + 2 * bi, num_classes)
        self._present = tuple(name for name, size in sizes.items() if size)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        rows, mask = self.rows(self.keys, batch["tokens"]), batch["mask"]
        parts = []
        if "uni" in self._present:
            parts.append(F.normalize(self.uni(self.uni_vectors[rows], mask)))
        if "bi" in self._present:
            parts.append(F.normalize(self.bi(self.bi_vectors[rows], mask)))
        logits: Tensor = self.fc(self.joined(torch.cat(parts, 1)))
        return logits
