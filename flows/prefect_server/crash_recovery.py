"""Recovery of flow runs whose process was killed: Prefect notices the kill, and a run of the pipeline continues."""

from prefect import runtime
from prefect.automations import AutomationCore, ChangeFlowRunState
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType

from flows.prefect_server.automations import when_silent
from flows.project.errors import KilledTooOften

SILENT_S = 120.0
"""Seconds without a sign of life after which a run counts as dead; `prefect.yaml` makes each run send one every 30 s."""
PAUSE_S = 30.0
"""Seconds between a run's end and its next try: a worker reports a killed process twice, the second time 10 s later."""
MOST_KILLS = 3
RESCUED = "transfer"
"""The flow that is continued after a kill; its finished stages are kept."""


def rescue(silent_s: float = SILENT_S, pause_s: float = PAUSE_S) -> tuple[AutomationCore, ...]:
    """The automations that look after killed runs. Thaw holds no state for them: pending recoveries wait on the server.

    A worker reports a killed process itself. A run that died with its worker or its machine is reported by nobody: it
    goes silent.
    """
    silent = AutomationCore(
        name="thaw: a silent run has crashed",
        description=f"A flow run that gave no sign of life for {silent_s:g} s was killed with its worker: mark it as crashed.",
        trigger=when_silent("Pending", "Running", "heartbeat", within_s=silent_s),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                message=f"No sign of life for {silent_s:g} s: its worker, or its machine, was stopped or killed",
            )
        ],
    )
    again = AutomationCore(
        name=f"thaw: a crashed run of {RESCUED} goes on",
        description="A killed run is put back into the queue: its finished stages are kept, and it continues from there.",
        trigger=when_silent("Crashed", within_s=pause_s, flow=RESCUED),
        actions=[
            ChangeFlowRunState(
                state=StateType.SCHEDULED,
                name="AwaitingRetry",
                message="It was killed; its finished stages are kept, and it continues from there",
            )
        ],
    )
    return silent, again


def refuse_after_kills() -> None:
    """End a flow run that was killed too often, instead of trying for ever.

    Raises:
        KilledTooOften: the run has crashed `MOST_KILLS` times.
    """
    if not (identity := runtime.flow_run.id) or (runtime.flow_run.run_count or 0) <= MOST_KILLS:
        return
    with get_client(sync_client=True) as client:
        states = client.read_flow_run_states(identity)
    kills = sum(state.type is StateType.CRASHED for state in states)
    if kills >= MOST_KILLS:
        raise KilledTooOften(
            f"this run was killed {kills} times and is not tried again; .thaw/logs shows the stage that was running. Too "
            "little memory is the usual reason: a smaller extract.batch_size or finetune.batch_size needs less. "
            "`thaw run` continues after the finished stages"
        )
