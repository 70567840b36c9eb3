"""What label sets follow, and what they have not got."""

from pathlib import Path

import numpy as np
import pytest

from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.params.sections import StrategyParams
from thaw.params.strategy import Strategy
from thaw.strategies.advice.label_sets import (
    advise_by_depth,
    advise_on_sets,
    read_label_set_advice,
    render_label_set_advice,
    write_label_set_advice,
)

LAYERS = ("early", "late")


def test_auto_is_a_linear_head_on_the_last_layer_and_says_why(tmp_path: Path) -> None:
    advice = advise_on_sets(StrategyParams(), LAYERS)
    assert advice.strategy == Strategy("linear", "late")
    assert "not measured" in advice.reason
    write_label_set_advice(advice, tmp_path / "advice.json")
    assert read_label_set_advice(tmp_path / "advice.json") == advice
    assert advice.reason in render_label_set_advice(advice, "<pairs>").replace("&#39;", "'")


def test_what_params_ask_for_is_followed() -> None:
    assert advise_on_sets(StrategyParams(kind="linear", layer="early"), LAYERS).strategy == Strategy("linear", "early")
    assert advise_on_sets(StrategyParams(kind="cut", layer="early"), LAYERS).strategy == Strategy("cut", "early")
    assert advise_on_sets(StrategyParams(kind="knn"), LAYERS).strategy == Strategy("knn", "late")
    assert "`early`" in advise_on_sets(StrategyParams(layer="early"), LAYERS).reason


@pytest.mark.parametrize("kind", ["last_blocks", "full", "scratch"])
def test_other_strategies_are_refused_by_name(kind: str) -> None:
    with pytest.raises(BadParameters, match=f"{kind} works on one label an image.*take auto, linear"):
        advise_on_sets(StrategyParams(kind=kind), LAYERS)  # type: ignore[arg-type]


def test_what_is_missing_or_has_no_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameters, match=r"cut needs strategy\.layer"):
        advise_on_sets(StrategyParams(kind="cut"), LAYERS)
    with pytest.raises(BadParameters, match="no features of 'middle'"):
        advise_on_sets(StrategyParams(layer="middle"), LAYERS)
    (tmp_path / "other.json").write_text('{"format": "thaw.advice/1"}')
    assert read_label_set_advice(tmp_path / "other.json") is None
    with pytest.raises(BadArtifact, match="thaw run --stage advise"):
        read_label_set_advice(tmp_path / "missing.json")


def test_an_earlier_layer_is_followed_where_it_is_better_beyond_its_interval() -> None:
    noise = np.random.default_rng(0).normal(size=(3, 200))
    last = 0.5 + 0.1 * noise[0]
    clear = advise_by_depth({"early": last - 0.1 + 0.1 * noise[1], "middle": last - 0.05, "late": last})
    assert clear.strategy == Strategy("cut", "early")
    assert "`early`" in clear.reason
    unclear = advise_by_depth({"early": last - 0.001 + 0.1 * noise[1], "late": last})
    assert unclear.strategy == Strategy("linear", "late")
    assert advise_by_depth({"late": last}).strategy == Strategy("linear", "late")
