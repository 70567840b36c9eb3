"""One logistic regression a class (binary relevance): all classes and several L2 strengths fitted together by a preconditioned, full-batch L-BFGS.

The loss of a problem is the weighted mean of the binary cross-entropy plus `l2 / 2` times the sum of the squared weights of the standardised features; the
bias is free. scikit-learn's `C` is `1 / (N * l2)`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads
from thaw.heads.lbfgs import Precondition, Stopping, minimise
from thaw.heads.logistic import LARGEST, SAMPLE, LogisticModel, compress
from thaw.heads.standardisation import fit_standardisation

LOGITS = 2**20  # at a time in the loss: bounds the memory of what is made on the way
STOPPING = Stopping(decrease=1e-8)
"""Tighter than for one loss over all classes: a class is a problem of its own, and its loss is small where the class is rare."""


def fit_logistic_sets(
    features: Tensor, targets: Tensor, *, weights: Tensor, l2: Sequence[float], stopping: Stopping | None = None
) -> list[LogisticModel]:
    """One model for each L2 strength, in their order; its logits are of each class against its absence.

    features: float32 [N, D]. targets: bool [N, C]; each class has rows that show it and rows that do not. weights: float32 [2, C], what a row without the class
    and one with it weigh in the loss.
    """
    standardisation = fit_standardisation(features)
    rows, basis = compress(standardisation.apply(features))
    present = targets.T.float()
    row_weights = torch.where(targets.T, weights[1][:, None], weights[0][:, None])
    row_weights = row_weights / row_weights.mean(1, keepdim=True)
    strengths = torch.tensor(l2, dtype=torch.float32).repeat_interleave(targets.shape[1])
    problem = _Problem(rows, present, row_weights, strengths, torch.get_num_threads())
    share = (present * row_weights).mean(1)
    start = torch.zeros(len(strengths), rows.shape[1] + 1)
    start[:, -1] = share.logit().repeat(len(l2))
    covariance = _covariance(rows)
    with threads(1):  # all but the products with the rows is small
        precondition = _preconditioner(problem, covariance, share)
        found = minimise(problem.evaluate, start, precondition=precondition, stopping=stopping or STOPPING)
    found = found.view(len(l2), targets.shape[1], -1)
    solved = found[..., :-1] if basis is None else found[..., :-1] @ basis.T
    return [
        LogisticModel(standardisation, weight.contiguous(), bias.contiguous())
        for weight, bias in zip(solved, found[..., -1], strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Problem:
    """K * C problems on the same rows; problem k * C + c is of strength k and class c.

    rows: [N, D], standardised. present: [C, N], 0 or 1. row_weights: [C, N], of mean 1 a class. l2: [K * C]. cores: threads for products with the rows.
    """

    rows: Tensor
    present: Tensor
    row_weights: Tensor
    l2: Tensor
    cores: int

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, float64 [A], and the gradients of `points` [A, D + 1], the bias last."""
        with threads(self.cores):
            losses, slopes = self._data_terms(points, which % len(self.present))
        l2 = self.l2[which][:, None]
        slopes[:, :-1] += l2 * points[:, :-1]
        penalty = (l2 / 2 * points[:, :-1].square()).sum(1, dtype=torch.float64)
        return losses + penalty, slopes

    def _data_terms(self, points: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted mean cross-entropy [A] and its gradient [A, D + 1]."""
        weights, bias = points[:, :-1].contiguous(), points[:, -1:]
        losses = torch.zeros(len(points), dtype=torch.float64)
        weight_slopes, bias_slopes = torch.zeros_like(weights), torch.zeros(len(points))
        for rows, present, row_weights in self._blocks(len(points)):
            logits = torch.addmm(bias, weights, rows.T)
            shown, weight = present[classes], row_weights[classes]
            losses += ((F.softplus(logits) - shown * logits) * weight).sum(1, dtype=torch.float64)
            errors = logits.sigmoid_().sub_(shown).mul_(weight)
            weight_slopes.addmm_(errors, rows)
            bias_slopes += errors.sum(1)
        slopes = torch.cat([weight_slopes, bias_slopes[:, None]], 1)
        return losses / len(self.rows), slopes / len(self.rows)

    def _blocks(self, problems: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        size = min(max(LOGITS // problems, 256), 8192)
        return zip(self.rows.split(size), self.present.split(size, 1), self.row_weights.split(size, 1), strict=True)


def _covariance(rows: Tensor) -> Tensor | None:
    """The second moments of the features [D, D], from a sample of the rows; None: there are too many features."""
    if rows.shape[1] > LARGEST:
        return None
    sample = rows[:: max(1, len(rows) // (SAMPLE * rows.shape[1]))]
    return sample.T @ sample / len(sample)


def _preconditioner(problem: _Problem, covariance: Tensor | None, share: Tensor) -> Precondition:
    """The inverse Hessian at the start, where every row has a class's share as probability: `share (1 - share) covariance + l2`; one basis serves all."""
    if covariance is None:
        return lambda gradients, which: gradients
    values, vectors = torch.linalg.eigh(covariance)
    variance = (share * (1 - share))[:, None]

    def precondition(gradients: Tensor, which: Tensor) -> Tensor:
        own = variance[which % len(share)]
        turned = gradients[:, :-1] @ vectors / (values.clamp(min=0) * own + problem.l2[which][:, None])
        return torch.cat([turned @ vectors.T, gradients[:, -1:] / own], 1)

    return precondition
