"""The flows `promote` and `rollback`: the alias `champion` moves forward by the rule, or back by the history."""

from prefect import flow, get_run_logger, runtime

from tasks import promoting
from tasks.promoting import Promotion
from thaw.params import read_params


@flow(name="promote")
def promote(dry_run: bool = False, force: bool = False) -> Promotion:
    """Compare the challenger with the champion on the same test rows, and move the alias if the rule in params.yaml allows it.

    Args:
        dry_run: only say what would happen
        force: record a refusal again, even if nothing has changed since
    """
    flow_run = str(runtime.flow_run.id or "")
    found = promoting.promote(read_params(), dry_run=dry_run, force=force, flow_run=flow_run)
    get_run_logger().info("%s", found)
    return found


@flow(name="rollback")
def rollback(dry_run: bool = False) -> Promotion:
    """Give the alias `champion` back to the version that had it before.

    Args:
        dry_run: only say what would happen
    """
    found = promoting.rollback(read_params(), dry_run=dry_run, flow_run=str(runtime.flow_run.id or ""))
    get_run_logger().info("%s", found)
    return found
