"""What `prefect.yaml` names, and what is said of one that will not do."""

import inspect
from pathlib import Path

import pytest

from flows.prefect_server.deployments import read_deployments
from flows.project.errors import BadDeployments


def test_the_projects_own_deployments_have_entrypoints_that_are_there() -> None:
    deployments = {deployment.name: deployment for deployment in read_deployments(Path.cwd())}
    assert {"transfer", "promote", "rollback"} <= set(deployments)
    assert deployments["transfer"].crons == ("0 2 * * *",)
    for deployment in deployments.values():
        module, _, flow = deployment.entrypoint.rpartition(".")
        assert f"def {flow}(" in Path(*module.split(".")).with_suffix(".py").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no"),
        ("deployments: [", "cannot be read"),
        ("name: thaw", "deployments"),
        ("deployments: [{name: a, entrypoint: b, tags: [thaw]}]", "work_pool"),
        ("deployments: [{name: a, entrypoint: b, work_pool: {name: c}}]", "a lack `tags: [thaw]`"),
        ("deployments: [{name: a, entrypoint: 'b.py:b', tags: [thaw], work_pool: {name: c}}]", "should be b.py:b"),
        ("deployments: [{name: a, entrypoint: no.such.flow, tags: [thaw], work_pool: {name: c}}]", "no.such.flow"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "prefect.yaml").write_text(text)
    with pytest.raises(BadDeployments, match=r"prefect\.yaml") as error:
        read_deployments(tmp_path)
    assert says in str(error.value)


def test_schedules_that_are_off_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "b.py").touch()
    (tmp_path / "prefect.yaml").write_text(
        "deployments: [{name: a, entrypoint: 'b.py:b', tags: [thaw], work_pool: {name: c}, "
        "schedules: [{cron: '1 * * * *'}, {cron: '2 * * * *', active: false}, {interval: 60}]}]"
    )
    assert read_deployments(tmp_path)[0].crons == ("1 * * * *",)


def test_every_parameter_of_a_flow_is_described() -> None:
    from prefect.utilities.callables import parameter_schema

    from flows.runs.promote import promote, rollback
    from flows.runs.transfer import transfer

    for flow in (transfer, promote, rollback):
        fields = parameter_schema(flow.fn).properties
        assert list(fields) == list(inspect.signature(flow.fn).parameters)
        assert all(field.get("description") for field in fields.values()), fields
    schema = parameter_schema(transfer.fn).properties
    assert schema["busy"]["enum"] == ["wait", "skip"]
    for name in ("stage", "until"):
        assert schema[name]["enum"][:5] == ["all", "code", "settings", "fetch", "ingest"], "the form has a choice"
        assert schema[name]["type"] == "string" and schema[name]["default"] == "all", "which it shows at once"


def test_all_stages_may_be_told_as_none() -> None:
    from flows.runs.transfer import transfer

    assert transfer.validate_parameters({"stage": None, "until": "head"})["stage"] == "all"
