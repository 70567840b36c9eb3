"""The training of a network by gradients: batches in a new order in each epoch, Adam with a rate that falls to 0 in a line, and a state that is whole."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.pretraining.texts.settings import EncoderSettings

_LARGEST_NORM = 5.0
"""Longer gradients of all dense parameters together are shortened (Pascanu, Mikolov and Bengio, ICML 2013)."""


class GradientSettings(EncoderSettings):
    """The settings of all networks that learn by gradients."""

    batch_size: Annotated[int, Field(ge=2, description="examples of a step")] = 64
    epochs: Annotated[int, Field(ge=1)] = 3
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.001


class Objective(Protocol):
    """What a network learns."""

    @property
    def network(self) -> nn.Module:
        """All that learns; tables of words may have sparse gradients."""

    @property
    def examples(self) -> int:
        """The number of examples."""

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """The mean loss of the examples of those numbers; all its randomness comes from `chance`."""

    def weights(self) -> Weights:
        """See `Training`."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks that are built within have the random weights of the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class GradientTraining:
    """A `Training`; a step is a batch."""

    def __init__(self, objective: Objective, settings: GradientSettings) -> None:
        if objective.examples < settings.batch_size:
            raise BadParameters(
                f"the corpus has {objective.examples:,} examples, and a batch takes {settings.batch_size:,}; give more text, with the sentences in their "
                f"order, or set batch_size lower"
            )
        self._objective, self._settings = objective, settings
        self._learning = {name: each for name, each in objective.network.named_parameters() if each.requires_grad}
        rare = _sparse_parameters(objective.network)
        sparse = [each for name, each in self._learning.items() if name in rare]
        self._dense = [each for name, each in self._learning.items() if name not in rare]
        rate = settings.learning_rate
        self._optimisers: list[torch.optim.Optimizer] = []
        if sparse:
            self._optimisers.append(torch.optim.SparseAdam(sparse, lr=rate))
        if self._dense:
            self._optimisers.append(torch.optim.Adam(self._dense, lr=rate))
        self._order: tuple[int, NDArray[np.int64]] | None = None

    @property
    def steps(self) -> int:
        """See `Training`."""
        return self._settings.epochs * self._steps_of_epoch

    @property
    def _steps_of_epoch(self) -> int:
        return self._objective.examples // self._settings.batch_size

    def step(self, number: int) -> float:
        """See `Training`."""
        chance = np.random.default_rng((self._settings.seed, 1, number))
        loss = self._objective.loss(self._rows(number), chance)
        rate = self._settings.learning_rate * (1 - number / self.steps)
        for optimiser in self._optimisers:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = rate
        loss.backward()
        if self._dense:
            nn.utils.clip_grad_norm_(self._dense, _LARGEST_NORM)
        for optimiser in self._optimisers:
            optimiser.step()
        return float(loss.detach())

    def _rows(self, number: int) -> NDArray[np.int64]:
        """The examples of a step, of a new order in each epoch."""
        epoch, place = divmod(number, self._steps_of_epoch)
        if self._order is None or self._order[0] != epoch:
            chance = np.random.default_rng((self._settings.seed, 0, epoch))
            self._order = epoch, chance.permutation(self._objective.examples)
        size = self._settings.batch_size
        return self._order[1][place * size : (place + 1) * size]

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        tensors: dict[str, Tensor] = {f"network/{name}": each for name, each in self._learning.items()}
        for name, each in self._learning.items():
            for optimiser in self._optimisers:
                own = optimiser.state.get(each, {})
                tensors |= {f"adam/{name}/{key}": torch.as_tensor(value) for key, value in own.items()}
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        for name, each in self._learning.items():
            with torch.no_grad():
                each.copy_(state[f"network/{name}"])
            begun = f"adam/{name}/"
            own: dict[str, Tensor | int] = {
                key.removeprefix(begun): value for key, value in state.items() if key.startswith(begun)
            }
            if not own:
                continue
            for optimiser in self._optimisers:
                if any(each is one for group in optimiser.param_groups for one in group["params"]):
                    if isinstance(optimiser, torch.optim.SparseAdam):
                        own["step"] = int(own["step"])
                    optimiser.state[each] = own

    def weights(self) -> Weights:
        """See `Training`."""
        return self._objective.weights()


def _sparse_parameters(network: nn.Module) -> set[str]:
    return {
        f"{name}.weight".removeprefix(".")
        for name, module in network.named_modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
    }
