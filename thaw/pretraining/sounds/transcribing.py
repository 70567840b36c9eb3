"""What the pretrained network hears: phones of sounds, and their error rate on real speech."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.phones import STRIDE, PhoneNetwork
from thaw.kinds.sounds.framed import MASK
from thaw.pretraining.sounds.phones import BLANK, error_rate


def transcribed(network: PhoneNetwork, reader: nn.Linear, batch: Mapping[str, Tensor]) -> list[list[int]]:
    """The numbers of the phones of each sound: the best of each place, once while it lasts, without blanks; reader: from a place to scores of phones."""
    with torch.no_grad():
        best = reader(network.places(batch)).argmax(2)
    lengths = batch[MASK][:, ::STRIDE].sum(1)
    rows = [row[:length].tolist() for row, length in zip(best, lengths.tolist(), strict=True)]
    return [[phone for phone, _ in groupby(row) if phone != BLANK] for row in rows]


def phone_error_rate(
    network: PhoneNetwork, reader: nn.Linear, batches: Sequence[Mapping[str, Tensor]], true: Sequence[Sequence[int]]
) -> float:
    """Errors a true phone; true: of all sounds of the batches, in order."""
    found = [phones for batch in batches for phones in transcribed(network, reader, batch)]
    return error_rate(found, true)
