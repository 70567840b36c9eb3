"""The fit of the scores that use distances; it works with few rows, with classes of a single row and with constant features."""

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.open_set.scores import Mahalanobis, Neighbours
from thaw.heads.standardisation import fit_standardisation
from thaw.targets.labelled import LabelledFeatures

MOST_NEIGHBOURS = 50
FLOOR = 1e-3
"""The least variance of a direction, as a share of the mean variance: with many rows that agree, the shrinkage alone leaves none."""


def neighbours_for(rows: LabelledFeatures) -> int:
    """The k of `Neighbours`: a hundredth of the rows of a typical class, from 1 to 50, as in Sun et al. with 5,000 rows a class.

    On digits with 20 and 80 rows a class, the distance to the nearest row separated unknown classes better than that to the second or the eighth.
    """
    counts = rows.targets.bincount()
    return int(min(max(int(counts[counts > 0].median()) // 100, 1), MOST_NEIGHBOURS))


def fit_neighbours_score(rows: LabelledFeatures, neighbours: int) -> Neighbours:
    """The score by the distance to the `neighbours`-th nearest of `rows`, or to the farthest if there are fewer rows."""
    standardisation = fit_standardisation(rows.features)
    return Neighbours(
        standardisation, F.normalize(standardisation.apply(rows.features)), min(neighbours, len(rows.features))
    )


def fit_mahalanobis(rows: LabelledFeatures) -> Mahalanobis:
    """Class means and one covariance, shrunk towards a multiple of the identity by the amount of Ledoit and Wolf (2004).

    A class of one row has a mean, and adds nothing to the covariance. If every class has one row, the covariance is the identity.
    """
    standardisation = fit_standardisation(rows.features)
    features = standardisation.apply(rows.features)
    present = rows.targets.unique()
    counts = rows.targets.bincount(minlength=len(rows.class_names))
    sums = torch.zeros(len(counts), features.shape[1]).index_add_(0, rows.targets, features)
    means = sums / counts.clamp(min=1)[:, None]
    several = counts[rows.targets] > 1
    spread = counts[rows.targets].float()
    # A row lies nearer to a mean that it is part of than other rows do: by this factor, on average.
    residuals = (features - means[rows.targets])[several] * (spread / (spread - 1))[several].sqrt()[:, None]
    whitening = _whitening(residuals)
    return Mahalanobis(standardisation, whitening, means[present] @ whitening)


def _whitening(residuals: Tensor) -> Tensor:
    """W with W Wᵀ the inverse of the shrunk covariance of `residuals` [M, D] of mean 0: float32 [D, D]."""
    from sklearn.covariance import ledoit_wolf

    dim = residuals.shape[1]
    if not residuals.any():
        return torch.eye(dim)
    shrunk, _ = ledoit_wolf(residuals.double().numpy(), assume_centered=True)
    covariance = torch.from_numpy(shrunk)
    covariance.diagonal().add_(FLOOR * covariance.diagonal().mean())
    identity = torch.eye(dim, dtype=torch.float64)
    inverse: Tensor = torch.linalg.solve_triangular(torch.linalg.cholesky(covariance), identity, upper=False)
    return inverse.T.contiguous().float()
