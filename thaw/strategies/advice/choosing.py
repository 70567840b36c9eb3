"""The choice of the followed strategy: the parameters' strategy, or the best by the options' measured gains."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.foundation.errors import BadParameters
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.params.sections import StrategyParams
from thaw.params.values.strategy import ZERO_SHOT, Strategy
from thaw.strategies.advice.options import Option

TIE = 0.005
"""Lower bounds that lie closer are equal, and the cheaper option is taken."""


@dataclass(frozen=True)
class Choice:
    """A strategy and its reason; `option` is None if the strategy could not be measured."""

    strategy: Strategy
    option: Option | None
    reason: str


def recommend(options: Sequence[Option], default: Strategy) -> Choice:
    """The option to follow: `default`, the linear head on the last layer, unless another option is shown to be better.

    Another option is taken only if the interval of its paired gain lies above 0, because a model that is retrained every night should not change its kind by
    noise. Among those options the best lower bound wins, not the best value, which on few examples is the luckiest. Lower bounds within `TIE` count as equal;
    then the smaller deployed model wins, then the shorter training. An option that is equal to `default` within its interval is not taken, even if it is much
    smaller, because accuracy comes first; the page names such bargains.
    """
    own = next((option for option in options if option.strategy == default), None)
    better = [option for option in options if option.gain is not None and option.gain.low > 0]
    if not better:
        tried = any(option.measured and option.strategy != default for option in options)
        why = "nothing else that was tried is better beyond its interval" if tried else "nothing else could be measured"
        return Choice(default, own, why)
    highest = max(_low(option) for option in better)
    close = [option for option in better if _low(option) >= highest - TIE]
    best = min(close, key=lambda option: (option.megabytes, option.minutes or 0.0, -_low(option)))
    assert best.gain is not None
    return Choice(
        best.strategy,
        best,
        f"it beats the linear head on the last layer by {100 * best.gain.value:.1f} points ({100 * best.gain.low:.1f} to {100 * best.gain.high:.1f})",
    )


def without_transfer(best: Choice, plain: Option, lead: Estimate | None) -> Choice:
    """The plain model instead of the best option with the backbone, if the interval of its paired lead over that option lies above 0; lead: None: unknown."""
    if lead is None or lead.low <= 0:
        return best
    return Choice(
        plain.strategy,
        plain,
        f"it beats the best option with the backbone ({best.strategy}) by {100 * lead.value:.1f} points ({100 * lead.low:.1f} to {100 * lead.high:.1f})",
    )


def without_labels(best: Choice, option: Option, over_constant: Estimate | None) -> Choice:
    """Zero-shot instead of a head that could not be judged, if it is shown to be better than the best constant answer. over_constant: None: unknown."""
    if best.option is None or best.option.measured or over_constant is None or over_constant.low <= 0:
        return best
    return Choice(
        option.strategy, option, "there are too few labels to judge a trained head, and this one learns from none"
    )


def choose(params: StrategyParams, layers: Sequence[str], options: Sequence[Option], recommended: Choice) -> Choice:
    """The parameters' choice, or with `auto` the recommended one; `layers` are the cut layers with features, in order of depth.

    Raises:
        BadParameters: there is no such layer, or `cut` has no earlier layer.
    """
    if params.kind == "auto" and params.layer is None:
        return recommended
    if params.layer is not None and params.layer not in layers:
        raise BadParameters(
            f"strategy.layer: there are no features of {params.layer!r}, only of {', '.join(layers)}; add it to backbone.layers"
        )
    kind = "linear" if params.kind == "auto" else params.kind
    if kind == ZERO_SHOT:
        return _zero_shot(options)
    layer = params.layer or (_best_cut(layers, options) if kind == "cut" else layers[-1])
    strategy = Strategy(kind, layer, params.blocks if kind == "last_blocks" else None)
    option = next((option for option in options if _same(option.strategy, strategy)), None)
    return Choice(strategy, option, "params.yaml asks for it")


def _zero_shot(options: Sequence[Option]) -> Choice:
    option = next((option for option in options if option.strategy.kind == ZERO_SHOT), None)
    if option is None:
        raise BadParameters(
            "strategy.kind: zero_shot needs a backbone with a text tower, and features of its layer joint; set backbone.weights to a CLIP or SigLIP network "
            "of transformers (hf/ORG/NAME, or `thaw convert FOLDER NAME.safetensors`), and backbone.layers to [auto] or [blocks]"
        )
    return Choice(option.strategy, option, "params.yaml asks for it")


def _best_cut(layers: Sequence[str], options: Sequence[Option]) -> str:
    """The earlier layer of the highest accuracy; the last but one if none was measured."""
    if len(layers) < 2:
        raise BadParameters(
            "strategy.kind: cut needs an earlier layer, and features of only one layer are cached; set backbone.layers to [blocks], or strategy.layer"
        )
    cuts = {
        option.strategy.layer: option.accuracy.value
        for option in options
        if option.strategy.kind == "cut" and option.accuracy
    }
    return max(cuts, key=lambda name: cuts[name], default=layers[-2])


def _same(first: Strategy, second: Strategy) -> bool:
    """Whether two strategies are the same; a linear head at an earlier layer is a cut under any name."""
    same_kind = first.kind == second.kind or {first.kind, second.kind} == {"linear", "cut"}
    return same_kind and (first.layer, first.blocks) == (second.layer, second.blocks)


def _low(option: Option) -> float:
    return option.gain.low if option.gain is not None else float("-inf")
