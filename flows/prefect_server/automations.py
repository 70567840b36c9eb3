"""Automations on a Prefect server, each known by its name: put, found, removed."""

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation
from prefect.events.schemas.events import ResourceSpecification

from flows.prefect_server.deployments import TAG

_RUN = {"prefect.resource.id": "prefect.flow-run.*"}
_TAGGED = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}


def put(client: SyncPrefectClient, wanted: AutomationCore) -> bool:
    """Make the automation, or bring the one of its name to what is wanted; true if it is new.

    One that is as it should be is left alone, as a change would make it forget what it waits for. One that was switched off stays off.
    """
    there = client.read_automations_by_name(wanted.name)
    if not there:
        client.create_automation(wanted)
        return True
    kept = wanted.model_copy(update={"enabled": there[0].enabled})
    if _content(there[0]) != _content(kept):
        client.update_automation(there[0].id, kept)
    for extra in there[1:]:
        client.delete_automation(extra.id)
    return False


def _content(automation: AutomationCore) -> dict[str, object]:
    # Not as JSON: there, sets are lists, in an order that differs from one process to the next.
    return automation.model_dump(include=set(AutomationCore.model_fields))


def find(client: SyncPrefectClient, prefix: str) -> tuple[Automation, ...]:
    """The automations whose names begin with `prefix`, by name."""
    found = (one for one in client.read_automations() if one.name.startswith(prefix))
    return tuple(sorted(found, key=lambda one: one.name))


def when(*events: str) -> EventTrigger:
    """Fires when a flow run of a deployment with the tag `thaw` enters one of these states."""
    return EventTrigger(
        expect={f"prefect.flow-run.{event}" for event in events},
        match=_specification(_RUN),
        match_related=_specification(_TAGGED),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
    )


def when_silent(*events: str, within_s: float, flow: str | None = None) -> EventTrigger:
    """Fires when one of these events of a flow run is not followed by any other of the same run within `within_s` seconds.

    Of runs as in `when`; `flow`: of this flow alone.
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
