"""Limited-memory BFGS for several smooth convex problems at once (Liu and Nocedal 1989), in lockstep.

Every evaluation serves all open problems. A problem whose step is refused shortens its step while the others move on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(points [A, ...], the numbers of their problems, int64 [A]) -> (losses float64 [A], gradients like the points)."""

Precondition = Callable[[Tensor, Tensor], Tensor]
"""(gradients [A, ...], the numbers of their problems, int64 [A]) -> approximate inverse Hessian times gradient, like the gradients."""

HISTORY = 6  # number of pairs; with a good preconditioner more do not help
SUFFICIENT = 1e-4  # Armijo's constant
ROUNDING = 3e-7  # relative noise of a float32 loss; a step is not refused for less
SHORTEST = 1e-6  # at shorter steps rounding hides all further progress


@dataclass(frozen=True)
class Stopping:
    """The limits at which a problem ends.

    decrease: half the gradient times the quasi-Newton direction: the expected further decrease of the loss. Unlike the gradient's own size it does not depend
    on the features' scale. gradient: the largest entry of the gradient; it ends the rare cases in which the curvature is almost zero. evaluations: the largest
    number for a problem.
    """

    decrease: float = 1e-7
    gradient: float = 1e-7
    evaluations: int = 500


@dataclass
class _State:
    """The A open problems."""

    which: Tensor  # int64 [A]
    point: Tensor  # [A, ...]
    loss: Tensor  # float64 [A]
    gradient: Tensor  # [A, ...]
    direction: Tensor  # [A, ...]
    slope: Tensor  # [A], negative
    step: Tensor  # [A]
    steps: Tensor  # [m, A, ...]: the last moves, oldest first
    changes: Tensor  # [m, A, ...]: the changes of the gradient over these moves
    curvature: Tensor  # [m, A]: moves times changes, 0 where the pair is void

    def keep(self, mask: Tensor) -> None:
        """Drop the problems outside `mask`, bool [A]."""
        for name in ("which", "point", "loss", "gradient", "direction", "slope", "step"):
            setattr(self, name, getattr(self, name)[mask])
        for name in ("steps", "changes", "curvature"):
            setattr(self, name, getattr(self, name)[:, mask])


def minimise(
    objective: Objective, start: Tensor, *, precondition: Precondition, stopping: Stopping | None = None
) -> Tensor:
    """The minimisers, float32 like `start` [K, ...], one row a problem; after `stopping.evaluations` the best points so far."""
    stopping = stopping or Stopping()
    minima = start.clone()
    state = _begin(objective, start, precondition)
    for _ in range(stopping.evaluations - 1):
        going = ~_done(state, stopping)
        if not going.all():
            minima[state.which] = state.point
            state.keep(going)
        if not len(state.which):
            return minima
        _advance(state, objective, precondition)
    minima[state.which] = state.point
    return minima


def _begin(objective: Objective, start: Tensor, precondition: Precondition) -> _State:
    which = torch.arange(len(start))
    loss, gradient = objective(start, which)
    direction = -precondition(gradient, which)
    none = start.new_zeros((0, *start.shape))
    return _State(
        which=which,
        point=start.clone(),
        loss=loss,
        gradient=gradient,
        direction=direction,
        slope=_dot(direction, gradient),
        step=start.new_ones(len(start)),
        steps=none,
        changes=none,
        curvature=start.new_zeros((0, len(start))),
    )


def _done(state: _State, stopping: Stopping) -> Tensor:
    """The problems that converged or cannot improve beyond rounding: bool [A]."""
    small = (-state.slope / 2 <= stopping.decrease) | (state.gradient.flatten(1).abs().amax(1) <= stopping.gradient)
    return small | (state.step < SHORTEST)


def _advance(state: _State, objective: Objective, precondition: Precondition) -> None:
    """Try one step for every problem, and keep it if the loss falls enough."""
    move = _times(state.step, state.direction)
    trial = state.point + move
    loss, gradient = objective(trial, state.which)
    promised = (state.step * state.slope).double()
    good = loss <= state.loss + SUFFICIENT * promised + ROUNDING * state.loss.abs()
    _remember(state, _times(good, move), _times(good, gradient - state.gradient))
    # The minimum of the parabola through both losses and the slope, within bounds.
    shrink = (-promised / (2 * (loss - state.loss - promised))).nan_to_num(0.1).clamp(0.1, 0.5).float()
    state.point = _choose(good, trial, state.point)
    state.gradient = _choose(good, gradient, state.gradient)
    state.loss = torch.where(good, loss, state.loss)
    state.direction = _choose(good, _direction(state, precondition), state.direction)
    state.slope = _dot(state.direction, state.gradient)
    state.step = torch.where(good, torch.ones_like(state.step), state.step * shrink)


def _remember(state: _State, move: Tensor, change: Tensor) -> None:
    """Append a pair; a pair without positive curvature (a refused step, or rounding) is void."""
    curvature = _dot(move, change)
    void = curvature <= 1e-8 * (_dot(move, move) * _dot(change, change)).sqrt()
    state.steps = torch.cat([state.steps, move[None]])[-HISTORY:]
    state.changes = torch.cat([state.changes, change[None]])[-HISTORY:]
    state.curvature = torch.cat([state.curvature, curvature.masked_fill(void, 0)[None]])[-HISTORY:]


def _direction(state: _State, precondition: Precondition) -> Tensor:
    """Minus the inverse Hessian times the gradient, by the two-loop recursion, [A, ...]."""
    rho = torch.where(state.curvature > 0, 1 / state.curvature, 0)
    rest = state.gradient.clone()
    shares = []
    for move, change, weight in zip(state.steps.flip(0), state.changes.flip(0), rho.flip(0), strict=True):
        share = weight * _dot(move, rest)
        rest -= _times(share, change)
        shares.append(share)
    rest = _times(_scale(state, precondition), precondition(rest, state.which))
    for move, change, weight, share in zip(state.steps, state.changes, rho, reversed(shares), strict=True):
        rest += _times(share - weight * _dot(change, rest), move)
    return -rest


def _scale(state: _State, precondition: Precondition) -> Tensor:
    """The scale of the preconditioner by the newest pair, [A]; 1 where the pair is void."""
    change, curvature = state.changes[-1], state.curvature[-1]
    bent = _dot(change, precondition(change, state.which))
    return torch.where((curvature > 0) & (bent > 0), curvature / bent, 1)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).flatten(1).sum(1)


def _times(factors: Tensor, rows: Tensor) -> Tensor:
    """Each row times its factor; factors [A], rows [A, ...]."""
    return factors.view(-1, *(1,) * (rows.dim() - 1)) * rows


def _choose(mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return torch.where(mask.view(-1, *(1,) * (first.dim() - 1)), first, second)
