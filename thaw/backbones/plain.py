"""Networks without pretrained weights: the fitted part of a model without a backbone, below its head."""

from __future__ import annotations

import re

import torch
from torch import Tensor, fx, nn

from thaw.backbones.encoders.word_vectors import Find
from thaw.kinds.batches import Batch
from thaw.kinds.registry import kind_named

LAYER = "plain"
"""The cut layer of these networks."""
SKETCH = 1024
"""The numbers of a bag's sketch, a power of 2; the cosine of two sketches differs from that of the bags by 1/32 on average."""
FAINT = 0.1
"""The share at which scores stand beside a sketch, so that the nearest bags are those with the same entries."""
_VALUES, _BAGS = re.compile(r"plain_values-(\w+)-(\d+)"), re.compile(r"plain_bags-(\w+)-(\d+)x(\d+)")


def values_architecture(kind: str, dim: int) -> str:
    """The name of a network of values, such as `plain_values-sounds-192`; kind: the name of the kind. dim: the number of values."""
    return f"plain_values-{kind}-{dim}"


def bags_architecture(kind: str, entries: int, classes: int) -> str:
    """The name of a network of bags, such as `plain_bags-texts-20000x2`; kind: the name of the kind. entries: the number of known entries."""
    return f"plain_bags-{kind}-{entries}x{classes}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, not fitted; None: the name is of another family."""
    if (values := _VALUES.fullmatch(architecture)) is not None:
        return PlainValues(values[1], int(values[2]), num_classes)
    if (bags := _BAGS.fullmatch(architecture)) is not None:
        return PlainBags(bags[1], int(bags[2]), int(bags[3]), num_classes)
    return None


@fx.wrap
def features_of(batch: Batch, kind: str) -> Tensor:
    """See `Kind.plain_features`; a single node of a network's graph, because a kind may take its own ways."""
    return kind_named(kind).plain_features(batch)


class PlainValues(nn.Module):
    """Takes normalised examples whose plain features are values. The cut layer `plain` has these values, standardised: float32 [B, D].

    Tensors: `mean` and `scale` float32 [D], `limit` float32 [], see `thaw.heads.standardisation`; the classifier `fc`.
    """

    mean: Tensor
    scale: Tensor
    limit: Tensor

    def __init__(self, kind: str, dim: int, num_classes: int) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))
        self.register_buffer("limit", torch.tensor(torch.inf))
        self.plain = nn.Identity()
        self.fc = nn.Linear(dim, num_classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits float32 [B, C]."""
        standardised = (features_of(batch, self.kind) - self.mean) * self.scale
        logits: Tensor = self.fc(self.plain(standardised.clamp(-self.limit, self.limit)))
        return logits


class PlainBags(nn.Module):
    """Takes normalised examples whose plain features are bags. The cut layer `plain`, float32 [B, `SKETCH` + C], has the sketch of a weighted bag, and
    its scores by class, made faint.

    The weight of an entry in a bag is (1 + log of its count) x its rarity, and each bag has length 1; see `thaw.heads.bags`. A sketch adds up the weights of
    all entries that share one of its numbers, each with a sign: Charikar, Chen and Farach-Colton, "Finding Frequent Items in Data Streams", ICALP 2002.

    Tensors: `entries` int64 [E], sorted, the numbers of known entries; `rarity` float32 [E]; `scores` float32 [E, C]; the classifier `fc`.
    """

    entries: Tensor
    rarity: Tensor
    scores: Tensor

    def __init__(self, kind: str, entries: int, classes: int, num_classes: int) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("entries", torch.arange(entries))
        self.register_buffer("rarity", torch.ones(entries))
        self.register_buffer("scores", torch.zeros(entries, classes))
        self.find, self.weigh, self.sketch = Find(entries), Weigh(), Sketch()
        self.plain = nn.Identity()
        self.fc = nn.Linear(SKETCH + classes, num_classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits float32 [B, C]."""
        numbers = features_of(batch, self.kind).long().sort(1).values
        places = self.find(self.entries, numbers)
        known = self.entries[places] == numbers
        weights = self.weigh(numbers, self.rarity[places] * known)
        scores = (weights[:, :, None] * self.scores[places]).sum(1)
        logits: Tensor = self.fc(self.plain(torch.cat([self.sketch(numbers, weights), FAINT * scores], 1)))
        return logits


class Weigh(nn.Module):
    """The weights of the entries of bags; those of an entry that occurs several times add up to its weight."""

    def forward(self, numbers: Tensor, rarity: Tensor) -> Tensor:
        """numbers: int64 [B, L], sorted in each row. rarity: float [B, L], 0 of unknown entries. Returns float [B, L]; a bag has length 1, or 0."""
        run = (numbers[:, 1:] != numbers[:, :-1]).long().cumsum(1)
        run = torch.cat([torch.zeros_like(numbers[:, :1]), run], 1)
        count = torch.zeros_like(rarity).scatter_add(1, run, torch.ones_like(rarity)).gather(1, run)
        weights = (1 + count.log()) * rarity
        length = (weights * weights / count).sum(1, keepdim=True).sqrt().clamp(min=1e-9)
        return weights / count / length


class Sketch(nn.Module):
    """Weighted bags as `SKETCH` numbers each."""

    def forward(self, numbers: Tensor, weights: Tensor) -> Tensor:
        """numbers: int64 [B, L], of entries. weights: float [B, L]. Returns float [B, `SKETCH`]."""
        signed = torch.where((numbers & SKETCH) > 0, -weights, weights)
        empty = weights.new_zeros(weights.shape[0], SKETCH)
        return empty.scatter_add(1, numbers & (SKETCH - 1), signed)
