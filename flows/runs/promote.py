"""The flows `promote` and `rollback`: the alias `champion` moves forward where no gate refuses, or back by the history."""

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.runs.artifacts import publish_gates
from tasks.registry import promotion
from tasks.registry.promotion import Promotion
from thaw.params.reading import read_params

REFUSED = "Refused"
"""The state of a run that did its work and moved nothing: of the type `Completed`, because nothing went wrong."""


@flow(name="promote")
def promote(dry_run: bool = False, force: bool = False) -> "Promotion | State[Promotion]":
    """Ask every gate in params.yaml about the challenger, and move the alias `champion` if none refuses.

    A refusal ends in the state `Refused`, whose message says why.

    Args:
        dry_run: only say what would happen
        force: record a refusal again, even if nothing has changed since
    """
    hold_temporary_server()
    flow_run = str(runtime.flow_run.id or "")
    found = promotion.promote(read_params(), dry_run=dry_run, force=force, flow_run=flow_run)
    get_run_logger().info("%s", found)
    publish_gates(found)
    return found if found.promoted else Completed(name=REFUSED, message=str(found), data=found)


@flow(name="rollback")
def rollback(to: int | None = None, dry_run: bool = False) -> Promotion:
    """Give the alias `champion` back to the version that had it before.

    Args:
        to: the former champion that gets it; left out: the one before the present one
        dry_run: only say what would happen
    """
    hold_temporary_server()
    found = promotion.rollback(read_params(), to=to, dry_run=dry_run, flow_run=str(runtime.flow_run.id or ""))
    get_run_logger().info("%s", found)
    return found
