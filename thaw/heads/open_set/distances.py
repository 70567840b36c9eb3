"""Fitting the scores that look at distances; made to survive few rows, single ones of a class, and features that are constant."""

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.open_set.scores import Mahalanobis, Neighbours
from thaw.heads.standardisation import fit_standardisation
from thaw.targets.labelled import LabelledFeatures

MOST_NEIGHBOURS = 50
FLOOR = 1e-3
"""The share of the mean variance that every direction has at least: many rows that agree leave nothing to shrink towards."""


def neighbours_for(rows: LabelledFeatures) -> int:
    """The k of `Neighbours`: a hundredth of the rows of a typical class, from 1 to 50, as Sun et al. have it with 5,000 rows a class.

    On digits with 20 and 80 rows a class the nearest row told unknown classes better than the second or the eighth.
    """
    counts = rows.targets.bincount()
    return int(min(max(int(counts[counts > 0].median()) // 100, 1), MOST_NEIGHBOURS))


def fit_neighbours_score(rows: LabelledFeatures, neighbours: int) -> Neighbours:
    """The distance to the `neighbours`-th nearest of `rows`, or to the farthest where there are fewer."""
    standardisation = fit_standardisation(rows.features)
    return Neighbours(
        standardisation, F.normalize(standardisation.apply(rows.features)), min(neighbours, len(rows.features))
    )


def fit_mahalanobis(rows: LabelledFeatures) -> Mahalanobis:
    """Class means and one covariance, shrunk towards a multiple of the identity as far as the rows ask for (Ledoit and Wolf 2004).

    A class of one row has a mean, and says nothing of the covariance; where no class says anything, it is the identity.
    """
    standardisation = fit_standardisation(rows.features)
    features = standardisation.apply(rows.features)
    present = rows.targets.unique()
    counts = rows.targets.bincount(minlength=len(rows.class_names))
    sums = torch.zeros(len(counts), features.shape[1]).index_add_(0, rows.targets, features)
    means = sums / counts.clamp(min=1)[:, None]
    several = counts[rows.targets] > 1
    spread = counts[rows.targets].float()
    # Rows lie nearer to a mean that they were part of than others do: by this factor, in the mean.
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
