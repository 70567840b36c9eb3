"""Logistic regression, multinomial or with a yes or no for each class: a preconditioned, full-batch L-BFGS fits several L2 strengths together.

The loss of a problem is the weighted mean of the cross-entropy plus `l2 / 2` times the sum of the squared weights of the standardised features; the bias has
no penalty. scikit-learn's `C` is `1 / (N * l2)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads
from thaw.heads.lbfgs import Stopping, minimise
from thaw.heads.logistic_problems import Multinomial, Problem, YesOrNo
from thaw.heads.standardisation import Standardisation, fit_standardisation
from thaw.params.values.strategy import HeadKind


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

    features: float32 [N, D].
    One model over all classes: targets: int64 [N]; class_weights: float32 [C], the weight of a row of the class in the loss.
    A model for each class (binary relevance), whose logits are of the class against its absence: targets: bool [N, C], each class with rows that show it and
    rows that do not; class_weights: float32 [2, C], the weights of a row without the class and of a row with it.
    """
    standardisation = fit_standardisation(features)
    rows, basis = compress(standardisation.apply(features))
    build = Multinomial.build if targets.dim() == 1 else YesOrNo.build
    problem: Problem = build(rows, targets, class_weights, l2, torch.get_num_threads())
    covariance = problem.covariance()
    with threads(1):  # everything except the products with the rows is small
        precondition = problem.preconditioner(covariance)
        points = minimise(
            problem.evaluate, problem.start(), precondition=precondition, stopping=stopping or problem.stopping
        )
    points = points.view(len(l2), class_weights.shape[-1], -1)
    weights = points[..., :-1] if basis is None else points[..., :-1] @ basis.T
    return [
        LogisticModel(standardisation, weight.contiguous(), bias.contiguous())
        for weight, bias in zip(weights, points[..., -1], strict=True)
    ]


def compress(rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """With fewer rows than features: the rows in a basis [D, N] of their own span, which holds every penalised optimum."""
    if rows.shape[0] >= rows.shape[1]:
        return rows, None
    with threads(1):
        basis, coordinates = torch.linalg.qr(rows.T)
    return coordinates.T.contiguous(), basis
