"""Near-copies across splits: the same example at another quality or size, which a comparison of contents does not find.

The distance of two examples depends on the backbone and on the data: different handwritten digits lie nearer to each other than re-encoded photographs do to
their originals. So the scale is local (as in local scaling, Zelnik-Manor and Perona 2004): a pair counts if its distance is at most `SHARE` of the distance
from either example to its `RANK`th nearest in the other splits. `benchmarks/review.py` measures it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.heads.standardisation import fit_standardisation

SHARE = 0.2
"""Of 397 photographs (MobileNetV2) no pair of different photographs lay below 0.5; copies at JPEG quality 75 lay below 0.2 in 98 % of the cases."""
RANK = 10
"""The rank of the neighbour that gives the scale; it lies beyond the copies of an example, of which there are rarely ten."""
SAME = 1e-5
"""A distance below this is a copy at any scale: for rows with many copies the `RANK`th nearest is a copy too."""
SIMILARITIES = 2**24  # the number at a time (64 MB), for any number of rows on either side


@dataclass(frozen=True)
class Pair:
    """Two rows of different splits that look alike: `first` < `second`. similarity: the cosine of their standardised features, at most 1."""

    first: int
    second: int
    similarity: float


def find_near_duplicates(features: Tensor, splits: Tensor, progress: Progress = untold) -> list[Pair]:
    """Every pair of near-copies in different splits, the most alike first. The search is exact: each row is compared with all rows of other splits, in blocks.

    features: float32 [N, D], one row for each content. splits: int64 [N]. progress: called after each block.
    """
    if len(splits.unique()) < 2:
        return []
    rows = F.normalize(fit_standardisation(features).apply(features))
    with threads(threads_for(rows.numel())):
        near, distance = _nearest(rows, splits, progress)
    scale = distance[:, -1]
    pairs = {}
    for row in (distance[:, 0] <= (SHARE * scale).clamp(min=SAME)).nonzero()[:, 0].tolist():
        for other, apart in zip(near[row].tolist(), distance[row].tolist(), strict=True):
            if apart <= max(SAME, SHARE * min(float(scale[row]), float(scale[other]))):
                pairs[min(row, other), max(row, other)] = 1 - apart
    listed = [Pair(*both, similarity) for both, similarity in pairs.items()]
    return sorted(listed, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def _nearest(rows: Tensor, splits: Tensor, progress: Progress) -> tuple[Tensor, Tensor]:
    """For each row the nearest rows of other splits, int64 [N, R], and their distances 1 - cosine, float32 [N, R], in ascending order.

    R is `RANK`, or less if the other splits of some row hold fewer rows.
    """
    rank = min(RANK, int(len(splits) - splits.unique(return_counts=True)[1].max()))
    near = torch.empty(len(rows), rank, dtype=torch.int64)
    distance = torch.empty(len(rows), rank)
    done = 0
    for split in splits.unique():
        own, others = (splits == split).nonzero()[:, 0], (splits != split).nonzero()[:, 0]
        opposite = rows[others].T
        for block in own.split(max(1, SIMILARITIES // len(others))):
            nearest = (rows[block] @ opposite).topk(rank, dim=1)
            near[block], distance[block] = others[nearest.indices], (1 - nearest.values).clamp(min=0)
            done += len(block)
            progress(done, len(rows))
    return near, distance
