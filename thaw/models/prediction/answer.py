"""A model's answer for examples, of any target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thaw.heads import FittedHead
from thaw.heads.open_set import Openness
from thaw.targets.target import BoolArray, Target, TargetName, target_named


@dataclass(frozen=True)
class HeardAt:
    """A trigger in a recording; at_s: where the window ends in which it is heard, in seconds."""

    word: str
    at_s: float


@dataclass(frozen=True, eq=False)
class Answer:
    """A model's answer for N examples.

    probabilities: float32 [N, C], calibrated; with one label each row sums to 1. named: bool [N, C], the named classes; with one label one class, or none if
    the input is of no known class. known_scores: float32 [N], larger for better known inputs; None if the model has no `neither`.
    events: of each recording, rising; None if the model hears no triggers.
    """

    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    named: BoolArray
    known_scores: NDArray[np.float32] | None = None
    target_name: TargetName = "one_label"
    events: tuple[tuple[HeardAt, ...], ...] | None = None

    @property
    def target(self) -> Target:
        """The target of the labels."""
        return target_named(self.target_name)

    @property
    def accepted(self) -> BoolArray:
        """Whether each input counts as one of a known class, bool [N]; for one label."""
        return np.asarray(self.named.any(1))

    @property
    def closed_set(self) -> BoolArray:
        """The classes that would be named if every input counted as one of a known class, bool [N, C]."""
        return self.target.closed_set(self.probabilities, self.named)

    @property
    def columns(self) -> "dict[str, Sequence[Any] | NDArray[Any]]":
        """The answer as columns of N values: `Target.answers`, `known_score`, float32, if the model has `neither`, and with triggers the lists `heard`, the
        words of the events, and `at_s`, their times."""
        answered = self.target.answered(self.class_names, self.probabilities, self.named)
        if self.events is not None:
            heard = [[event.word for event in own] for own in self.events]
            return {**answered, "heard": heard, "at_s": [[event.at_s for event in own] for own in self.events]}
        return answered if self.known_scores is None else {**answered, "known_score": self.known_scores}

    @property
    def labels(self) -> list[Any]:
        """The label of each example, `neither` if it has none; with label sets the set, as a list in the order of the classes."""
        return list(self.columns[self.target.answers[0]])

    @property
    def confidences(self) -> NDArray[np.float32] | None:
        """The probability of the most probable class, float32 [N]; None for label sets."""
        values = self.columns.get("confidence")
        return None if values is None else np.asarray(values, np.float32)


def answer(head: FittedHead, openness: Openness | None, features: Tensor) -> Answer:
    """A head's answer for features, float32 [N, D]; openness None: every input counts as one of a known class."""
    probabilities = head.probabilities(features)
    shares, named = np.asarray(probabilities.numpy(), np.float32), head.named(probabilities).numpy()
    if openness is None:
        return Answer(head.class_names, shares, named, None, head.target_name)
    scores = openness.known_scores(head, features)
    accepted = openness.accepts(scores).numpy()
    return Answer(head.class_names, shares, named & accepted[:, None], scores.numpy(), head.target_name)
