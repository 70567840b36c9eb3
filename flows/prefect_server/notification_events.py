"""What people can be told of flow runs."""

from enum import StrEnum


class Occasion(StrEnum):
    """A turn that a flow run takes."""

    FAILED = "failed"
    """It failed, or was killed."""
    LATE = "late"
    """No worker has taken it in time."""
    COMPLETED = "completed"

    @property
    def states(self) -> tuple[str, ...]:
        """Prefect's names of the states that are meant."""
        return {
            Occasion.FAILED: ("Failed", "Crashed", "TimedOut"),
            Occasion.LATE: ("Late",),
            Occasion.COMPLETED: ("Completed", "Refused", "Skipped"),
        }[self]
