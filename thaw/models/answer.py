"""A model's answer for examples, of any target."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thaw.heads import FittedHead
from thaw.heads.open_set import NEITHER, Openness
from thaw.targets.target import BoolArray, TargetName, target_named


@dataclass(frozen=True, eq=False)
class Answer:
    """A model's answer for N examples.

    probabilities: float32 [N, C], calibrated; with one label each row sums to 1. named: bool [N, C], the named classes; with one label one class, or none if
    the input is of no known class. known_scores: float32 [N], larger for better known inputs; None if the model has no `neither`.
    """

    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    named: BoolArray
    known_scores: NDArray[np.float32] | None = None
    target_name: TargetName = "one_label"

    @property
    def exclusive(self) -> bool:
        """Whether an example has one label."""
        return target_named(self.target_name).exclusive

    @property
    def accepted(self) -> BoolArray:
        """Whether each input counts as one of a known class, bool [N]; for one label."""
        return np.asarray(self.named.any(1))

    @property
    def labels(self) -> "np.ndarray[Any, np.dtype[np.object_]]":
        """The named class of each example, `neither` if there is none; object [N]; for one label."""
        names = np.array(self.class_names, dtype=object)
        return np.where(self.accepted, names[self.probabilities.argmax(1)], NEITHER)

    @property
    def sets(self) -> list[list[str]]:
        """The names for each example, in the order of the classes; an empty list if no class is named."""
        return [[self.class_names[place] for place in np.flatnonzero(row)] for row in self.named]

    @property
    def labels_or_sets(self) -> list[object]:
        """The label of each example or, with label sets, its set."""
        return list(self.labels) if self.exclusive else list(self.sets)

    @property
    def confidences(self) -> NDArray[np.float32] | None:
        """The probability of the most probable class, float32 [N]; None for label sets."""
        return np.asarray(self.probabilities.max(1, initial=0), np.float32) if self.exclusive else None


def answer(head: FittedHead, openness: Openness | None, features: Tensor) -> Answer:
    """A head's answer for features, float32 [N, D]; openness None: every input counts as one of a known class."""
    probabilities = head.probabilities(features)
    shares, named = np.asarray(probabilities.numpy(), np.float32), head.named(probabilities).numpy()
    if openness is None:
        return Answer(head.class_names, shares, named, None, head.target_name)
    scores = openness.known_scores(head, features)
    accepted = openness.accepts(scores).numpy()
    return Answer(head.class_names, shares, named & accepted[:, None], scores.numpy(), head.target_name)
