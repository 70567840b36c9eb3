"""The stage graph is DVC's own."""

from pathlib import Path

import pytest
from toy import build_toy

from flows.dvc.stage_graph import (
    Pipeline,
    Stage,
    in_order,
    parse_graph,
    parse_state,
    read_pipeline,
    read_stages,
    up_to_date,
)
from flows.project.errors import DvcFailed


def test_the_graph_and_the_states_come_from_dvc(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    pipeline = read_pipeline(root)
    stages = pipeline.stages
    assert (stages[0].name, stages[-1].name) == ("first", "last")
    assert {stage.name: set(stage.upstream) for stage in stages}["last"] == {"left", "right"}
    first = parse_state("first", pipeline.changes["first"])
    assert first.missing and first.changed
    assert pipeline.fresh == frozenset()


def test_one_answer_has_the_graph_of_dvc_dag() -> None:
    def edges(stages: tuple[Stage, ...]) -> dict[str, set[str]]:
        return {stage.name: set(stage.upstream) for stage in stages}

    asked = read_pipeline(Path.cwd()).stages
    assert [stage.name for stage in asked] == [stage.name for stage in read_stages(Path.cwd())]
    assert edges(asked) == edges(read_stages(Path.cwd()))


def test_a_broken_pipeline_says_what_dvc_says(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    (root / "dvc.yaml").write_text("stages: [")
    for read in (read_stages, read_pipeline):
        with pytest.raises(DvcFailed, match="dvc"):
            read(root)


def test_the_projects_own_pipeline_has_its_stages_in_order() -> None:
    assert [stage.name for stage in read_stages(Path.cwd())] == [
        "code",
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
    changes = [{"changed deps": {"params.yaml": {"strategy.kind": "modified"}}}, "changed command"]
    state = parse_state("a", changes)
    assert state.reasons == ("strategy.kind modified", "changed command")
    assert up_to_date(stages, {}) == {"a", "b"} and up_to_date(stages, {"a": state}) == frozenset()
    assert Pipeline(stages, {"b": changes}).fresh == {"a"}
