"""The score and threshold by which a model answers "neither", with the record of their tuning."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from thaw.heads.fitted import FittedHead
from thaw.heads.open_set.scores import Score, ScoreName, known_scores

Unknowns = Literal["classes left out", "background"]
"""The rows that stood for inputs of no known class in the tuning of the threshold."""


@dataclass(frozen=True)
class ClassRate:
    """A class's share of accepted rows, by models that did not know the class."""

    name: str
    n: int
    accepted: float


@dataclass(frozen=True)
class Candidate:
    """A score with its threshold: inputs that score `threshold` or more are accepted.

    false_accepts: share of unknown rows that are accepted; upper: the bound of that rate. false_rejects: share of known rows that are rejected. auroc: the
    share of pairs in which the known row scores higher than the unknown row. curve: the shares of unknown rows that are accepted if 0, 1, ... 100 % of the
    known rows are rejected. classes: of the unknown rows, the most accepted class first.
    """

    score: ScoreName
    threshold: float
    false_accepts: float
    upper: float
    false_rejects: float
    auroc: float
    curve: tuple[float, ...]
    classes: tuple[ClassRate, ...]


@dataclass(frozen=True)
class Tuning:
    """All candidates, the best first: the score that rejects the fewest known rows.

    rate: the wanted rate of false accepts. confidence: of the upper bounds, which hold together if several scores are tried. unknown: the rows that stood for
    unknown inputs; there are `n`, and `known` other rows. needed: the number of unknown rows that would show the rate if none were accepted. seen: whether the
    backbone was trained on all these rows, also on those of the classes left out.
    """

    rate: float
    confidence: float
    unknown: Unknowns
    n: int
    known: int
    needed: int
    candidates: tuple[Candidate, ...]
    seen: bool = False

    @property
    def chosen(self) -> Candidate:
        """The candidate that is used."""
        return self.candidates[0]

    @property
    def reached(self) -> bool:
        """Whether the upper bound is at most the wanted rate."""
        return self.chosen.upper <= self.rate


@dataclass(frozen=True, eq=False)
class Openness:
    """A score and its threshold: an input that reaches it counts as one of a known class. background: the class for everything else, if there is one."""

    score: Score
    threshold: float
    tuning: Tuning
    background: str | None = None

    def known_scores(self, head: FittedHead, features: Tensor) -> Tensor:
        """The scores of inputs by their features: float32 [N, D] -> float32 [N], larger for better known inputs."""
        return known_scores(self.score, head, features)

    def accepts(self, scores: Tensor) -> Tensor:
        """Whether inputs with these scores count as of a known class: float32 [N] -> bool [N]."""
        return scores >= self.threshold
