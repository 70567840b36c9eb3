"""The choice of examples to label next: examples that the head is unsure of and that differ from each other.

The method is diverse mini-batch active learning (Zhdanov 2019). It takes `PREFILTER` times as many examples as wanted, those that the head is most unsure of,
and groups them by k-means, weighted by the head's uncertainty; of each group it takes the example nearest to the centre. On digits with 2 labels a class it
gained more than the smallest margins, BADGE and TypiClust; on photographs TypiClust was as good. `benchmarks/review.py` measures it against a random choice.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.standardisation import fit_standardisation

PREFILTER = 20


@dataclass(frozen=True)
class Useful:
    """An example worth a label. row: its place in the candidates. unsure: see `Target.unsure`."""

    row: int
    unsure: float


def choose_to_label(unsure: Tensor, features: Tensor, count: int, *, seed: int = 0) -> list[Useful]:
    """At most `count` of the candidates, one of each group, the most unsure first.

    unsure: float32 [N], see `Target.unsure`. features: float32 [N, D]. The same inputs and seed give the same choice.
    """
    if not len(features) or count < 1:
        return []
    kept = unsure.argsort(descending=True, stable=True)[: PREFILTER * count]
    rows = F.normalize(fit_standardisation(features).apply(features[kept]))
    chosen = kept[_one_of_each_group(rows, unsure[kept], count, seed)]
    chosen = chosen[unsure[chosen].argsort(descending=True, stable=True)]
    return [Useful(row, float(unsure[row])) for row in chosen.tolist()]


def _one_of_each_group(rows: Tensor, weights: Tensor, groups: int, seed: int) -> Tensor:
    """The row nearest to the centre of each group of a weighted k-means: int64, at most `groups`; all rows if there are at most `groups`."""
    if len(rows) <= groups:
        return torch.arange(len(rows))
    from sklearn.cluster import KMeans

    points = rows.numpy()
    # With a weight of 0 for all rows there would be no centre.
    fitted = KMeans(groups, n_init=1, random_state=seed).fit(points, sample_weight=weights.double().numpy() + 1e-9)
    apart = np.linalg.norm(points - fitted.cluster_centers_[fitted.labels_], axis=1)
    nearest = [np.flatnonzero(fitted.labels_ == group) for group in range(groups)]
    return torch.tensor([int(own[apart[own].argmin()]) for own in nearest if len(own)], dtype=torch.int64)
