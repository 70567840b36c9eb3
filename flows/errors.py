"""What can go wrong above the stages, each with the exit code that `thaw` leaves."""

from thaw.errors import ThawError


class NotAProject(ThawError):
    """The command was given outside a Thaw project."""


class RunInProgress(ThawError):
    """Another run holds the project, and waiting was not wanted."""


class DvcFailed(ThawError):
    """DVC could not answer: no repository, a broken `dvc.yaml`."""


class UnknownStage(ThawError):
    """The pipeline has no stage of that name."""


class StageFailed(ThawError):
    """A stage failed; the stages before it are done."""


class StageMayPass(StageFailed):
    """A stage failed in a way that may pass by itself: another process is in its way, or a server did not answer."""


class StageInterrupted(ThawError):
    """A stage was stopped before it ended, because its run was."""
