"""What a user can put right: one plain sentence that says what, where, and what to do."""


class ThawError(Exception):
    """Base of every error that is the user's to mend. The command line prints it without a traceback and exits with 1."""


class BadParameters(ThawError):
    """`params.yaml` is missing, unreadable, or holds a key or value that is not allowed."""


class BadSource(ThawError):
    """The data set's source is missing, empty, or laid out in a way that cannot be read."""


class TooManyRejected(BadSource):
    """More examples were rejected than `dataset.max_rejected` allows; `rejected` lists all, as (path, reason)."""

    def __init__(self, message: str, rejected: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.rejected = rejected


class BadManifest(ThawError):
    """The manifest cannot serve: no labels, too few classes, a class without training examples."""


class BadTable(ThawError):
    """A CSV file of the user's (corrections, a reviewed table) cannot be read, or says what cannot be."""


class BadWeights(ThawError):
    """The backbone's weights are missing, damaged, or do not fit the architecture."""


class BadArtifact(ThawError):
    """A file that a stage wrote is missing, torn, or of another version; running the stage again mends it."""


class IncompleteFeatures(BadArtifact):
    """The feature store lacks features that a later stage needs."""


class StaleFeatures(BadArtifact):
    """Cached features are not what would be computed now."""


class BadExport(ThawError):
    """A model cannot be exported so, or what came out does not say what the model says."""


class BadExample(ThawError):
    """One image that cannot be used, with the reason; never stops a run by itself."""


class OutOfMemory(ThawError):
    """Memory does not hold even the smallest piece of the work."""


class Unreachable(ThawError):
    """A download or a server failed in a way that may pass by itself; worth another try."""


class InUse(ThawError):
    """Somebody else is at work on it; worth another try when they have ended."""


class RegistryError(ThawError):
    """The model registry cannot do what was asked: no such version, no champion, nothing to roll back to."""


class NotReproducible(ThawError):
    """A version cannot be rebuilt: its commit is gone, it came from uncommitted changes, or its images are no longer to be had."""
