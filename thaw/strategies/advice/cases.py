"""The classic four cases: small or large data, similar to the backbone's training data or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Words
from thaw.params.values.strategy import StrategyKind
from thaw.strategies.advice.transferability import Transferability

Similarity = Literal["similar", "different", "can't tell"]
MARGIN = 0.03
"""An earlier layer that could be better by at most this is no sign of a different task."""
UNLIKE_CHANCE = 3.0
"""The number of standard deviations above the mean of shuffled scores, from which a score counts as no chance."""


PLAIN, RANDOM_BACKBONE = "pixels", "random_backbone"
"""The names of the references: `Kind.plain_features`, and features of the same network with random weights."""


@dataclass(frozen=True)
class LayerEvidence:
    """The result of a linear probe on one cut layer, and its paired difference to the last layer (None for the last itself).

    accuracy: with label sets the macro F1, here and below.
    """

    name: str
    dim: int
    accuracy: Estimate
    beside_last: Estimate | None
    transferability: Transferability


@dataclass(frozen=True)
class Reference:
    """Features without pretraining: `PLAIN` or `RANDOM_BACKBONE`. accuracy: of a linear probe on them. lead: of the best cut layer over them, paired."""

    name: str
    accuracy: Estimate
    lead: Estimate


@dataclass(frozen=True)
class Comparison:
    """The best cut layer beside features without pretraining; all are judged on the same `rows` examples and the same folds.

    layer: the best cut layer. accuracy: of a linear probe on it.
    """

    rows: int
    layer: str
    accuracy: Estimate
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Case:
    """The case, the reason for its similarity, and the classic rule for it: its words, and its kinds of strategy in order of preference."""

    similarity: Similarity
    small: bool
    why: str
    rule: str
    kinds: tuple[StrategyKind, ...]

    def __str__(self) -> str:
        return f"{'small' if self.small else 'large'} data, {_NAMES[self.similarity]}"


_NAMES: dict[Similarity, str] = {
    "similar": "similar to what the backbone knows",
    "different": "different from what the backbone knows",
    "can't tell": "similarity unclear",
}
_RULES: dict[tuple[bool, Similarity], tuple[str, tuple[StrategyKind, ...]]] = {
    (True, "similar"): ("keep the backbone as it is and train a new last layer", ("linear",)),
    (True, "different"): ("cut at an earlier layer and train a linear layer there", ("cut",)),
    (True, "can't tell"): ("keep the backbone as it is: small data bear little else", ("linear", "cut")),
    (False, "similar"): ("start from the pretrained weights and fine-tune", ("full", "last_blocks", "lora")),
    (False, "different"): ("fine-tune all layers, or train from scratch", ("full", "scratch")),
    (False, "can't tell"): ("start from the pretrained weights and fine-tune", ("full", "last_blocks", "lora")),
}


def name_case(layers: Sequence[LayerEvidence], *, small: bool) -> Case:
    """The case, from probes at every cut layer in order of depth.

    Different: an earlier layer beats the last beyond its paired interval. Similar: no layer does, and none could by more than `MARGIN`. Otherwise the data
    do not decide.
    """
    similarity, why = _similarity(layers)
    rule, kinds = _RULES[small, similarity]
    return Case(similarity, small, why, rule, kinds)


def _similarity(layers: Sequence[LayerEvidence]) -> tuple[Similarity, str]:
    earlier = [(layer, layer.beside_last) for layer in layers if layer.beside_last is not None]
    if not layers:
        return "can't tell", "no example could be held out to judge"
    if not earlier:
        return "can't tell", "features of one cut layer are cached, so accuracy against depth is unknown"
    last = layers[-1]
    best, lead = max(earlier, key=lambda pair: pair[1].low)
    if lead.low > 0:
        return (
            "different",
            f"{best.name}, an earlier layer, beats the last one ({last.name}) by more than chance explains",
        )
    hopeful, hope = max(earlier, key=lambda pair: pair[1].high)
    if hope.high <= MARGIN:
        return "similar", f"no earlier layer beats the last one ({last.name})"
    return (
        "can't tell",
        f"{hopeful.name} could be better than the last layer ({last.name}) by {100 * hope.high:.0f} points, or worse: too few examples decide",
    )


def doubts_of(
    layers: Sequence[LayerEvidence], references: Sequence[Reference], words: Words, *, plentiful: bool
) -> tuple[str, ...]:
    """The reasons for doubts about transfer; empty if there are none. words: for the examples."""
    sentences = []
    if layers and not any(_knows(layer) for layer in layers):
        sentences.append(
            "At no layer do the features fit these labels better than shuffled ones: the input may be of a kind that the backbone never saw, or the "
            f"labels may not be in the {words.many}."
        )
    for reference in references:
        name = words.plain if reference.name == PLAIN else "a backbone of random weights"
        if reference.lead.high < 0:
            sentences.append(
                f"A linear model on {name} is better than one on any layer of the backbone: transfer hurts here."
            )
        elif reference.lead.low <= 0:
            sentences.append(
                f"No layer is shown to be better than {name}: what the backbone has learnt may be of no use here."
            )
    if plentiful:
        sentences.append(
            "There are 1,000 labels a class or more: training from scratch may reach as much, so it should be tried "
            "(`strategy.minutes`, or `thaw config set strategy.kind=scratch`)."
        )
    return tuple(sentences)


def _knows(layer: LayerEvidence) -> bool:
    scores = (layer.transferability.log_me.z, layer.transferability.neighbours.z)
    return any(z is not None and z > UNLIKE_CHANCE for z in scores)
