"""The feeds of the thawed part: examples through the frozen part, or the frozen part's activations from the cache."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from thaw.backbones.backbone import Backbone
from thaw.kinds.batches import Batch, laid_out, moved, tensor_of, trimmed
from thaw.kinds.kind import Mixing
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.views import named_augmentation


class Feed(Protocol):
    """Inputs of the thawed part by row: float32 [B, ...] or a mapping, on the given device."""

    def __len__(self) -> int: ...

    def plain(self, rows: Tensor, device: torch.device) -> Batch:
        """The unchanged examples; rows: int64 [B]."""

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Batch, Tensor]:
        """The augmented examples, by torch's global generator, with their targets; targets are float32 [B, C] if examples are mixed."""


@dataclass(frozen=True, eq=False)
class InputFeed:
    """Examples that are augmented, normalised, mixed (mixing None: not) and passed through the frozen part (lower None: no layer is frozen)."""

    inputs: LabelledInputs
    backbone: Backbone
    lower: nn.Module | None
    augment: str
    mixing: Mixing | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def plain(self, rows: Tensor, device: torch.device) -> Batch:
        """See `Feed`."""
        return self._through(self._normalised(self.inputs.batch(rows), device))

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Batch, Tensor]:
        """See `Feed`."""
        kind = self.backbone.kind
        augmented = kind.augment(self.inputs.batch(rows), named_augmentation(self.augment, kind))
        batch, targets = self._normalised(augmented, device), targets.to(device)
        if self.mixing is not None:
            batch, targets = self.mixing(batch, targets)
        return self._through(batch), targets

    def _normalised(self, batch: Batch, device: torch.device) -> Batch:
        preprocessing = self.backbone.preprocessing
        return laid_out(preprocessing.normalise(moved(trimmed(batch, preprocessing.mask(batch)), device)))

    def _through(self, batch: Batch) -> Batch:
        if self.lower is None:
            return batch
        with torch.no_grad():
            activations: Tensor = self.lower.to(tensor_of(batch).device)(batch)
            return activations


@dataclass(frozen=True, eq=False)
class ActivationFeed:
    """The frozen part's activations, float32 [N, V, ...], in each of the views that augmentation chooses from, the plain view first."""

    activations: Tensor

    def __len__(self) -> int:
        return len(self.activations)

    def plain(self, rows: Tensor, device: torch.device) -> Tensor:
        """See `Feed`."""
        return self._on(self.activations[rows, 0], device)

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """See `Feed`."""
        view = torch.randint(self.activations.shape[1], (len(rows),))
        return self._on(self.activations[rows, view], device), targets.to(device)

    def _on(self, batch: Tensor, device: torch.device) -> Tensor:
        moved = batch.to(device)
        return moved.contiguous(memory_format=torch.channels_last) if moved.dim() == 4 else moved
