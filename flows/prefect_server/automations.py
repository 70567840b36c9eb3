"""Automations on a Prefect server, identified by their names: how to put and find them."""

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation
from prefect.events.schemas.events import ResourceSpecification

from flows.prefect_server.deployments import TAG

_RUN = {"prefect.resource.id": "prefect.flow-run.*"}
_TAGGED = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}


def put(client: SyncPrefectClient, automation: AutomationCore) -> bool:
    """Make the automation, or update the automation of the same name; True if it is new.

    An automation that is right already is left alone, because a change would make it forget the events that it waits for. An automation that was switched off
    stays off.
    """
    present = client.read_automations_by_name(automation.name)
    if not present:
        client.create_automation(automation)
        return True
    updated = automation.model_copy(update={"enabled": present[0].enabled})
    if _content(present[0]) != _content(updated):
        client.update_automation(present[0].id, updated)
    for extra in present[1:]:
        client.delete_automation(extra.id)
    return False


def _content(automation: AutomationCore) -> dict[str, object]:
    # In JSON, sets become lists whose order differs from one process to the next.
    return automation.model_dump(include=set(AutomationCore.model_fields))


def find(client: SyncPrefectClient, prefix: str) -> tuple[Automation, ...]:
    """The automations whose names begin with `prefix`, by name."""
    matches = (automation for automation in client.read_automations() if automation.name.startswith(prefix))
    return tuple(sorted(matches, key=lambda automation: automation.name))


def when(*events: str) -> EventTrigger:
    """A trigger that fires when a flow run of a deployment with the tag `thaw` enters one of these states."""
    return EventTrigger(
        expect={f"prefect.flow-run.{event}" for event in events},
        match=_specification(_RUN),
        match_related=_specification(_TAGGED),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
    )


def when_silent(*events: str, within_s: float, flow: str | None = None) -> EventTrigger:
    """A trigger that fires if no other event of the same flow run follows one of these events within `within_s` seconds.

    It watches the runs of `when`; with `flow` it watches only the runs of that flow.
    """
    related = [_specification(_TAGGED)]
    if flow is not None:
        related.append(_specification({"prefect.resource.role": "flow", "prefect.resource.name": flow}))
    return EventTrigger(
        after={f"prefect.flow-run.{event}" for event in events},
        expect={"prefect.flow-run.*"},
        match=_specification(_RUN),
        match_related=related,
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=within_s),
    )


def _specification(labels: dict[str, str]) -> ResourceSpecification:
    return ResourceSpecification.model_validate(labels)
