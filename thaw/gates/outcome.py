"""What one gate says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """Of one gate."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    CANNOT_TELL = "can't tell"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Outcome:
    """One gate's verdict and its words; `refuses`: whether it alone keeps the challenger from being promoted; `figures`: what it rests on, by name.

    What fails refuses. What can't be told refuses or not, as each gate says of itself.
    """

    gate: str
    verdict: Verdict
    words: str
    refuses: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The verdict for people, with what it comes to where that is not plain."""
        return f"{self.verdict}, refuses" if self.verdict is Verdict.CANNOT_TELL and self.refuses else str(self.verdict)


def passed(gate: str, words: str, figures: Mapping[str, float] | None = None) -> Outcome:
    """It lets the challenger through."""
    return Outcome(gate, Verdict.PASS, words, refuses=False, figures=figures or {})


def failed(gate: str, words: str, figures: Mapping[str, float] | None = None) -> Outcome:
    """It is shown that the challenger must not pass."""
    return Outcome(gate, Verdict.FAIL, words, refuses=True, figures=figures or {})


def cannot_tell(gate: str, words: str, figures: Mapping[str, float] | None = None, *, refuses: bool) -> Outcome:
    """Neither is shown."""
    return Outcome(gate, Verdict.CANNOT_TELL, words, refuses=refuses, figures=figures or {})


def not_asked(gate: str, words: str) -> Outcome:
    """The parameters do not ask for it, or it does not apply."""
    return Outcome(gate, Verdict.NOT_ASKED, words)


def not_asked_by(gate: str, parameter: str) -> Outcome:
    """`promotion.<parameter>` is null."""
    return not_asked(gate, f"promotion.{parameter} is not set")


def not_measured(gate: str, file: str) -> Outcome:
    """It is asked for, and the version's run lacks what it needs; that refuses."""
    words = f"the version's run has no {file}; `thaw run` with this version of Thaw registers one that has"
    return cannot_tell(gate, words, refuses=True)
