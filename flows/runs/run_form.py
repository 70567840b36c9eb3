"""What a person sees of a flow run on Prefect's pages: the choices of the form that starts it, and its name."""

from pathlib import Path
from typing import Annotated, Any

from prefect import runtime
from prefect.client.orchestration import get_client
from pydantic import BeforeValidator

from flows.dvc.stage_parameters import stage_names
from flows.project.environment import find_project
from flows.project.errors import NotAProject

ALL = "all"
"""The choice of every stage. It is a word, because the form shows a list of words at once, and hides one that may also be left out."""


class _Offered:
    """Lets the form offer the stages of the project in which the flow is deployed. The flow itself checks the name against the project in which it runs."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core_schema)
        try:
            names = stage_names(find_project(Path.cwd()))
        except NotAProject:
            return schema
        return {**schema, "enum": [ALL, *names]} if names else schema


StageName = Annotated[str, BeforeValidator(lambda name: ALL if name is None else name), _Offered()]
"""`ALL`, or the name of a stage; None is read as `ALL`."""


def only_stage(chosen: str) -> str | None:
    """The stage that was chosen; None: all."""
    return None if chosen == ALL else chosen


def name_run(name: str) -> None:
    """Give the present flow run a name."""
    if identity := runtime.flow_run.id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(identity, name=name)
