"""The problems that `thaw.heads.logistic` solves: losses, gradients and preconditioners over all classes, or for each class by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads
from thaw.heads.lbfgs import Precondition, Stopping

LOGITS = 2**20  # the number at a time in the loss: it bounds the memory of intermediate results
SAMPLE = 16  # sampled rows for each feature, for the estimate of the preconditioner
LARGEST = 4096  # number of features; with more the eigendecomposition would cost more time than it saves


class Problem(Protocol):
    """Several convex problems on the same rows, each a point [..., D + 1] whose last number is the bias."""

    stopping: ClassVar[Stopping]

    def start(self) -> Tensor:
        """The start: a point for each problem."""

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, float64 [A], and the gradients of the points of the problems `which`, int64 [A]."""

    def covariance(self) -> Tensor | None:
        """The second moments of the features, float32 [D, D], from a sample of the rows; None: there are too many features."""

    def preconditioner(self, covariance: Tensor | None) -> Precondition:
        """An approximation of the inverse Hessian."""


@dataclass(frozen=True, eq=False)
class Multinomial:
    """K problems on the same rows, one for each strength; points [K, C, D + 1].

    rows: [N, D], standardised. targets: int64 [N]. row_weights: [N], of mean 1. classes: C. l2: [K]. cores: threads for products
    with the rows.
    """

    stopping: ClassVar[Stopping] = Stopping()

    rows: Tensor
    targets: Tensor
    row_weights: Tensor
    classes: int
    l2: Tensor
    cores: int

    @classmethod
    def build(
        cls, rows: Tensor, targets: Tensor, class_weights: Tensor, l2: Sequence[float], cores: int
    ) -> "Multinomial":
        """class_weights: float32 [C]."""
        weights = class_weights[targets]
        strengths = torch.tensor(l2, dtype=torch.float32)
        return cls(rows, targets, weights / weights.mean(), len(class_weights), strengths, cores)

    def start(self) -> Tensor:
        """See `Problem`."""
        return torch.zeros(len(self.l2), self.classes, self.rows.shape[1] + 1)

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """See `Problem`; points: [A, C, D + 1].

        The axis of classes comes before that of rows: the softmax then runs along memory, ten times as fast for few classes.
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
        size = _block_of(columns)
        return zip(self.rows.split(size), self.targets.split(size), self.row_weights.split(size), strict=True)

    def covariance(self) -> Tensor | None:
        """See `Problem`; weighted."""
        every = _every(self.rows)
        return None if every is None else _moments(self.rows[::every] * self.row_weights[::every].sqrt()[:, None])

    def preconditioner(self, covariance: Tensor | None) -> Precondition:
        """The inverse Hessian at zero weights, where all classes are equally likely: `covariance / C + l2` for each class.

        Only its scale changes much on the way to the optimum (compare the bound of Boehning 1992); L-BFGS learns that scale.
        """
        if covariance is None:
            return lambda gradients, which: gradients
        values, vectors = torch.linalg.eigh(covariance)
        curvature = values.clamp(min=0) / self.classes

        def precondition(gradients: Tensor, which: Tensor) -> Tensor:
            turned = gradients[..., :-1] @ vectors / (curvature + self.l2[which].view(-1, 1, 1))
            return torch.cat([turned @ vectors.T, gradients[..., -1:] * self.classes], 2)

        return precondition


@dataclass(frozen=True, eq=False)
class YesOrNo:
    """K * C problems on the same rows; problem k * C + c is of strength k and class c; points [K * C, D + 1].

    rows: [N, D], standardised. present: [C, N], 0 or 1. row_weights: [C, N], of mean 1 a class. l2: [K * C]. cores: threads for products with the rows.
    """

    stopping: ClassVar[Stopping] = Stopping(decrease=1e-8)
    """The limit is tighter than for one loss over all classes: each class is a problem, and the loss of a rare class is small."""

    rows: Tensor
    present: Tensor
    row_weights: Tensor
    l2: Tensor
    cores: int

    @classmethod
    def build(cls, rows: Tensor, targets: Tensor, class_weights: Tensor, l2: Sequence[float], cores: int) -> "YesOrNo":
        """targets: bool [N, C]. class_weights: float32 [2, C]."""
        weights = torch.where(targets.T, class_weights[1][:, None], class_weights[0][:, None])
        strengths = torch.tensor(l2, dtype=torch.float32).repeat_interleave(targets.shape[1])
        return cls(rows, targets.T.float(), weights / weights.mean(1, keepdim=True), strengths, cores)

    @property
    def share(self) -> Tensor:
        """The weighted share of each class, [C]."""
        return (self.present * self.row_weights).mean(1)

    def start(self) -> Tensor:
        """See `Problem`: zero weights, and the bias that gives each class its share."""
        start = torch.zeros(len(self.l2), self.rows.shape[1] + 1)
        start[:, -1] = self.share.logit().repeat(len(self.l2) // len(self.present))
        return start

    def evaluate(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """See `Problem`; points: [A, D + 1]."""
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
        size = _block_of(problems)
        return zip(self.rows.split(size), self.present.split(size, 1), self.row_weights.split(size, 1), strict=True)

    def covariance(self) -> Tensor | None:
        """See `Problem`."""
        every = _every(self.rows)
        return None if every is None else _moments(self.rows[::every])

    def preconditioner(self, covariance: Tensor | None) -> Precondition:
        """The inverse Hessian at the start, where every row has a class's share as probability: `share (1 - share) covariance + l2`; one basis serves all."""
        if covariance is None:
            return lambda gradients, which: gradients
        values, vectors = torch.linalg.eigh(covariance)
        share = self.share
        variance = (share * (1 - share))[:, None]

        def precondition(gradients: Tensor, which: Tensor) -> Tensor:
            own = variance[which % len(share)]
            turned = gradients[:, :-1] @ vectors / (values.clamp(min=0) * own + self.l2[which][:, None])
            return torch.cat([turned @ vectors.T, gradients[:, -1:] / own], 1)

        return precondition


def _block_of(columns: int) -> int:
    """The number of rows at a time, for `columns` logits a row."""
    return min(max(LOGITS // columns, 256), 8192)


def _every(rows: Tensor) -> int | None:
    """The step between sampled rows; None: there are too many features."""
    return None if rows.shape[1] > LARGEST else max(1, len(rows) // (SAMPLE * rows.shape[1]))


def _moments(sample: Tensor) -> Tensor:
    return sample.T @ sample / len(sample)
