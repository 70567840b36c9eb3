"""The abilities that not every target has: one table, and one refusal, which names the able targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from thaw.foundation.errors import BadParameters
from thaw.targets.target import Target, TargetName, target_named

Ability = Literal["notebook", "open_set", "pooled_features", "probabilities", "sequences"]


@dataclass(frozen=True)
class Support:
    """An ability. words: its name in sentences. targets: those that have it. instead: the advice for other targets."""

    words: str
    targets: tuple[TargetName, ...]
    instead: str


TABLE: Mapping[Ability, Support] = {
    "notebook": Support(
        "what `import thaw` offers",
        ("one_label", "label_sets"),
        "`thaw trigger` and a project of `thaw init --example wake_word` train a trigger",
    ),
    "open_set": Support(
        "`neither`",
        ("one_label",),
        "give examples that show no class an empty set (`|` alone), and set openness.score to none and openness.background to null",
    ),
    "pooled_features": Support(
        "what learns from one vector of an example",
        ("one_label", "label_sets"),
        "a trigger has the strategies linear and mlp, which are one and several new layers on windows of the sound, and no other",
    ),
    "probabilities": Support(
        "what compares probabilities with the truth",
        ("one_label", "label_sets"),
        "the scores of a trigger are no probabilities",
    ),
    "sequences": Support("what scores windows of a sound", ("trigger",), "set dataset.target to trigger"),
}


def supports(target: Target, ability: Ability) -> bool:
    """Whether the target has the ability."""
    return target.name in TABLE[ability].targets


def require(target: Target, ability: Ability, asked: str = "") -> None:
    """Refuse an ability that the target lacks. asked: the given value, such as `compare.strategies: [linear] given`.

    Raises:
        BadParameters: the target lacks the ability; the message names the targets that have it, and the remedy.
    """
    if supports(target, ability):
        return
    support = TABLE[ability]
    able = " or ".join(target_named(name).words for name in support.targets)
    given = f"{asked}; " if asked else ""
    raise BadParameters(
        f"{given}{support.words} works on {able}, and the data set has {target.words}; {support.instead}"
    )
