"""Multinomial logistic regression: several L2 strengths fitted together by a preconditioned, full-batch L-BFGS.

The loss of a problem is the weighted mean of the cross-entropy plus `l2 / 2` times the sum of the squared weights of the
standardised features; the bias is free. scikit-learn's `C` is `1 / (N * l2)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.heads.lbfgs import Stopping, minimise
from thaw.heads.standardisation import Standardisation, fit_standardisation

BLOCK = 4096  # rows at a time in the loss: bounds what is made on the way
SAMPLE = 8  # rows for each feature that the preconditioner is estimated from
LARGEST = 4096  # more features than this are not preconditioned: the eigendecomposition would cost more than it saves


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """A fitted linear layer on standardised features: weights float32 [C, D], bias float32 [C]."""

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

    features: float32 [N, D]. targets: int64 [N]. class_weights: float32 [C], what a row of the class weighs in the loss.
    """
    standardisation = fit_standardisation(features)
    rows, basis = _compress(standardisation.apply(features))
    problem = _Problem(rows, targets, _row_weights(targets, class_weights), torch.tensor(l2))
    start = torch.zeros(len(l2), len(class_weights), rows.shape[1] + 1)
    found = minimise(problem.evaluate, start, precondition=_preconditioner(problem, len(class_weights)), stopping=stopping)
    weights = found[..., :-1] if basis is None else found[..., :-1] @ basis.T
    return [LogisticModel(standardisation, weight.contiguous(), bias) for weight, bias in zip(weights, found[..., -1], strict=True)]


def _compress(rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """Fewer rows than features: the same rows in a basis of their own span [D, N], where every penalised optimum lies."""
    if rows.shape[0] >= rows.shape[1]:
        return rows, None
    basis, coordinates = torch.linalg.qr(rows.T)
    return coordinates.T.contiguous(), basis


def _row_weights(targets: Tensor, class_weights: Tensor) -> Tensor:
    """float32 [N], of mean 1."""
    weights = class_weights[targets]
    return weights / weights.mean()


@dataclass(frozen=True, eq=False)
class _Problem:
    rows: Tensor  # [N, D], standardised
    targets: Tensor  # int64 [N]
    row_weights: Tensor  # [N], of mean 1
    l2: Tensor  # [K]

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """Losses float64 [A] and gradients of `points` [A, C, D + 1], the bias last. Classes come before rows: the softmax then runs
        along memory, which is ten times as fast for few classes."""
        problems, classes, columns = points.shape
        weights, bias = points[..., :-1].reshape(-1, columns - 1), points[..., -1:]
        losses = torch.zeros(problems, dtype=torch.float64)
        gradient = torch.zeros_like(points)
        slopes = torch.zeros_like(weights)
        for rows, targets, row_weights in zip(*(t.split(BLOCK) for t in (self.rows, self.targets, self.row_weights)), strict=True):
            logits = (weights @ rows.T).view(problems, classes, -1).add_(bias)
            log_shares = logits.log_softmax(1)
            index = targets.expand(problems, 1, -1)
            losses -= (log_shares.gather(1, index).squeeze(1) @ row_weights).double()
            errors = log_shares.exp_().scatter_add_(1, index, -torch.ones_like(index, dtype=torch.float32)).mul_(row_weights)
            slopes.addmm_(errors.view(problems * classes, -1), rows)
            gradient[..., -1] += errors.sum(2)
        gradient[..., :-1] = slopes.view(problems, classes, -1)
        l2 = self.l2[which]
        losses = losses / len(self.rows) + l2 / 2 * points[..., :-1].flatten(1).square().sum(1).double()
        gradient /= len(self.rows)
        gradient[..., :-1] += l2.view(-1, 1, 1) * points[..., :-1]
        return losses, gradient
        

def _preconditioner(problem: _Problem, classes: int):
    every = max(1, len(problem.rows) // (SAMPLE * problem.rows.shape[1]))
    sample = problem.rows[::every] * problem.row_weights[::every].sqrt()[:, None]
    values, vectors = torch.linalg.eigh(sample.T @ sample / len(sample))
    values = values.clamp(min=0) / classes

    def precondition(gradients: Tensor, which: Tensor) -> Tensor:
        out = gradients * classes
        turned = (gradients[..., :-1] @ vectors) / (values + problem.l2[which].view(-1, 1, 1))
        out[..., :-1] = turned @ vectors.T
        return out

    return precondition
