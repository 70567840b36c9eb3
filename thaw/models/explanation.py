"""The parts of an example that speak for an answer: how far the answer's log-odds fall when a part is taken away.

Li, Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure", arXiv:1612.08220, section 3; here log-odds, which for a linear head on
averaged vectors fall by exactly the part's share. Of a long example the strongest part is cut once more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from thaw.kinds.kind import Kind
from thaw.kinds.parts import Mark, Parts, Span

PARTS, FEWEST = 48, 8
"""The most parts of one cut, and the most for the longest examples."""
MOST_ANSWERS = 1 + 2 * PARTS
"""The cost of an explanation: the whole example, the first cut and the second."""
NBYTES = 200_000
"""Bytes of all examples of one cut; a longer example has fewer and larger parts, but still `FEWEST`."""
FAINT = 0.1
"""A part with less than this share of the largest effect is not marked."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """text: the example. spans: of its parts, in order, not overlapping. drops: float64 [P, C], the fall of each class's log-odds without the part; it is
    positive if the part speaks for the class. whole: float64 [C], the log-odds of the whole example."""

    text: str
    spans: tuple[Span, ...]
    drops: Tensor
    whole: Tensor

    @property
    def strongest(self) -> int | None:
        """The part with the largest effect on the most probable class; None: there are no parts."""
        return int(self.drops[:, int(self.whole.argmax())].abs().argmax()) if self.spans else None

    def refined(self, place: int, finer: Parts, drops: Tensor) -> "Explanation":
        """The explanation with the part of that place replaced by its own parts; drops: float64 [Q, C]."""
        spans = (*self.spans[:place], *finer.spans, *self.spans[place + 1 :])
        return replace(self, spans=spans, drops=torch.cat([self.drops[:place], drops, self.drops[place + 1 :]]))

    def marks(self, place: int) -> tuple[Mark, ...]:
        """The marks of the parts that speak for or against the class of that place, relative to the strongest of them."""
        drops = self.drops[:, place]
        largest = float(drops.abs().max()) if len(drops) else 0.0
        if largest == 0:
            return ()
        shares = (drops / largest).tolist()
        return tuple(Mark(span, share) for span, share in zip(self.spans, shares, strict=True) if abs(share) >= FAINT)


def explain(content: bytes, kind: Kind, log_odds: Callable[[Sequence[bytes]], Tensor]) -> Explanation | None:
    """The explanation of a model's answer for an example; None if the kind has no parts. It costs at most `MOST_ANSWERS` answers.

    log_odds: a function from examples as files to float64 [N, C].

    Raises:
        BadExample: see `Kind.inspect`.
    """
    most = max(FEWEST, min(PARTS, NBYTES // max(len(content), 1)))
    first = kind.parts(content, most)
    if first is None:
        return None
    odds = log_odds([content, *first.without])
    whole = Explanation(first.text, first.spans, odds[0] - odds[1:], odds[0])
    place = whole.strongest
    if place is None:
        return whole
    finer = kind.parts(content, most, first.spans[place])
    if finer is None or len(finer.spans) < 2:
        return whole
    return whole.refined(place, finer, odds[0] - log_odds(finer.without))
