"""What of an example speaks for an answer: the effect of each of its parts, which are spans of a text or places on a grid."""

from dataclasses import dataclass

from torch import Tensor

from thaw.kinds.batches import Batch
from thaw.kinds.excerpt import marked_excerpt
from thaw.kinds.kind import Preview, Veiling
from thaw.kinds.parts import Mark, Span

FAINT = 0.1
"""A span with less than this share of the largest effect is not marked."""


@dataclass(frozen=True, eq=False)
class Spans:
    """The parts of a text, in order, not overlapping."""

    text: str
    spans: tuple[Span, ...]

    def marks(self, strengths: Tensor) -> tuple[Mark, ...]:
        """The marks of the spans that speak for or against a class; strengths: see `Explanation`."""
        shares = zip(self.spans, strengths.tolist(), strict=True)
        return tuple(Mark(span, share) for span, share in shares if abs(share) >= FAINT)

    def preview(self, strengths: Tensor) -> Preview | None:
        """The text with its marks; None: there are none."""
        marks = self.marks(strengths)
        return marked_excerpt(self.text, marks) if marks else None


@dataclass(frozen=True, eq=False)
class Grid:
    """The places of a prepared example, row after row, and its kind, which draws them."""

    rows: int
    columns: int
    example: Batch
    kind: Veiling

    def preview(self, strengths: Tensor) -> Preview:
        """The example under the map of its places."""
        return self.kind.map_preview(self.example, strengths.view(self.rows, self.columns).numpy())


@dataclass(frozen=True, eq=False)
class Explanation:
    """drops: float64 [P, C], the fall of each class's log-odds without the part; it is positive if the part speaks for the class. whole: float64 [C], the
    log-odds of the whole example."""

    parts: Spans | Grid
    drops: Tensor
    whole: Tensor

    @property
    def strongest(self) -> int | None:
        """The part with the largest effect on the most probable class; None: there are no parts."""
        return int(self.drops[:, int(self.whole.argmax())].abs().argmax()) if len(self.drops) else None

    def strengths(self, place: int) -> Tensor:
        """The drops of the class of that place, relative to the strongest: float64 [P] from -1 to 1; 0 if no part has an effect."""
        drops = self.drops[:, place]
        largest = float(drops.abs().max()) if len(drops) else 0.0
        return drops / largest if largest > 0 else drops
