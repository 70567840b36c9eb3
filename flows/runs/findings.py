"""What one check before a run has found, and the record of costly checks, which run again only when their inputs have changed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flows.project.environment import STATE
from thaw.foundation.files.atomic import write_bytes

RECORD = STATE / "checked.json"
"""The findings of costly checks that did not fail, with the state of what they looked at."""
_LIBRARIES = ("thaw", "torch", "torchvision", "safetensors", "pyarrow")


class Verdict(StrEnum):
    """The verdict of one check."""

    PASS = "pass"  # noqa: S105  # no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """The finding of one check, and advice. late: only the last stages need what is missing, so a run of earlier ones may go on."""

    check: str
    verdict: Verdict
    says: str
    advice: str = ""
    late: bool = False

    def __str__(self) -> str:
        return f"{self.check}: {self.says}" + (f"; {self.advice}" if self.advice else "")


@dataclass(frozen=True)
class _Kept:
    """Findings, and the state in which they were found."""

    state: str
    findings: tuple[Finding, ...]


_ADAPTER = TypeAdapter(dict[str, _Kept])


def unless_unchanged(
    root: Path, name: str, state: object, find: Callable[[], tuple[Finding, ...]]
) -> tuple[Finding, ...]:
    """The findings of the last time in this state, else those of `find`. Findings that fail are not kept.

    Args:
        root: the project's folder.
        name: of the check in the record.
        state: whatever the findings depend on, as JSON; the versions of libraries are added.
        find: the check.
    """
    whole = json.dumps([state, [_version(library) for library in _LIBRARIES]], sort_keys=True, default=str)
    record = _read(root)
    if (kept := record.get(name)) is not None and kept.state == whole:
        return kept.findings
    findings = find()
    if all(finding.verdict is not Verdict.FAIL for finding in findings):
        write_bytes(root / RECORD, _ADAPTER.dump_json({**record, name: _Kept(whole, findings)}))
    return findings


def _read(root: Path) -> dict[str, _Kept]:
    try:
        return _ADAPTER.validate_json((root / RECORD).read_bytes())
    except (OSError, ValidationError):
        return {}


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
