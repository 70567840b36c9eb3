"""The stage graph is DVC's own."""

from pathlib import Path

import pytest
from toy import build_toy

from flows.dvc.stage_graph import Stage, in_order, parse_graph, parse_states, read_stages, read_states, up_to_date
from flows.project.errors import DvcFailed


def test_the_graph_and_the_states_come_from_dvc(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    stages = read_stages(root)
    assert (stages[0].name, stages[-1].name) == ("first", "last")
    assert {stage.name: set(stage.upstream) for stage in stages}["last"] == {"left", "right"}
    states = read_states(root)
    assert states["first"].missing and states["first"].changed
    assert up_to_date(stages, states) == frozenset()


def test_a_broken_pipeline_says_what_dvc_says(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    (root / "dvc.yaml").write_text("stages: [")
    with pytest.raises(DvcFailed, match="dvc"):
        read_stages(root)


def test_the_projects_own_pipeline_has_its_stages_in_order() -> None:
    assert [stage.name for stage in read_stages(Path.cwd())] == [
        "settings",
        "fetch",
        "ingest",
        "extract",
        "advise",
        "head",
        "finetune",
        "compare",
        "evaluate",
        "track",
    ]


def test_parsing() -> None:
    stages = in_order(parse_graph('digraph {\n"b";\n"a";\n"a" -> "b";\n}'))
    assert stages == (Stage("a", ()), Stage("b", ("a",)))
    with pytest.raises(DvcFailed, match="wait for each other"):
        in_order((Stage("a", ("b",)), Stage("b", ("a",))))
    states = parse_states(
        '{"a": [{"changed deps": {"params.yaml": {"strategy.kind": "modified"}}}, "changed command"]}'
    )
    assert states["a"].reasons == ("strategy.kind modified", "changed command")
    assert up_to_date(stages, {}) == {"a", "b"} and up_to_date(stages, states) == frozenset()
