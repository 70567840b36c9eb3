"""The files around the code: workflows, the image and its services, the citation. What they call is there, as far as can be seen without their engines."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

import thaw
from flows.cli import app

WORKFLOWS = sorted(Path(".github/workflows").glob("*.yml"))
EXTRAS = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
MAIN: Any = typer.main.get_command(app)


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def parsed(words: list[str]) -> None:
    """Check a command of `thaw`: it exists, and takes these options; it does not run."""
    name, *rest = words
    MAIN.commands[name].make_context(name, rest, resilient_parsing=False)


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_pins_its_actions(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    writing = [name for name, job in workflow["jobs"].items() if job.get("permissions")]
    assert writing == (["publish"] if path.name == "release.yml" else [])
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"[\w./-]+@[\w./-]+", step.get("uses", "a@b"))


def test_a_release_is_published_only_after_that_very_wheel_was_tried() -> None:
    jobs = read(Path(".github/workflows/release.yml"))["jobs"]
    assert (jobs["publish"]["needs"], jobs["wheel"]["needs"]) == ("wheel", "build")
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    (trial,) = (step["run"] for step in jobs["wheel"]["steps"] if "thaw init" in step.get("run", ""))
    for line in trial.splitlines():
        if line.startswith("thaw "):
            parsed(line.removeprefix("thaw ").split())


def test_the_services_run_commands_that_are_there_and_open_ports_on_this_machine_alone() -> None:
    services = read(Path("compose.yaml"))["services"]
    assert {*services} == {"prefect", "mlflow", "schedule", "worker", "serve"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        if "entrypoint" not in service:
            parsed(service["command"])
    assert services["worker"]["entrypoint"][-1] == read(Path("prefect.yaml"))["definitions"]["work_pool"]["name"]


def test_the_image_names_extras_that_are_there() -> None:
    lines = Path("Dockerfile").read_text().splitlines()
    (extras,) = (line.removeprefix("ARG EXTRAS=").split(",") for line in lines if line.startswith("ARG EXTRAS="))
    assert {*extras} <= {*EXTRAS}
    assert next(line.split()[0] for line in lines if re.match(r"[A-Z]", line)) == "FROM"
    assert lines.index("USER thaw") < lines.index('ENTRYPOINT ["thaw"]'), "nothing runs as root"


def test_the_extra_all_is_every_extra_of_users() -> None:
    every = {name for extra, names in EXTRAS.items() if extra not in ("all", "dev") for name in names}
    assert {*EXTRAS["all"]} == every


def test_the_citation_and_the_package_state_one_version() -> None:
    citation = read(Path("CITATION.cff"))
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert citation["version"] == thaw.__version__ == project["version"]
    assert citation["license"] == project["license"]


def test_hooks_call_what_the_environment_has() -> None:
    hooks = [hook for repo in read(Path(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    makefile = Path("Makefile").read_text()
    assert all(hook["language"] == "system" and hook["entry"].split()[0] in makefile for hook in hooks)
