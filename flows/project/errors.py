"""The errors above the stages."""

from thaw.foundation.errors import ThawError


class NotAProject(ThawError):
    """The command was given outside a Thaw project."""


class NotEmpty(ThawError):
    """A folder has files that a new project would meet."""


class ToolFailed(ThawError):
    """Git or DVC refused a step of a project's creation."""


class RunInProgress(ThawError):
    """Another run holds the project, and the command does not wait; `holder` describes that run."""

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
    """A notification's address is not understood, or there is no notification of that name."""


class DvcFailed(ThawError):
    """DVC could not answer: there is no repository, or `dvc.yaml` is broken."""


class DvcBusy(DvcFailed):
    """Another DVC command works on the same files; another try makes sense when it has ended."""


class UnknownStage(ThawError):
    """The pipeline has no stage of that name."""


class StageFailed(ThawError):
    """A stage failed; the stages before it have finished."""


class StageMayPass(StageFailed):
    """A stage failed with an error that may pass: another process holds its files, or a server did not answer."""


class StageInterrupted(ThawError):
    """A stage was stopped before its end, because its run was stopped."""


class NoServer(ThawError):
    """A server that the user named does not answer, or a started server did not come up."""


class PortTaken(NoServer):
    """A started server ended, because another program listens at its port."""


class NotReady(ThawError):
    """A condition of a run is not met."""
