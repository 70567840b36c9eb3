"""What a model says of examples, whatever its target."""

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
    """What a model says of N examples.

    probabilities: float32 [N, C], calibrated; each row of sum 1, or each class by itself. named: bool [N, C], the classes that are named: of one label one, or
    none where the input is of no known class. known_scores: float32 [N], larger for what is better known; None where the model knows no unknown.
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
        """Of one label: whether the input is taken for one of a known class, bool [N]."""
        return np.asarray(self.named.any(1))

    @property
    def labels(self) -> "np.ndarray[Any, np.dtype[np.object_]]":
        """Of one label: the class that is named, `neither` where there is none; object [N]."""
        names = np.array(self.class_names, dtype=object)
        return np.where(self.accepted, names[self.probabilities.argmax(1)], NEITHER)

    @property
    def sets(self) -> list[list[str]]:
        """The names of each example, in the order of the classes; an empty list where nothing is named."""
        return [[self.class_names[place] for place in np.flatnonzero(row)] for row in self.named]

    @property
    def said(self) -> list[object]:
        """The label of each example, or its set, as the target has it."""
        return list(self.labels) if self.exclusive else list(self.sets)

    @property
    def confidences(self) -> NDArray[np.float32] | None:
        """Of one label: the probability of the most probable class, float32 [N]; None of sets."""
        return np.asarray(self.probabilities.max(1, initial=0), np.float32) if self.exclusive else None


def answer(head: FittedHead, openness: Openness | None, features: Tensor) -> Answer:
    """What a head says of features, float32 [N, D]; openness None: every input is of a known class."""
    probabilities = head.probabilities(features)
    shares, named = np.asarray(probabilities.numpy(), np.float32), head.named(probabilities).numpy()
    if openness is None:
        return Answer(head.class_names, shares, named, None, head.target_name)
    scores = openness.known_scores(head, features)
    accepted = openness.accepts(scores).numpy()
    return Answer(head.class_names, shares, named & accepted[:, None], scores.numpy(), head.target_name)
