"""The checks of the machine before a run: installed versions, the disk, the repositories, and the servers that the run needs."""

import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.version import Version

from flows.runs.findings import Finding, Verdict
from thaw.params.sections import Params

_LEAST_FREE_GB = 2.0
_SILENCE_S = 2.0
"""Seconds after which a server counts as dead: a living one answers at once."""
_REQUIRED = (
    ("fastapi>=0.139,<0.151", "newer versions break Prefect's server"),
    ("sqlalchemy>=2.0,<2.1", "with newer versions Prefect makes no scheduled runs"),
    ("prefect>=3.8,<4", "the flows are written for it"),
    ("dvc>=3.67,<4", "the stages are written for it"),
    ("mlflow>=3.17,<4", "the registry is written for it"),
    ("torch", "it computes the features"),
    ("torchvision", "it holds the backbones"),
)


def check_versions() -> Iterator[Finding]:
    """Check Python and the libraries whose versions matter."""
    python = sys.version_info
    verdict = Verdict.PASS if python >= (3, 11) else Verdict.FAIL
    yield Finding(
        "python",
        verdict,
        f"{python.major}.{python.minor}",
        "" if verdict is Verdict.PASS else "use 3.11 or newer",
    )
    for requirement, why in _REQUIRED:
        yield check_version(requirement, why, metadata.version)


def check_version(requirement: str, why: str, installed: Callable[[str], str]) -> Finding:
    """Compare an installed version with a requirement such as `fastapi>=0.139,<0.151`."""
    parsed = Requirement(requirement)
    try:
        version = installed(parsed.name)
    except metadata.PackageNotFoundError:
        return Finding(parsed.name, Verdict.FAIL, "is not installed", "run `make install`")
    if not parsed.specifier.contains(Version(version), prereleases=True):
        says = f"{version}, but {parsed.specifier} is needed: {why}"
        return Finding(parsed.name, Verdict.FAIL, says, "run `make install`")
    return Finding(parsed.name, Verdict.PASS, version)


def check_disk(root: Path) -> Finding:
    """Check that there is some room."""
    free = shutil.disk_usage(root).free / 1e9
    if free < _LEAST_FREE_GB:
        return Finding("disk", Verdict.WARN, f"{free:.1f} GB are free", "make room: features and models are kept")
    return Finding("disk", Verdict.PASS, f"{free:.0f} GB are free")


def check_git(root: Path) -> Finding:
    """Check that there is a Git repository."""
    if any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Finding("git", Verdict.PASS, "the project is in a Git repository")
    advice = "`git init`, so that experiments can be compared"
    return Finding("git", Verdict.WARN, "the project is in no Git repository", advice)


def check_dvc(root: Path) -> Finding:
    """Check that DVC is initialised."""
    if (root / ".dvc").is_dir():
        return Finding("dvc", Verdict.PASS, "is initialised")
    return Finding("dvc", Verdict.FAIL, "is not initialised", "`dvc init` (with --no-scm where there is no Git)")


def check_tracking(root: Path, params: Params) -> Finding:
    """Check that MLflow's server answers, or that its data base can be written; only the last stages need it."""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        wrong = _why_silent(f"{address.rstrip('/')}/health")
        shown = address if parts.password is None else address.replace(parts.password, "***")
    elif parts.scheme == "sqlite":
        place = root / parts.path.removeprefix("/")
        wrong, shown = _why_unwritable(place), address
        if not place.parent.is_dir():
            wrong = f"cannot be made: {place.parent} does not exist"
    else:
        return Finding("mlflow server", Verdict.PASS, address or "the project's own store")
    if wrong is None:
        return Finding("mlflow server", Verdict.PASS, f"{shown} can be used")
    advice = "start the server, or correct MLFLOW_TRACKING_URI; without it the project's own store is used"
    return Finding("mlflow server", Verdict.FAIL, f"{shown} {wrong}", advice, late=True)


def check_store(root: Path, params: Params) -> Finding:
    """Check that the second place of the features is there, where it is a folder."""
    store = params.extract.store
    if store is None or "://" in store:
        return Finding("extract.store", Verdict.PASS, store or "features are kept in the project alone")
    wrong = _why_unwritable(root / store)
    if wrong is None:
        return Finding("extract.store", Verdict.PASS, f"{store} can be written")
    return Finding(
        "extract.store", Verdict.FAIL, f"{store} {wrong}", "mount or make that folder, or set extract.store=null"
    )


def _why_silent(address: str) -> str | None:
    """Why a server is of no use, as the end of a sentence; None: it answers."""
    try:
        with urllib.request.urlopen(address, timeout=_SILENCE_S):  # noqa: S310  # http or https, as the caller checks
            return None
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return (
                f"wants a login ({error.code}); set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
                if not _has_login()
                else None
            )
        return f"fails ({error.code} {error.reason})" if error.code >= 500 else None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return f"does not answer ({getattr(reason, 'strerror', None) or reason})"


def _has_login() -> bool:
    return any(os.environ.get(name) for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"))


def _why_unwritable(path: Path) -> str | None:
    """Why a file or folder cannot be written or made, as the end of a sentence; None: it can."""
    there = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    if not os.access(there, os.W_OK):
        return f"cannot be written: {there} is closed to you"
    return None
