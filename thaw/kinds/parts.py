"""The parts of an example that can be taken away one by one, and marks of parts on pages."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """A part of a text: its characters from `start` to before `end`, counted in code points."""

    start: int
    end: int


@dataclass(frozen=True)
class Parts:
    """The parts of an example. text: the whole example as text. spans: of the parts, in order, not overlapping. without: the example as a file without each
    part."""

    text: str
    spans: tuple[Span, ...]
    without: tuple[bytes, ...]


@dataclass(frozen=True)
class Mark:
    """A marked part of a shown text. strength: from -1, the part that speaks most against an answer, to 1, the part that speaks most for it."""

    span: Span
    strength: float
