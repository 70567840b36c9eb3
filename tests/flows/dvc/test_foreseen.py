"""What the next run will do is told before the stages `code` and `settings` have run."""

from pathlib import Path

from toy import build_toy

from flows.dvc.foreseen import NEVER_RAN, as_of_today, foresee_states, unhanded, without_handing
from flows.dvc.stage_graph import Stage, read_pipeline, up_to_date
from thaw.params.sections import Params


def test_parameters_and_code_of_today_take_the_place_of_those_in_the_files() -> None:
    told = {
        "settings": [{"changed deps": {"params.yaml": {"head": "modified"}}}],
        "head": [{"changed deps": {"data/params.yaml": {"head": "modified"}, "data/features.json": "modified"}}],
        "track": [{"changed deps": {"data/code.yaml": {"track": "modified"}}}],
        "ingest": [{"changed deps": {"data/params.yaml": "deleted"}}],
        "fetch": ["changed command", {"changed deps": {"data/params.yaml": "deleted"}}],
    }
    changed = {"head": ("head.folds",), "evaluate": ("evaluate.bins",), "ingest": ()}
    states = as_of_today(told, changed, {"evaluate", "compare"})
    assert {name: state.reasons for name, state in states.items()} == {
        "settings": ("head modified",),
        "head": ("head.folds modified", "data/features.json modified"),
        "fetch": ("changed command",),
        "evaluate": ("evaluate.bins modified", "its code modified"),
        "compare": ("its code modified",),
    }


def test_a_stage_waits_for_code_and_settings_no_longer() -> None:
    stages = (
        Stage("code", ()), Stage("settings", ("code",)),
        Stage("ingest", ("code", "settings")), Stage("head", ("settings", "ingest")),
    )  # fmt: skip
    told = {"settings": [{"changed deps": {"params.yaml": {"x": "modified"}}}], "code": ["changed deps"]}
    states = as_of_today(told, {"head": ("x.y",)}, ())
    assert up_to_date(without_handing(stages), states) == {"ingest"}


def test_of_a_stage_that_never_ran_it_is_said_and_nothing_else(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    states = foresee_states(root, read_pipeline(root), unhanded(root, Params()))
    assert states["first"].reasons == (NEVER_RAN,) and states["first"].missing
