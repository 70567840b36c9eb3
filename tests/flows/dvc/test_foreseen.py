"""What the next run will do is told before the stage `settings` has run."""

from pathlib import Path

from toy import build_toy

from flows.dvc.foreseen import NEVER_RAN, foresee_states, with_parameters, without_settings
from flows.dvc.stage_graph import Stage, read_pipeline, up_to_date
from thaw.params.sections import Params


def test_parameters_of_today_take_the_place_of_those_in_the_file() -> None:
    told = {
        "settings": [{"changed deps": {"params.yaml": {"head": "modified"}}}],
        "head": [{"changed deps": {"data/params.yaml": {"head": "modified"}, "thaw/heads": "modified"}}],
        "ingest": [{"changed deps": {"data/params.yaml": "deleted"}}],
        "fetch": ["changed command", {"changed deps": {"data/params.yaml": "deleted"}}],
    }
    states = with_parameters(told, {"head": ("head.folds",), "evaluate": ("evaluate.bins",), "ingest": ()})
    assert {name: state.reasons for name, state in states.items()} == {
        "settings": ("head modified",),
        "head": ("head.folds modified", "thaw/heads modified"),
        "fetch": ("changed command",),
        "evaluate": ("evaluate.bins modified",),
    }


def test_a_stage_waits_for_settings_no_longer() -> None:
    stages = (Stage("settings", ()), Stage("ingest", ("settings",)), Stage("head", ("settings", "ingest")))
    states = with_parameters({"settings": [{"changed deps": {"params.yaml": {"x": "modified"}}}]}, {"head": ("x.y",)})
    assert up_to_date(without_settings(stages), states) == {"ingest"}


def test_of_a_stage_that_never_ran_it_is_said_and_nothing_else(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    states = foresee_states(root, read_pipeline(root), Params())
    assert states["first"].reasons == (NEVER_RAN,) and states["first"].missing
