"""A training's state after an epoch, in one file, from which another run continues to the same numbers. The format is safetensors, without pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from thaw.finetuning.result import Epoch
from thaw.foundation.files.atomic import atomic

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class State:
    """The state that the rest of a training depends on. model: the weights. average: their moving average. best: the average of the best epoch. optimiser: its
    tensors by name. logits: of the held-out examples in the best epoch; [0, C] without held-out examples."""

    history: tuple[Epoch, ...]
    best_epoch: int
    model: Tensors
    average: Tensors
    best: Tensors
    optimiser: Tensors
    logits: Tensor

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self.history[-1].number


_HISTORY = TypeAdapter(tuple[Epoch, ...])
_PARTS = ("model", "average", "best", "optimiser")


def write_state(state: State, path: Path) -> None:
    """Write the state, atomically."""
    tensors = {f"{part}/{name}": tensor for part in _PARTS for name, tensor in getattr(state, part).items()}
    tensors["logits"] = state.logits
    # safetensors needs separate memory for each tensor, and the average and the best one may share theirs.
    own = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    metadata = {"history": _HISTORY.dump_json(state.history).decode(), "best_epoch": str(state.best_epoch)}
    with atomic(path) as temporary:
        save_file(own, temporary, metadata)


def read_state(path: Path) -> State | None:
    """The state in the file; None if there is none or it is damaged, and the training then starts from the beginning."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # the file is no mapping
        history = _HISTORY.validate_json(metadata["history"])
        parts = {part: _below(tensors, part) for part in _PARTS}
        return State(history=history, best_epoch=int(metadata["best_epoch"]), logits=tensors["logits"], **parts)
    except (OSError, SafetensorError, ValidationError, KeyError, TypeError):
        return None


def _below(tensors: Tensors, part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """The optimiser's tensors of each parameter, as `NUMBER/NAME`."""
    state: dict[int, dict[str, Any]] = optimiser.state_dict()["state"]
    return {f"{number}/{name}": tensor for number, values in state.items() for name, tensor in values.items()}


def load_optimiser(optimiser: Optimizer, tensors: Tensors) -> None:
    """Load tensors of `optimiser_tensors` into the optimiser."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
