"""What a person sees of a flow run on Prefect's pages: the choices of the form that starts it, and its name."""

from pathlib import Path
from typing import Annotated, Any

from prefect import runtime
from prefect.client.orchestration import get_client

from flows.dvc.stage_parameters import stage_names
from flows.project.environment import find_project
from flows.project.errors import NotAProject


class _Offered:
    """Lets the form offer the stages of the project in which the flow is deployed. The flow itself checks the name against the project in which it runs."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core_schema)
        try:
            names = stage_names(find_project(Path.cwd()))
        except NotAProject:
            return schema
        return {**schema, "enum": list(names)} if names else schema


StageName = Annotated[str, _Offered()]


def name_run(name: str) -> None:
    """Give the present flow run a name."""
    if identity := runtime.flow_run.id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(identity, name=name)
