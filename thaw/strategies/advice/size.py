"""The size of the data: examples and labels a class, and the effective number, in which near-duplicates count once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from thaw.heads.standardisation import fit_standardisation
from thaw.targets.target import target_of_targets

NEAR = 0.25
"""Two examples of a class count as one below this share of the typical distance, which is the median over examples of 1 - cosine to the fifth nearest.

Measured, MobileNetV2 on photographs: of copies that were recompressed, cropped by a tenth, mirrored or brightened, 95 % lie below it; the two most alike
of 243 different photographs lie at 0.6. Of 1,797 handwritten digits, which differ by a few strokes, 7 are taken for one another (embedded backbone).
"""
TYPICAL = 5
LARGE_A_CLASS, LARGE_IN_ALL = 50, 500
PLENTIFUL = 1000
SIMILARITIES = 2**24


Count = Annotated[int, Field(alias="images")]
"""A number of examples; the key of data/advice.json is older than kinds, and stays."""


@dataclass(frozen=True)
class ClassSize:
    """Labelled training examples of one class. effective: their number with near-duplicates counted once."""

    name: str
    examples: Count
    effective: int


@dataclass(frozen=True)
class Size:
    """The size of the data. examples: number of training examples. copies: number of equal files that were left out before. effective: number with
    near-duplicates counted once. labels_a_class: the median of the effective numbers. small: see `is_small`."""

    examples: Count
    copies: int
    effective: int
    labels_a_class: float
    classes: tuple[ClassSize, ...]
    small: bool
    plentiful: bool


def measure_size(features: Tensor | None, targets: Tensor, class_names: Sequence[str], copies: int) -> Size:
    """features: float32 [N, D] of the examples to learn from, at the last cut layer; None: near-duplicates are not looked for. targets: see `Target`.
    copies: equal files left out."""
    target = target_of_targets(targets)
    distinct = torch.arange(len(targets))
    if features is not None:
        rows = F.normalize(fit_standardisation(features).apply(features))
        distinct = number_distinct(rows, target.alike(targets), NEAR * typical_distance(rows))
    classes = tuple(
        ClassSize(name, int(showing.sum()), len(distinct[showing].unique()))
        for name, showing in ((name, target.showing(targets, place)) for place, name in enumerate(class_names))
    )
    median = float(torch.tensor([float(entry.effective) for entry in classes]).quantile(0.5))
    in_all = len(distinct.unique())
    return Size(
        examples=len(targets),
        copies=copies,
        effective=in_all,
        labels_a_class=median,
        classes=classes,
        small=is_small(median, in_all),
        plentiful=median >= PLENTIFUL,
    )


def is_small(labels_a_class: float, in_all: int) -> bool:
    """Whether the data count as small for the classic rule: fewer than 50 labels in the median class, or fewer than 500 in all.

    No paper draws that line, and it depends on the network. It only names the case and decides nothing, because every option that may be followed is measured.
    """
    return labels_a_class < LARGE_A_CLASS or in_all < LARGE_IN_ALL


def typical_distance(unit: Tensor) -> float:
    """The median over rows, float32 [N, D] of length 1, of 1 - cosine to the fifth nearest; a few copies of each example do not change it."""
    nearest = min(TYPICAL + 1, len(unit))
    distances = [(block @ unit.T).topk(nearest, dim=1).values[:, -1] for block in _blocks(unit, len(unit))]
    return float(1 - torch.cat(distances).median())


def number_distinct(unit: Tensor, alike: Tensor, near: float) -> Tensor:
    """A number for each row, int64 [N]; rows of the same labels within `near` (1 - cosine) of each other share a number.

    Chains count as one: if a is near b and b near c, all three share a number. unit: float32 [N, D], each row of length 1. alike: int64 [N], see
    `Target.alike`.
    """
    numbers, count = torch.empty_like(alike), 0
    for kind in alike.unique().tolist():
        own = (alike == kind).nonzero().flatten()
        parts, part = connected_components(_pairs(unit[own], near), directed=False)
        numbers[own] = torch.from_numpy(part).long() + count
        count += int(parts)
    return numbers


def _pairs(rows: Tensor, near: float) -> coo_array:
    """The rows that are near each other as a graph, sparse [N, N]."""
    starts = range(0, len(rows), max(1, SIMILARITIES // len(rows)))
    pairs = [
        (1 - block @ rows.T <= near).nonzero() + torch.tensor([start, 0])
        for start, block in zip(starts, _blocks(rows, len(rows)), strict=True)
    ]
    first, second = torch.cat(pairs).T.numpy()
    return coo_array((first >= 0, (first, second)), shape=(len(rows), len(rows)))


def _blocks(rows: Tensor, others: int) -> tuple[Tensor, ...]:
    blocks: tuple[Tensor, ...] = rows.split(max(1, SIMILARITIES // others))
    return blocks
