"""What not every target can do: one table, and one refusal, which says what can."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from thaw.foundation.errors import BadParameters
from thaw.targets.target import Target, TargetName, target_named

Ability = Literal["open_set"]


@dataclass(frozen=True)
class Support:
    """What is asked for, in words; the targets that have it; and what to do where the labels are of another."""

    words: str
    targets: tuple[TargetName, ...]
    instead: str


TABLE: Mapping[Ability, Support] = {
    "open_set": Support(
        "`neither`",
        ("one_label",),
        "give examples that show no class an empty set (`|` alone), and set openness.score to none and openness.background to null",
    ),
}


def supports(target: Target, ability: Ability) -> bool:
    """Whether the target has it."""
    return target.name in TABLE[ability].targets


def require(target: Target, ability: Ability, asked: str = "") -> None:
    """Refuse what the target has not got. asked: what was given, such as `compare.strategies: [linear] given`.

    Raises:
        BadParameters: it has not; the message says which targets have it, and what to do.
    """
    if supports(target, ability):
        return
    support = TABLE[ability]
    able = " or ".join(target_named(name).words for name in support.targets)
    given = f"{asked}; " if asked else ""
    raise BadParameters(
        f"{given}{support.words} works on {able}, and the listing has {target.words}; {support.instead}"
    )
