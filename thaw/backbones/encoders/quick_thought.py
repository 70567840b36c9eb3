"""Quick-Thought: two encoders that were trained to find a sentence's neighbours among others.

Logeswaran and Lee, "An efficient framework for learning sentence representations", ICLR 2018.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.gated_units import AT_ONCE, BothWays, ResetBefore
from thaw.backbones.encoders.known_words import KnownWords, random_table

FAMILY = "quick_thought"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)-(bags|uni|bi)(|[1-9]\d*)(-shared)?")


def architecture_of(words: int, dim: int, encoder: str, *, shared: bool) -> str:
    """The name of a network, such as `quick_thought-50000x620-bi600`.

    encoder: `bags`, or `uni` or `bi` with the size of a state. shared: whether both encoders have one table of words.
    """
    return f"{FAMILY}-{words}x{dim}-{encoder}{'-shared' if shared else ''}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    found = _SIZE.fullmatch(architecture)
    if found is None or (found[3] == "bags") == bool(found[4]):
        return None
    words, dim, size = int(found[1]), int(found[2]), int(found[4] or 0)
    encoders: Mapping[str, tuple[Callable[[], nn.Module], int]] = {
        "bags": (Bag, dim),
        "uni": (lambda: ResetBefore(dim, size), size),
        "bi": (lambda: BothWays(ResetBefore, dim, size), 2 * size),
    }
    build, width = encoders[found[3]]
    tables = [random_table(words, dim) for _ in range(1 if found[5] else 2)]
    return QuickThought(tables, (build(), build()), nn.Linear(2 * width, num_classes))


class QuickThought(KnownWords):
    """Takes the words of a text as `KnownWords` does; an unknown word has the vector of `<unk>`.

    Cut layers: `f` and `g` float [B, F], of the two encoders of the paper, and `joined` float [B, 2 F], both one after another, each with the length 1, as in
    the paper's experiments (section 4.2).

    Tensors: those of `KnownWords`, `tables.0` and `tables.1` float32 [V + 1, D], or one for both encoders, and the units' weights.
    """

    micro_batch: ClassVar[int] = AT_ONCE
    """The number of texts in a pass on a CPU core."""

    def __init__(
        self, tables: Sequence[nn.Parameter], encoders: tuple[nn.Module, nn.Module], classifier: nn.Linear
    ) -> None:
        super().__init__(len(tables[0]) - 1)
        self.tables = nn.ParameterList(tables)
        self.f, self.g = encoders
        self.joined = nn.Identity()  # it names the default cut layer
        self.fc = classifier

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        rows, mask = self.rows(self.keys, batch["tokens"]), batch["mask"]
        first, second = self.f(self.tables[0][rows], mask), self.g(self.tables[-1][rows], mask)
        logits: Tensor = self.fc(self.joined(torch.cat([F.normalize(first), F.normalize(second)], 1)))
        return logits


class Bag(nn.Module):
    """The sum of the vectors of all words."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The sum [B, D]; vectors: float [B, T, D]; mask: bool [B, T], whether there is a word."""
        return (vectors * mask[:, :, None].to(vectors.dtype)).sum(1)
