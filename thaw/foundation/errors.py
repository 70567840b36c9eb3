"""Errors that a user can mend; each message is a plain sentence with the fault, its place and the remedy."""


class ThawError(Exception):
    """The base of every error that the user can mend. The command line prints it without a traceback and exits with 1."""


class BadParameters(ThawError):
    """`params.yaml` is missing, unreadable, or holds a key or value that is not allowed."""


class BadSource(ThawError):
    """The data set's source is missing, empty, or of a layout that cannot be read."""


class TooManyRejected(BadSource):
    """More examples were rejected than `dataset.max_rejected` allows; `rejected` lists them as (path, reason)."""

    def __init__(self, message: str, rejected: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.rejected = rejected


class BadManifest(ThawError):
    """The manifest cannot be used: it has no labels, too few classes, or a class without training examples."""


class BadTable(ThawError):
    """A CSV file of the user (corrections, a reviewed table) cannot be read, or contradicts itself or the data."""


class BadWeights(ThawError):
    """The backbone's weights are missing, damaged, or do not fit the architecture."""


class BadArtifact(ThawError):
    """A file of a stage is missing, torn, or of another version; another run of the stage mends it."""


class OtherVersion(ThawError):
    """The project states another version of Thaw than the one that is installed."""


class HearsTriggers(ThawError):
    """A model hears triggers in recordings, and what was asked for needs one that labels whole examples."""


class IncompleteFeatures(BadArtifact):
    """The feature store lacks features that a later stage needs."""


class StaleFeatures(BadArtifact):
    """Cached features differ from those that would be computed now."""


class BadExport(ThawError):
    """A model cannot be exported in this way, or the exported model gives other answers."""


class BadExample(ThawError):
    """One example cannot be used, for the given reason; the error alone never stops a run."""


class OutOfMemory(ThawError):
    """There is not enough memory for the smallest piece of the work."""


class Unreachable(ThawError):
    """A download or a server failed in a way that may pass by itself; another try may succeed."""


class InUse(ThawError):
    """Another process uses the file or folder; another try may succeed when it has ended."""


class RegistryError(ThawError):
    """The model registry cannot do what was asked: there is no such version, no champion, or nothing to roll back to."""


class NotReproducible(ThawError):
    """A version cannot be rebuilt: its commit is gone, it came from uncommitted changes, or its examples are gone."""
