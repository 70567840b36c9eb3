"""What can go wrong above the stages, each with the exit code that `thaw` leaves."""

from thaw.foundation.errors import ThawError


class NotAProject(ThawError):
    """The command was given outside a Thaw project."""


class RunInProgress(ThawError):
    """Another run holds the project, and waiting was not wanted; `holder` says who."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


class AlreadyUp(ThawError):
    """The project's servers are up already."""


class KilledTooOften(ThawError):
    """A flow run was killed so often that another try makes no sense."""


class BadDeployments(ThawError):
    """`prefect.yaml` is missing, cannot be read, or Prefect refuses it."""


class BadNotice(ThawError):
    """A notification cannot be set up: its address is not understood, or there is none of that name."""


class DvcFailed(ThawError):
    """DVC could not answer: no repository, a broken `dvc.yaml`."""


class UnknownStage(ThawError):
    """The pipeline has no stage of that name."""


class StageFailed(ThawError):
    """A stage failed; the stages before it are done."""


class StageMayPass(StageFailed):
    """A stage failed in a way that may pass: another process is in its way, a server did not answer."""


class StageInterrupted(ThawError):
    """A stage was stopped before it ended, because its run was."""


class NoServer(ThawError):
    """A server that the user named does not answer, or one that was started did not come up."""


class NotReady(ThawError):
    """Something that a run needs is missing or cannot serve."""
