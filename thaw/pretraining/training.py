"""A training in steps, whose state is kept on the disk: killed and started again, it ends with the same numbers."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from thaw.backbones.weights import Weights
from thaw.foundation.files.atomic import atomic
from thaw.foundation.parallel.progress import Progress, untold

SAVED_EVERY_S = 60.0
"""Seconds between two states on the disk; the time has no effect on the numbers."""
_STATE = "state.safetensors"
_LOSSES = 50
"""The number of losses that are kept for the record."""


class Training(Protocol):
    """A training. The randomness of a step depends on the seed and the step's number alone, never on the steps before it."""

    @property
    def steps(self) -> int:
        """The number of all steps."""

    def step(self, number: int) -> float | None:
        """Do the step of that number, from 0 on, and return its loss; None: it has none."""

    def state(self) -> Mapping[str, Tensor]:
        """Everything that later steps depend on, by name."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""

    def weights(self) -> Weights:
        """The backbone of what is learnt, with its architecture and preprocessing in the metadata."""


@dataclass(frozen=True)
class Ran:
    """The record of a training. losses: pairs of a step and the mean loss since the pair before. seconds: of all processes that did a part of it."""

    losses: tuple[tuple[int, float], ...]
    seconds: float


def run_training(
    training: Training, folder: Path, progress: Progress = untold, *, saved_every_s: float = SAVED_EVERY_S
) -> Ran:
    """Do all steps that are not done yet, and keep the last state in `folder`."""
    account = _load(training, folder) or _Account(0, (), (), 0.0)
    saved = time.monotonic()
    while account.done < training.steps:
        began = time.monotonic()
        loss = training.step(account.done)
        account = account.after(loss, training.steps, time.monotonic() - began)
        if time.monotonic() - saved >= saved_every_s or account.done == training.steps:
            _save(training, account, folder)
            saved = time.monotonic()
        progress(account.done, training.steps)
    return Ran(account.losses, account.seconds)


@dataclass(frozen=True)
class _Account:
    """done: the number of steps. open: losses since the last pair of `losses`."""

    done: int
    losses: tuple[tuple[int, float], ...]
    open: tuple[float, ...]
    seconds: float

    def after(self, loss: float | None, steps: int, seconds: float) -> "_Account":
        done, spent = self.done + 1, self.seconds + seconds
        open_ = self.open if loss is None else (*self.open, loss)
        if not open_ or (done % max(steps // _LOSSES, 1) and done < steps):
            return _Account(done, self.losses, open_, spent)
        return _Account(done, (*self.losses, (done, round(sum(open_) / len(open_), 4))), (), spent)


def _save(training: Training, account: _Account, folder: Path) -> None:
    # safetensors needs separate memory for each tensor.
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in training.state().items()}
    with atomic(folder / _STATE) as temporary:
        save_file(tensors, temporary, {"account": json.dumps(vars(account))})


def _load(training: Training, folder: Path) -> _Account | None:
    try:
        with safe_open(folder / _STATE, "pt") as file:
            given = json.loads(file.metadata()["account"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # the file is no mapping
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    training.load(tensors)
    losses = tuple((step, loss) for step, loss in given["losses"])
    return _Account(given["done"], losses, tuple(given["open"]), given["seconds"])
