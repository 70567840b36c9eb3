"""The choice: never on noise, and the parameters have the last word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.errors import BadParameters
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.params.sections import StrategyParams
from thaw.params.values.strategy import Strategy, StrategyKind
from thaw.strategies.advice.choosing import TIE, choose, recommend
from thaw.strategies.advice.options import Option

LINEAR = Strategy("linear", "late")
LAYERS = ("early", "middle", "late")


def option(strategy: Strategy, low: float, high: float, megabytes: float = 4.0) -> Option:
    gain = Estimate((low + high) / 2, low, high)
    accuracy = Estimate(0.8 + gain.value, 0.8 + low, 0.8 + high)
    return Option(strategy, accuracy, gain, True, 0.1, megabytes, 100.0)


OWN = option(LINEAR, 0, 0)
BOUNDS = st.tuples(st.floats(-0.3, 0.3), st.floats(0, 0.3), st.floats(0.1, 10))


@given(st.lists(BOUNDS, max_size=6))
def test_what_is_recommended_is_shown_to_be_better_or_is_the_default(bounds: list[tuple[float, float, float]]) -> None:
    others = [
        option(Strategy("cut", f"layer{number}"), low, low + width, size)
        for number, (low, width, size) in enumerate(bounds)
    ]
    choice = recommend([OWN, *others], LINEAR)
    better = [one for one in others if one.gain is not None and one.gain.low > 0]
    if not better:
        assert choice.strategy == LINEAR and choice.option == OWN
        return
    assert choice.option in better and choice.option is not None and choice.option.gain is not None
    highest = max(one.gain.low for one in better if one.gain is not None)
    assert choice.option.gain.low >= highest - TIE
    rivals = [one for one in better if one.gain is not None and one.gain.low >= highest - TIE]
    assert choice.option.megabytes == min(one.megabytes for one in rivals)


def test_the_best_lower_bound_wins_and_not_the_luckiest_value() -> None:
    lucky, sure = option(Strategy("mlp", "late"), 0.01, 0.3), option(Strategy("knn", "late"), 0.05, 0.07)
    assert recommend([OWN, lucky, sure], LINEAR).strategy == sure.strategy


def test_what_was_not_measured_is_not_recommended() -> None:
    untried = Option(Strategy("full", "late"), None, None, False, 5.0, 4.0, None, "not tried")
    choice = recommend([OWN, untried], LINEAR)
    assert choice.strategy == LINEAR and "nothing else could be measured" in choice.reason


@pytest.mark.parametrize("kind", ["linear", "mlp", "knn", "full", "scratch", "plain", "last_blocks"])
def test_a_fixed_strategy_is_followed(kind: StrategyKind) -> None:
    recommended = recommend([OWN], LINEAR)
    chosen = choose(StrategyParams(kind=kind, blocks=2), LAYERS, [OWN], recommended)
    assert chosen.strategy == Strategy(kind, "late", 2 if kind == "last_blocks" else None)
    assert chosen.option is (OWN if kind == "linear" else None)


def test_a_cut_is_made_where_the_probes_are_best_or_where_it_is_asked_for() -> None:
    cuts = [option(Strategy("cut", "early"), -0.1, 0.0), option(Strategy("cut", "middle"), -0.3, -0.2)]
    recommended = recommend([OWN, *cuts], LINEAR)
    assert choose(StrategyParams(kind="cut"), LAYERS, cuts, recommended).strategy.layer == "early"
    assert choose(StrategyParams(kind="cut"), LAYERS, [], recommended).strategy.layer == "middle"
    asked = choose(StrategyParams(kind="cut", layer="middle"), LAYERS, cuts, recommended)
    assert asked.strategy.layer == "middle" and asked.option is cuts[1]
    assert choose(StrategyParams(layer="early"), LAYERS, cuts, recommended).option is cuts[0], "linear there is a cut"


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(BadParameters, match=r"backbone\.layers to \[blocks\]"):
        choose(StrategyParams(kind="cut"), ("late",), [], recommend([], LINEAR))
    with pytest.raises(
        BadParameters, match=r"strategy\.layer: there are no features of 'x', only of early, middle, late"
    ):
        choose(StrategyParams(layer="x"), LAYERS, [], recommend([], LINEAR))
