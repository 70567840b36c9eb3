"""The training of a detector from clips of the trigger and from hours without it.

A clip says that the trigger is in it, not where: it is a bag of windows, of which the best one counts (Dietterich, Lathrop and Lozano-Perez, Artificial
Intelligence 1997; in turns of choosing and fitting as Andrews et al., NeurIPS 2002). The first choice matters most: windows that end where the clip's speech
ends miss far less than all windows of the clip. Of the hours without the trigger, the windows that look most like it are
searched anew in each turn (Sung and Poggio, PAMI 1998).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.heads.logistic import fit_logistic
from thaw.heads.mlp import MlpModel, MlpSettings, averaged, fit_mlps
from thaw.heads.trigger.detector import Detector, WindowModel, windows_of
from thaw.targets.trigger.events import events

Numbers = NDArray[np.int64]
_LATE = 3
"""The windows of a clip that count before the first turn; they end up to 0.16 s after its speech."""
Clip = Sequence[Tensor]
"""A clip of the trigger in several versions (clean, in noise), each float32 [P, D]; the trigger is at the same places in all of them."""


@dataclass(frozen=True)
class DetectorSettings:
    """places: of a window. turns: of choosing windows and fitting. around: the windows on either side of a clip's best one that count as the trigger too.
    negatives: the windows without the trigger that are drawn at random. hard: those that each turn adds. l2: of the one layer. hidden, dropout, decay, epochs:
    of several new layers. networks: of several layers, whose mean scores count after the last turn.
    """

    layers: Literal["one", "several"] = "one"
    places: int = 16
    turns: int = 2
    around: int = 1
    negatives: int = 3000
    hard: int = 500
    l2: float = 1e-2
    hidden: tuple[int, ...] = (128,)
    dropout: float = 0.5
    decay: float = 1e-2
    epochs: int = 30
    networks: int = 3
    seed: int = 0


def fit_detector(
    clips: Sequence[Clip], negatives: Sequence[Tensor], settings: DetectorSettings, ends: Sequence[int] | None = None
) -> Detector:
    """Fit a detector; negatives: sequences without the trigger, float32 [P, D] each.

    ends: the place of each clip at which its speech ends, where the search for the trigger begins; None: anywhere.

    Raises:
        ValueError: no clip, or no sequence without the trigger, is as long as a window.
    """
    fitting = [number for number, clip in enumerate(clips) if _fits(clip[0], settings)]
    bags = [torch.stack([windows_of(each, settings.places) for each in clips[number]]) for number in fitting]
    quiet = _Windows([each for each in negatives if _fits(each, settings)], settings)
    if not bags or not quiet.sequences:
        raise ValueError(
            f"a window has {settings.places} places, and no clip or no sound without the trigger has as many"
        )
    chosen = quiet.drawn()
    first = bags if ends is None else [_ending(bag, ends[number]) for number, bag in zip(fitting, bags, strict=True)]
    positives = torch.cat([bag.flatten(0, 1) for bag in first])
    detector = _fit(positives, quiet.at(chosen), settings)
    for turn in range(1, settings.turns + 1):
        positives = torch.cat([_best(bag, detector, settings.around) for bag in bags])
        chosen = np.union1d(chosen, quiet.hardest(detector))
        detector = _fit(positives, quiet.at(chosen), settings, settings.networks if turn == settings.turns else 1)
    return detector


class _Windows:
    """The windows of many sequences, by number."""

    def __init__(self, sequences: Sequence[Tensor], settings: DetectorSettings) -> None:
        self.sequences, self.settings = sequences, settings
        counts = [len(each) - settings.places + 1 for each in sequences]
        self.ends = np.cumsum(counts, dtype=np.int64)

    def drawn(self) -> Numbers:
        """Numbers at random, rising."""
        total = int(self.ends[-1])
        draw = np.random.default_rng(self.settings.seed)
        return np.sort(draw.choice(total, min(total, self.settings.negatives), replace=False))

    def at(self, numbers: Numbers) -> Tensor:
        """[N] -> [N, places, D]."""
        whose = np.searchsorted(self.ends, numbers, side="right")
        places = numbers - np.concatenate([[0], self.ends])[whose]
        own = [
            self.sequences[each][place : place + self.settings.places]
            for each, place in zip(whose, places, strict=True)
        ]
        return torch.stack(own)

    def hardest(self, detector: Detector) -> Numbers:
        """The numbers of the highest scores; neighbours that overlap by more than half a window are left out."""
        scores = torch.cat([detector.scores(each) for each in self.sequences]).numpy()
        most = min(len(scores), self.settings.hard * self.settings.places)
        floor = float(np.partition(scores, -most)[-most])
        found = events(scores, floor, self.settings.places // 2)
        return found[np.argsort(-scores[found], kind="stable")][: self.settings.hard]


def _fits(sequence: Tensor, settings: DetectorSettings) -> bool:
    return len(sequence) >= settings.places


def _ending(bag: Tensor, end: int) -> Tensor:
    """The windows of all versions that end at a place or a little later: [V, M, places, D] -> [V, N, places, D]."""
    first = min(max(0, end - bag.shape[2] + 1), bag.shape[1] - 1)
    return bag[:, first : first + _LATE]


def _best(bag: Tensor, detector: Detector, around: int) -> Tensor:
    """The windows around the best one of all versions together: [V, M, places, D] -> [N, places, D]."""
    versions, windows = bag.shape[:2]
    scores = detector.model.logits(bag.flatten(0, 1).flatten(1)).view(versions, windows)
    best = int(scores.mean(0).argmax())
    return bag[:, max(0, best - around) : best + around + 1].flatten(0, 1)


def _fit(positives: Tensor, negatives: Tensor, settings: DetectorSettings, networks: int = 1) -> Detector:
    """Both classes weigh the same."""
    rows = torch.cat([positives, negatives]).flatten(1)
    targets = (torch.arange(len(rows)) < len(positives))[:, None]
    weights = len(rows) / 2 / torch.tensor([[len(negatives)], [len(positives)]], dtype=torch.float32)
    if settings.layers == "one":
        model: WindowModel = fit_logistic(rows, targets, class_weights=weights, l2=[settings.l2])[0]
    else:
        model = averaged([_several(rows, targets, weights, settings, seed) for seed in range(networks)])
    return Detector(model, settings.places)


def _several(rows: Tensor, targets: Tensor, weights: Tensor, settings: DetectorSettings, number: int) -> MlpModel:
    """The network of a number; each has its own seed."""
    seed = 1000 * settings.seed + number
    several = MlpSettings(settings.hidden, settings.dropout, (settings.decay,), settings.epochs, seed)
    *_, (_, models) = fit_mlps(rows, targets, class_weights=weights, settings=several)
    return models[0]
