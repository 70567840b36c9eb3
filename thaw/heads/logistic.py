"""Multinomial logistic regression: several L2 strengths fitted together by a preconditioned, full-batch
L-BFGS.

The loss of a problem is the weighted mean of the cross-entropy plus `l2 / 2` times the sum of the squared
weights of the standardised features; the bias is free. scikit-learn's `C` is `1 / (N * l2)`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads
from thaw.heads.lbfgs import Precondition, Stopping, minimise
from thaw.heads.standardisation import Standardisation, fit_standardisation
from thaw.params.strategy import HeadKind

LOGITS = 2**20  # at a time in the loss: bounds the memory of what is made on the way
SAMPLE = 16  # rows for each feature that the preconditioner is estimated from
LARGEST = 4096  # more features are not preconditioned: the eigendecomposition would cost more than it saves


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """A linear layer on standardised features: weights float32 [C, D], bias float32 [C]."""

    kind: ClassVar[HeadKind] = "linear"

    standardisation: Standardisation
    weights: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """[N, D] float32 -> [N, C] float32."""
        return torch.addmm(self.bias, self.standardisation.apply(features), self.weights.T)


def fit_logistic(
    features: Tensor,
    targets: Tensor,
    *,
    class_weights: Tensor,
    l2: Sequence[float],
    stopping: Stopping | None = None,
) -> list[LogisticModel]:
    """One model for each L2 strength, in their order.

    features: float32 [N, D]. targets: int64 [N]. class_weights: float32 [C], what a row of the class weighs
    in the loss.
    """
    standardisation = fit_standardisation(features)
    rows, basis = compress(standardisation.apply(features))
    row_weights = _row_weights(targets, class_weights)
    problem = _Problem(rows, targets, row_weights, torch.tensor(l2, dtype=torch.float32), torch.get_num_threads())
    start = torch.zeros(len(l2), len(class_weights), rows.shape[1] + 1)
    covariance = _covariance(problem)
    with threads(1):  # all but the products with the rows is small
        precondition = _preconditioner(problem, covariance, len(class_weights))
        found = minimise(problem.evaluate, start, precondition=precondition, stopping=stopping)
    weights = found[..., :-1] if basis is None else found[..., :-1] @ basis.T
    return [
        LogisticModel(standardisation, weight.contiguous(), bias.contiguous())
        for weight, bias in zip(weights, found[..., -1], strict=True)
    ]


def compress(rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """With fewer rows than features: the rows in a basis [D, N] of their own span, where every penalised
    optimum lies."""
    if rows.shape[0] >= rows.shape[1]:
        return rows, None
    with threads(1):
        basis, coordinates = torch.linalg.qr(rows.T)
    return coordinates.T.contiguous(), basis


def _row_weights(targets: Tensor, class_weights: Tensor) -> Tensor:
    """float32 [N], of mean 1."""
    weights = class_weights[targets]
    return weights / weights.mean()


@dataclass(frozen=True, eq=False)
class _Problem:
    """K problems on the same rows.

    rows: [N, D], standardised. targets: int64 [N]. row_weights: [N], of mean 1. l2: [K]. cores: threads for products
    with the rows.
    """

    rows: Tensor
    targets: Tensor
    row_weights: Tensor
    l2: Tensor
    cores: int

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, float64 [A], and the gradients of `points` [A, C, D + 1], the bias last.

        Classes come before rows: the softmax then runs along memory, which is ten times as fast for few
        classes.
        """
        with threads(self.cores):
            losses, slopes = self._data_terms(points)
        l2 = self.l2[which].view(-1, 1, 1)
        slopes[..., :-1] += l2 * points[..., :-1]
        penalty = (l2 / 2 * points[..., :-1].square()).flatten(1).sum(1, dtype=torch.float64)
        return losses + penalty, slopes

    def _data_terms(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted mean cross-entropy [A] and its gradient [A, C, D + 1]."""
        problems, classes, columns = points.shape
        weights, bias = points[..., :-1].reshape(-1, columns - 1), points[..., -1:]
        losses = torch.zeros(problems, dtype=torch.float64)
        weight_slopes, bias_slopes = torch.zeros_like(weights), torch.zeros(problems, classes)
        for rows, targets, row_weights in self._blocks(problems * classes):
            log_shares = (weights @ rows.T).view(problems, classes, -1).add_(bias).log_softmax(1)
            index = targets.expand(problems, 1, -1)
            losses -= (log_shares.gather(1, index).squeeze(1) @ row_weights).double()
            errors = log_shares.exp_().scatter_add_(1, index, -torch.ones(index.shape)).mul_(row_weights)
            weight_slopes.addmm_(errors.view(problems * classes, -1), rows)
            bias_slopes += errors.sum(2)
        slopes = torch.cat([weight_slopes.view(problems, classes, -1), bias_slopes[..., None]], 2)
        return losses / len(self.rows), slopes / len(self.rows)

    def _blocks(self, columns: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        size = min(max(LOGITS // columns, 256), 8192)
        return zip(self.rows.split(size), self.targets.split(size), self.row_weights.split(size), strict=True)


def _covariance(problem: _Problem) -> Tensor | None:
    """The weighted second moments of the features [D, D], from a sample of the rows; None: there are too many features."""
    if problem.rows.shape[1] > LARGEST:
        return None
    every = max(1, len(problem.rows) // (SAMPLE * problem.rows.shape[1]))
    sample = problem.rows[::every] * problem.row_weights[::every].sqrt()[:, None]
    return sample.T @ sample / len(sample)


def _preconditioner(problem: _Problem, covariance: Tensor | None, classes: int) -> Precondition:
    """The inverse Hessian at zero weights, where every class is as likely: `covariance / C + l2` for each class.

    Only its scale changes much on the way to the optimum (compare the bound of Boehning 1992), and L-BFGS learns the rest.
    """
    if covariance is None:
        return lambda gradients, which: gradients
    values, vectors = torch.linalg.eigh(covariance)
    curvature = values.clamp(min=0) / classes

    def precondition(gradients: Tensor, which: Tensor) -> Tensor:
        turned = gradients[..., :-1] @ vectors / (curvature + problem.l2[which].view(-1, 1, 1))
        return torch.cat([turned @ vectors.T, gradients[..., -1:] * classes], 2)

    return precondition
