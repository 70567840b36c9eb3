"""A head as openWakeWord trains them: three dense layers on 16 x 96 flattened numbers, one window a clip, which ends where the speech ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from triggers.recordings import Recording

from thaw.heads.trigger.detector import windows_of

PLACES, WIDTH = 16, 128
STEPS, BATCH = 400, 256
LATE = 3
"""A window of the training ends up to so many places after the speech, about 0.2 s as in openWakeWord."""


@dataclass(frozen=True, eq=False)
class DenseDetector:
    """The network, and the statistics of its inputs."""

    network: nn.Module
    places: int = PLACES

    @torch.inference_mode()
    def scores(self, sequence: Tensor) -> Tensor:
        """See `thaw.heads.trigger.detector.Detector`."""
        if len(sequence) < PLACES:
            return sequence.new_zeros(0)
        return self.network(windows_of(sequence, PLACES).flatten(1))[:, 0].clone()


def fit_dense(clips: Sequence[Recording], others: Sequence[Tensor], seed: int) -> DenseDetector:
    """Positives in the same versions as ours, negatives at random from the same sound."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    positives = torch.cat([_windows(clip, version) for clip in clips for version in (clip.clean, *clip.training)])
    quiet = torch.cat([windows_of(each, PLACES) for each in others if len(each) >= PLACES])
    network = nn.Sequential(
        nn.BatchNorm1d(PLACES * 96, affine=False),
        nn.Linear(PLACES * 96, WIDTH),
        nn.LayerNorm(WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.LayerNorm(WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 1),
    )
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(STEPS):
        rows = [
            each[torch.randint(len(each), (count,), generator=generator)].flatten(1)
            for each, count in ((positives, BATCH // 4), (quiet, BATCH))
        ]
        logits = [network(torch.cat(rows))[:, 0]]
        wanted = torch.cat([torch.ones(len(rows[0])), torch.zeros(len(rows[1]))])
        loss = F.binary_cross_entropy_with_logits(logits[0], wanted, pos_weight=torch.tensor(4.0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return DenseDetector(network.eval())


def _windows(clip: Recording, version: Tensor) -> Tensor:
    last = len(version) - PLACES
    starts = {min(max(0, clip.end + late - PLACES + 1), last) for late in range(LATE)}
    return torch.stack([version[start : start + PLACES] for start in sorted(starts)])
