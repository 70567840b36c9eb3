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
    """What a block brought: the scores of the windows that end in it, float32 [P, W] of W triggers, and the events among them, in the order of time."""

    scores: Tensor
    events: tuple[Event, ...]


class Listener:
    """One stream, from its start, and one or more triggers on the same network. Scores and events are those of the whole recording, whatever the size of the
    blocks.

    Raises:
        BadParameters: see `thaw.features.sequences.network.refuse_unless_local`.
        ValueError: the triggers have windows of different lengths.
    """

    def __init__(self, *models: TriggerModel) -> None:
        if len({model.detector.places for model in models}) != 1:
            raise ValueError("the triggers of a stream have windows of one length")
        self._models = models
        self._begin(FeatureStream(models[0].backbone))

    def _begin(self, stream: FeatureStream) -> None:
        self._stream = stream
        self._last: Tensor | None = None
        """The features that windows to come begin with."""
        self._windows = 0
        """The number of windows so far."""
        self._free = [0] * len(self._models)
        """The first window of each trigger that may be an event."""

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
        return rate_of(self._models[0].backbone)

    def feed(self, block: Tensor) -> Heard:
        """Hear another block, float32 [T], at the network's rate."""
        return self._hear(self._stream.feed(block))

    def end(self) -> Heard:
        """Hear the rest of the last frame."""
        return self._hear(self._stream.end())

    def _hear(self, features: Tensor) -> Heard:
        if not len(features):
            return Heard(torch.zeros(0, len(self._models)), ())
        sequence = features if self._last is None else torch.cat([self._last, features])
        places = self._models[0].detector.places
        scores = torch.stack([model.detector.scores(sequence) for model in self._models], 1)
        self._last = sequence[max(0, len(sequence) - places + 1) :]
        found = [event for number in range(len(self._models)) for event in self._events(number, scores[:, number])]
        self._windows += len(scores)
        return Heard(scores, tuple(sorted(found, key=lambda event: event.at_s)))

    def _events(self, number: int, scores: Tensor) -> list[Event]:
        """The events of a trigger; scores: float32 [P]."""
        model, found = self._models[number], []
        for place in (scores > model.promise.threshold).nonzero()[:, 0].tolist():
            window = self._windows + place
            if window >= self._free[number]:
                self._free[number] = window + model.refractory
                found.append(Event(model.word, self._end_s(window), float(scores[place])))
        return found

    def _end_s(self, window: int) -> float:
        last = window + self._models[0].detector.places - 1
        return round(last * self._stream.period_s + self._stream.window_s, 3)
