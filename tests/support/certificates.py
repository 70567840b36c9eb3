"""A contest's outcome to make certificates of."""

import numpy as np
import torch

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.kind import Words
from thaw.strategies.certificate.contest import Competitor, Outcome, Skipped
from thaw.strategies.certificate.record import Certificate, Terms, certify

HOSTILE = "<b>evil</b>"
WORDS = Words("sound", "sounds", "sound.wav", "mean log-mel spectra")


def learnt(name: str, role: str = "strategy") -> Competitor:
    return Competitor(name, role, lambda draw: torch.zeros(0, 3).bool(), megabytes=None if name == "majority" else 4.9)  # type: ignore[arg-type]


def certificate(
    strategy: str = "linear", rows: int = 200, shares: dict[str, float] | None = None, seed: int = 0
) -> Certificate:
    """shares: how often each way to learn is right."""
    shares = shares or {"linear": 0.9, "full": 0.92, "scratch": 0.6, "majority": 0.3}
    noise = np.random.default_rng(seed)
    targets = noise.integers(3, size=rows)
    predicted = {
        name: np.where(noise.random((3, rows)) < share, targets, (targets + 1) % 3) for name, share in shares.items()
    }
    baselines = {"plain", "scratch", "majority", "random_backbone"}
    competitors = [learnt(name, "baseline" if name in baselines else "strategy") for name in shares]
    named = {name: np.eye(3, dtype=np.bool_)[classes] for name, classes in predicted.items()}
    outcome = Outcome(named, dict.fromkeys(shares, 30.0), (Skipped(HOSTILE, "3 trainings would take an hour"),))
    return certify(
        competitors, outcome, torch.from_numpy(targets), Terms(strategy, 50, (0, 1, 2), redrawn=True), Resampling(300)
    )
