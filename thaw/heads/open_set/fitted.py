"""What makes a model say "neither": a score with its threshold, and what tuning found on the way."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from thaw.heads.fitted import FittedHead
from thaw.heads.open_set.scores import Score, ScoreName, known_scores

NEITHER = "neither"
"""The label of an input of no known class."""
Unknowns = Literal["classes left out", "background"]
"""Which rows stood for inputs of no known class when the threshold was tuned."""


@dataclass(frozen=True)
class ClassRate:
    """A class's share of rows that were accepted though no model knew the class."""

    name: str
    n: int
    accepted: float


@dataclass(frozen=True)
class Candidate:
    """A score with its threshold: inputs that score `threshold` or more are accepted.

    false_accepts: share of unknown rows that are accepted; upper: the bound of that rate. false_rejects: share of known rows that are rejected. auroc: how
    often a known row scores higher than an unknown one. curve: the share of unknown rows accepted where 0, 1, ... 100 % of known rows are rejected.
    classes: what the unknown rows are of, the most often accepted first.
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
    """All that was tried, the best first: the score that rejects the fewest known rows.

    rate: the false-accept rate asked for. confidence: of the upper bounds; where several scores are tried, all of them hold together. unknown: which rows
    stood for unknown inputs; `n` of them, beside `known` others. needed: how many could show the rate, if none of them were accepted. seen: whether the
    backbone was trained on all these rows, those of classes left out too.
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
        """Whether the upper bound comes down to the rate asked for."""
        return self.chosen.upper <= self.rate


@dataclass(frozen=True, eq=False)
class Openness:
    """A score and the threshold that an input must reach to be of a known class. background: the class that stands for everything else, if there is one."""

    score: Score
    threshold: float
    tuning: Tuning
    background: str | None = None

    def known_scores(self, head: FittedHead, features: Tensor) -> Tensor:
        """How well known inputs are, by their features: float32 [N, D] -> float32 [N], larger for what is better known."""
        return known_scores(self.score, head, features)

    def accepts(self, scores: Tensor) -> Tensor:
        """Whether inputs of these scores are taken for one of a known class: float32 [N] -> bool [N]."""
        return scores >= self.threshold
