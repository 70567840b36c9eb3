"""L-BFGS for several problems at once."""

import torch
from torch import Tensor

from thaw.heads.lbfgs import Stopping, minimise

CURVATURES = torch.tensor([[1.0, 2.0, 3.0], [1.0, 100.0, 1e4], [0.01, 0.02, 0.05]])
GOALS = torch.tensor([[1.0, -2.0, 3.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]])


class Quadratics:
    """Three parabolas; counts how often each is evaluated."""

    def __init__(self) -> None:
        self.evaluations = torch.zeros(3)

    def __call__(self, points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        self.evaluations[which] += 1
        away = points - GOALS[which]
        return (CURVATURES[which] * away.square()).sum(1).double() / 2, CURVATURES[which] * away


def plain(gradients: Tensor, which: Tensor) -> Tensor:
    return gradients


def newton(gradients: Tensor, which: Tensor) -> Tensor:
    return gradients / CURVATURES[which]


def test_every_problem_comes_to_its_own_minimum() -> None:
    found = minimise(Quadratics(), torch.zeros(3, 3), precondition=plain, stopping=Stopping(decrease=1e-12))
    assert torch.allclose(found, GOALS, atol=1e-3)


def test_the_exact_inverse_hessian_needs_one_step() -> None:
    problems = Quadratics()
    found = minimise(problems, torch.zeros(3, 3), precondition=newton)
    assert torch.allclose(found, GOALS, atol=1e-6)
    assert problems.evaluations.tolist() == [2, 2, 1]


def test_a_problem_that_is_done_is_not_evaluated_again() -> None:
    problems = Quadratics()
    minimise(problems, torch.zeros(3, 3), precondition=plain)
    assert problems.evaluations[2] == 1  # it starts at its minimum
    assert problems.evaluations[0] < problems.evaluations[1]


def test_the_number_of_evaluations_is_bounded() -> None:
    problems = Quadratics()
    minimise(problems, torch.zeros(3, 3), precondition=plain, stopping=Stopping(evaluations=3))
    assert problems.evaluations.max() == 3


def test_problems_do_not_disturb_each_other() -> None:
    together = minimise(Quadratics(), torch.zeros(3, 3), precondition=plain)
    for number in range(3):

        def alone(points: Tensor, which: Tensor, number: int = number) -> tuple[Tensor, Tensor]:
            return Quadratics()(points, torch.full_like(which, number))

        assert torch.allclose(minimise(alone, torch.zeros(1, 3), precondition=plain)[0], together[number], atol=1e-6)


def test_a_loss_that_cannot_be_computed_exactly_still_ends() -> None:
    """A noisy loss refuses every step in the end; that must stop the search, not turn it for ever."""
    calls = []

    def noisy(points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        calls.append(len(which))
        return torch.full((len(points),), float(len(calls)), dtype=torch.float64), points - 1

    minimise(noisy, torch.zeros(1, 3), precondition=plain, stopping=Stopping(evaluations=500))
    assert len(calls) < 100
