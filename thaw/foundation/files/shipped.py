"""Files that ship with Thaw: in its repository they lie at their places; where Thaw is installed, below `share/thaw`."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from thaw.foundation.errors import BadArtifact

ROOT = Path(__file__).parents[3]
"""The folder that holds the packages; in a clone of the repository, its root."""
_SHARE = "share/thaw/"


def shipped(path: Path) -> Path:
    """Where a file of the repository lies on this machine; `path` is relative to the repository's root.

    Raises:
        BadArtifact: the installation lacks it.
    """
    if (ROOT / "dvc.yaml").is_file() and (ROOT / path).is_file():
        return ROOT / path
    try:
        files = distribution("thaw").files or ()
    except PackageNotFoundError:
        files = ()
    for file in files:
        if file.as_posix().endswith(f"{_SHARE}{path.as_posix()}"):
            return Path(str(file.locate())).resolve()
    raise BadArtifact(f"{path} should have come with Thaw and is not there; install Thaw again")
