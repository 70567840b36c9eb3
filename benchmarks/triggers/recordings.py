"""Real recordings for the benchmark of triggers: their features, clean and in a kitchen."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from torch import Tensor, nn

from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.encoders.speech_embedding import LOCAL, RATE, network_named
from thaw.backbones.weights import read_weights
from thaw.kinds.sounds.framed import framed

BEFORE_S, BEHIND_S = 1.2, 0.6
"""Quiet around each recording, so that windows lie at its very ends too; it counts as no time."""
QUIET = 1e-3
GAP_S = 0.2
DIGITS = 50
"""Spoken digits of a speaker that stand in one recording."""
SNR = 10.0
TRAINING_SNRS = (20.0, 10.0, 5.0)


@dataclass(frozen=True, eq=False)
class Recording:
    """Features float32 [P, 96] each: clean, in the second half of the kitchen, and in its first half for the training. end: the last place of speech."""

    source: str
    group: str
    hours: float
    clean: Tensor
    noisy: Tensor
    training: tuple[Tensor, ...]
    end: int


class Ear:
    """Recordings to features. Noise is scaled to a ratio of mean powers over the whole recording."""

    def __init__(self, root: Path, folder: Path) -> None:
        weights = read_weights(convert(Source(Path("speech-embedding")), folder / "weights.safetensors").path)
        network = network_named(LOCAL, 1)
        assert network is not None
        network.load_state_dict(weights.tensors)
        network.fc = nn.Identity()
        self.network = network.eval()
        self.draw = np.random.default_rng(0)
        self.first, self.second = np.array_split(read(root / "noise/kitchen.flac"), 2)

    def hear(self, source: str, group: str, wave: np.ndarray, snrs: tuple[float, ...]) -> Recording:
        around = [QUIET * self.draw.standard_normal(int(each * RATE)) for each in (BEFORE_S, BEHIND_S)]
        placed = np.concatenate([around[0], wave, around[1]]).astype(np.float32)
        power = float(np.square(wave).mean())
        return Recording(
            source=source,
            group=group,
            hours=len(wave) / RATE / 3600,
            clean=self.features(placed),
            noisy=self.features(self.mixed(placed, self.second, power, SNR)),
            training=tuple(self.features(self.mixed(placed, self.first, power, each)) for each in snrs),
            end=end_of_speech(placed),
        )

    def mixed(self, placed: np.ndarray, noise: np.ndarray, power: float, snr: float) -> np.ndarray:
        start = self.draw.integers(len(noise))
        own = np.take(noise, np.arange(start, start + len(placed)), mode="wrap")
        return placed + own * np.sqrt(power / np.square(own).mean() / 10 ** (snr / 10)).astype(np.float32)

    @torch.inference_mode()
    def features(self, wave: np.ndarray) -> Tensor:
        batch = {name: tensor[None] for name, tensor in framed(torch.from_numpy(wave), RATE).items()}
        found: Tensor = self.network(batch)[0]
        return found.clone()


def clips_in(root: Path, ear: Ear, every: int) -> dict[str, list[Recording]]:
    """The clips of each trigger, each its own group."""
    return {
        folder.name: [ear.hear(folder.name, str(path), read(path), TRAINING_SNRS) for path in flacs(folder, every)]
        for folder in sorted((root / "wakewords").iterdir())
    }


def others_in(root: Path, ear: Ear, every: int) -> list[Recording]:
    """Recordings without a trigger: commands, other speech, and spoken digits, 50 of one speaker together and the speaker as the group."""
    return [ear.hear(source, group, wave, (SNR,)) for source, group, wave in _others(root, every)]


def _others(root: Path, every: int) -> Iterator[tuple[str, str, np.ndarray]]:
    for source in ("commands", "not_wake_words"):
        for path in flacs(root / source, every):
            yield source, str(path), read(path)
    draw = np.random.default_rng(0)
    gap = (QUIET * draw.standard_normal(int(GAP_S * RATE))).astype(np.float32)

    def speaker(path: Path) -> str:
        return path.stem.split("_")[1]

    for name, given in groupby(sorted(flacs(root / "fsdd", every), key=speaker), speaker):
        files = list(given)
        draw.shuffle(files)  # type: ignore[arg-type]
        for start in range(0, len(files), DIGITS):
            waves = [part for path in files[start : start + DIGITS] for part in (read(path), gap)]
            yield "fsdd", name, np.concatenate(waves)


def flacs(folder: Path, every: int) -> list[Path]:
    return sorted(folder.glob("*.flac"))[::every]


def read(path: Path) -> np.ndarray:
    """One channel at 16 kHz, float32 [T]."""
    samples, rate = soundfile.read(path, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def end_of_speech(wave: np.ndarray) -> int:
    """The place of 80 ms after the last 80 ms within 25 dB of the loudest, as seen by a network that looks back 0.79 s."""
    blocks = wave[: len(wave) // 1280 * 1280].reshape(-1, 1280)
    level = 10 * np.log10(np.square(blocks).mean(1) + 1e-9)
    return max(0, int(np.flatnonzero(level > level.max() - 25)[-1]) + 1 - 9)
