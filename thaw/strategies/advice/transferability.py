"""The fit of features to labels before any training: LogME and nearest neighbours, each beside its value for shuffled labels."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.standardisation import fit_standardisation
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import target_of_targets

NEIGHBOURS = 5
SHUFFLES = 10
ROUNDS = 100
"""The most rounds of LogME's fixed point, which usually needs fewer than ten."""
TOLERANCE = 1e-4
SIMILARITIES = 2**24


@dataclass(frozen=True)
class Score:
    """A score, and the mean and standard deviation of the same features' scores for shuffled labels.

    z: the distance from that mean in standard deviations; None if all shuffles gave the same score.
    """

    value: float
    shuffled_mean: float
    shuffled_sd: float
    z: float | None


@dataclass(frozen=True)
class Transferability:
    """The scores of one cut layer. log_me: mean log evidence a row and class. neighbours: the headline of a leave-one-out vote."""

    log_me: Score
    neighbours: Score


def transferability(data: LabelledFeatures, seed: int = 0) -> Transferability:
    """LogME and the leave-one-out vote of the nearest neighbours, on standardised features.

    A score alone says little, because it depends on the numbers of rows, classes and features. Beside its value for shuffled labels it shows whether the
    features hold information on the labels.
    """
    rows = fit_standardisation(data.features).apply(data.features)
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(data), generator=generator) for _ in range(SHUFFLES)]
    targets = torch.stack([data.targets, *(data.targets[order] for order in orders)])
    classes = len(data.class_names)
    return Transferability(
        score_of(log_me(rows, targets, classes)), score_of(neighbour_headline(rows, targets, classes, data.groups))
    )


def score_of(values: Tensor) -> Score:
    """The first of some values, float64 [1 + S], against the others, which are of shuffled labels."""
    value, mean, deviation = float(values[0]), float(values[1:].mean()), float(values[1:].std())
    return Score(value, mean, deviation, (value - mean) / deviation if deviation > 0 else None)


def log_me(rows: Tensor, targets: Tensor, classes: int) -> Tensor:
    """The log of the maximum evidence, a row and class, of a Bayesian linear regression of each class's indicator: float64 [L].

    rows: float32 [N, D]. targets: int64 [L, N] or bool [L, N, C], L labellings of the same rows. The indicators are centred, as the rows are, which
    gives the regression an intercept.
    Source: You et al., "LogME: Practical Assessment of Pre-trained Models for Transfer Learning", ICML 2021; the fixed point of its longer version
    (You et al., "Ranking and Tuning Pre-trained Models", JMLR 2022). Directions without variance drop out of the evidence.
    """
    count, labellings = len(rows), len(targets)
    indicators = target_of_targets(targets[0]).indicators(targets, classes).transpose(1, 2).flatten(0, 1)  # [L C, N]
    indicators -= indicators.mean(1, keepdim=True)
    directions, variances = _directions(rows.double())
    along = (indicators @ directions).square()  # [L C, K]
    rest = (indicators.square().sum(1) - along.sum(1)).clamp(min=0)
    alpha, beta = torch.ones(len(along), dtype=torch.float64), torch.ones(len(along), dtype=torch.float64)
    for _ in range(ROUNDS):
        ratio = (alpha / beta)[:, None]
        gamma = (variances / (variances + ratio)).sum(1)
        weights = (variances * along / (variances + ratio).square()).sum(1)
        errors = (along / (1 + variances / ratio).square()).sum(1) + rest
        alpha, beta = gamma / weights.clamp(min=1e-12), (count - gamma) / errors.clamp(min=1e-12)
        if ((alpha / beta / ratio[:, 0]).log().abs() < TOLERANCE).all():
            break
    evidence = (
        len(variances) / 2 * alpha.log()
        + count / 2 * beta.log()
        - (alpha[:, None] + beta[:, None] * variances).log().sum(1) / 2
        - beta / 2 * errors
        - alpha / 2 * weights
        - count / 2 * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))
    )
    return (evidence / count).view(labellings, classes).mean(1)


def _directions(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The left singular vectors [N, K] and the squared singular values [K] of rows [N, D], through the smaller of both products."""
    count, dim = rows.shape
    if count <= dim:
        values, vectors = torch.linalg.eigh(rows @ rows.T)
        kept = values > values.max() * 1e-9
        return vectors[:, kept], values[kept]
    values, vectors = torch.linalg.eigh(rows.T @ rows)
    kept = values > values.max() * 1e-9
    return rows @ vectors[:, kept] / values[kept].sqrt(), values[kept]


def neighbour_headline(rows: Tensor, targets: Tensor, classes: int, groups: Tensor | None = None) -> Tensor:
    """The headline of the nearest neighbours' vote for each row, without the row itself and its group: float64 [L].

    rows: float32 [N, D]. targets: int64 [L, N] or bool [L, N, C]. Nearness is the cosine; equal votes go to the class of the nearest.
    """
    unit = F.normalize(rows)
    own = torch.arange(len(rows)) if groups is None else groups
    count = min(NEIGHBOURS, len(rows) - 1)
    nearest = []
    for block in torch.arange(len(rows)).split(max(1, SIMILARITIES // len(rows))):
        similar = unit[block] @ unit.T
        similar[own[block][:, None] == own[None]] = -torch.inf
        nearest.append(similar.topk(count, dim=1).indices)
    near, target = torch.cat(nearest), target_of_targets(targets[0])
    weights = 1 + torch.arange(count, 0, -1) / (1000.0 * count)
    rows_there = np.array([float(len(rows))])
    scores = []
    for labels in targets:
        shown = target.indicators(labels, classes).float()
        votes = torch.zeros(len(rows), classes)
        for place, weight in enumerate(weights):
            votes += weight * shown[near[:, place]]
        tally = target.tally(target.voted(votes, float(weights.sum())), labels)
        scores.append(target.headline_of(tally.sum(0, dtype=np.float64)[:, None], rows_there)[0])
    return torch.tensor(np.array(scores))
