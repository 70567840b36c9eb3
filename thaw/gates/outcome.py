"""The outcome of one gate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_FIGURES = re.compile(r": on \d")


class Verdict(StrEnum):
    """The verdict of one gate."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    CANNOT_TELL = "can't tell"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Outcome:
    """One gate's verdict and its words. refuses: whether the gate blocks the promotion. figures: the measured values, by name.

    `FAIL` always refuses. For `CANNOT_TELL` each gate decides whether it refuses.
    """

    gate: str
    verdict: Verdict
    words: str
    refuses: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The verdict for people; a refusal is added where the verdict alone does not show it."""
        return f"{self.verdict}, refuses" if self.verdict is Verdict.CANNOT_TELL and self.refuses else str(self.verdict)

    @property
    def short(self) -> str:
        """The words without the figures behind them."""
        return _FIGURES.split(self.words, maxsplit=1)[0]


def passed(gate: str, words: str, figures: Mapping[str, float] | None = None) -> Outcome:
    """The gate lets the challenger pass."""
    return Outcome(gate, Verdict.PASS, words, refuses=False, figures=figures or {})


def failed(gate: str, words: str, figures: Mapping[str, float] | None = None) -> Outcome:
    """The measurement shows that the challenger must not pass."""
    return Outcome(gate, Verdict.FAIL, words, refuses=True, figures=figures or {})


def cannot_tell(gate: str, words: str, figures: Mapping[str, float] | None = None, *, refuses: bool) -> Outcome:
    """The measurement shows neither."""
    return Outcome(gate, Verdict.CANNOT_TELL, words, refuses=refuses, figures=figures or {})


def not_asked(gate: str, words: str) -> Outcome:
    """The parameters do not ask for the gate, or it does not apply."""
    return Outcome(gate, Verdict.NOT_ASKED, words)


def not_asked_by(gate: str, parameter: str) -> Outcome:
    """`promotion.<parameter>` is null."""
    return not_asked(gate, f"promotion.{parameter} is not set")


def not_measured(gate: str, file: str) -> Outcome:
    """The gate is asked for, and the version's run lacks its measurement; the gate refuses."""
    words = f"the version's run has no {file}; `thaw run` with this version of Thaw registers a version with the file"
    return cannot_tell(gate, words, refuses=True)
