"""A listener: blocks of sound in, scores and events out."""

from copy import copy
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from thaw.features.sequences.network import rate_of
from thaw.models.listening.sequences import FeatureStream
from thaw.models.listening.trigger_model import TriggerModel


@dataclass(frozen=True)
class Event:
    """A trigger that was heard. at_s: the end of the window, from the start of the stream. score: log-odds, above the threshold."""

    word: str
    at_s: float
    score: float


@dataclass(frozen=True, eq=False)
class Heard:
    """What a block brought: the scores of the windows that end in it, float32 [P], and the events among them."""

    scores: Tensor
    events: tuple[Event, ...]


class Listener:
    """One stream, from its start. Scores and events are those of the whole recording, whatever the size of the blocks.

    Raises:
        BadParameters: see `thaw.features.sequences.network.refuse_unless_local`.
    """

    def __init__(self, model: TriggerModel) -> None:
        self._model = model
        self._begin(FeatureStream(model.backbone))

    def _begin(self, stream: FeatureStream) -> None:
        self._stream = stream
        self._last: Tensor | None = None
        """The features that windows to come begin with."""
        self._windows = 0
        """The number of scores so far."""
        self._free = 0
        """The first window that may be an event."""

    @property
    def period_s(self) -> float:
        """Between two scores."""
        return self._stream.period_s

    @property
    def first_s(self) -> float:
        """Where the window of the first score ends."""
        return self._end_s(0)

    def fresh(self) -> Self:
        """A listener to another stream from its start; it takes far less time than the first one."""
        other = copy(self)
        other._begin(self._stream.fresh())
        return other

    @property
    def rate(self) -> int:
        """The samples a second that it takes."""
        return rate_of(self._model.backbone)

    def feed(self, block: Tensor) -> Heard:
        """Hear another block, float32 [T], at the network's rate."""
        return self._hear(self._stream.feed(block))

    def end(self) -> Heard:
        """Hear the rest of the last frame."""
        return self._hear(self._stream.end())

    def _hear(self, features: Tensor) -> Heard:
        if not len(features):
            return Heard(torch.zeros(0), ())
        sequence = features if self._last is None else torch.cat([self._last, features])
        places = self._model.detector.places
        scores = self._model.detector.scores(sequence)
        self._last = sequence[max(0, len(sequence) - places + 1) :]
        heard = Heard(scores, tuple(self._events(scores)))
        self._windows += len(scores)
        return heard

    def _events(self, scores: Tensor) -> list[Event]:
        found = []
        for place in (scores > self._model.promise.threshold).nonzero()[:, 0].tolist():
            window = self._windows + place
            if window >= self._free:
                self._free = window + self._model.refractory
                found.append(Event(self._model.word, self._end_s(window), float(scores[place])))
        return found

    def _end_s(self, window: int) -> float:
        last = window + self._model.detector.places - 1
        return round(last * self._stream.period_s + self._stream.window_s, 3)
