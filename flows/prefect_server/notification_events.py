"""The events of flow runs that a notification can report."""

from enum import StrEnum


class Occasion(StrEnum):
    """An event of a flow run."""

    FAILED = "failed"
    """The run failed, or was killed."""
    LATE = "late"
    """No worker has taken the run in time."""
    COMPLETED = "completed"

    @property
    def states(self) -> tuple[str, ...]:
        """Prefect's names of the states that belong to the event."""
        return {
            Occasion.FAILED: ("Failed", "Crashed", "TimedOut"),
            Occasion.LATE: ("Late",),
            Occasion.COMPLETED: ("Completed", "Refused", "Skipped"),
        }[self]
