"""The flows `promote`, `override` and `rollback`: the alias `champion` moves forward if no gate refuses or a person overrides them, or back by the history."""

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.runs.artifacts import publish_gates
from flows.runs.run_form import name_run
from tasks.registry import promotion
from tasks.registry import rollback as return_of_alias
from tasks.registry.attempt import Promotion
from thaw.foundation.errors import RegistryError
from thaw.params.values.reading import read_params

REFUSED = "Refused"
"""The state of a run that worked and left the alias in place; its type is `Completed`, because nothing went wrong."""


@flow(name="promote")
def promote(dry_run: bool = False, force: bool = False) -> "Promotion | State[Promotion]":
    """Run every gate in params.yaml on the challenger, and move the alias `champion` if none refuses.

    A refusal ends in the state `Refused`; the message of the state has the reason.

    Args:
        dry_run: only report the decision
        force: record a refusal again, even if nothing has changed since the last refusal
    """
    hold_temporary_server()
    flow_run = str(runtime.flow_run.id or "")
    outcome = promotion.promote(read_params(), dry_run=dry_run, force=force, flow_run=flow_run)
    get_run_logger().info("%s", outcome)
    publish_gates(outcome)
    name_run(outcome.headline)
    return outcome if outcome.promoted else Completed(name=REFUSED, message=str(outcome), data=outcome)


@flow(name="override")
def override(why: str, dry_run: bool = False) -> Promotion:
    """Promote the challenger although gates refuse it, for a reason that the history, MLflow and the page keep.

    Args:
        why: the reason
        dry_run: only report the decision

    Raises:
        RegistryError: a deployment runs it, or no gate refuses.
    """
    if runtime.deployment.id:
        raise RegistryError(
            "no schedule and no deployment overrides the gates; a person runs `thaw promote --override`"
        )
    hold_temporary_server()
    flow_run = str(runtime.flow_run.id or "")
    outcome = promotion.promote(read_params(), dry_run=dry_run, override=why, flow_run=flow_run)
    get_run_logger().info("%s", outcome)
    publish_gates(outcome)
    name_run(outcome.headline)
    return outcome


@flow(name="rollback")
def rollback(to: int | None = None, why: str = "", dry_run: bool = False) -> Promotion:
    """Give the alias `champion` back to the version that had it before, and bar the version that it leaves.

    Args:
        to: the former champion that gets the alias; left out: the champion before the present champion
        why: the reason, for later readers
        dry_run: only report the move
    """
    hold_temporary_server()
    flow_run = str(runtime.flow_run.id or "")
    outcome = return_of_alias.rollback(read_params(), to=to, why=why, dry_run=dry_run, flow_run=flow_run)
    get_run_logger().info("%s", outcome)
    name_run(outcome.headline)
    return outcome
