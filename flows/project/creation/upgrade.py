"""The upgrade of a project to the installed Thaw: the difference of each file, then the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from flows.dvc.stage_graph import PIPELINE
from flows.dvc.stage_parameters import DIGESTS, stage_names
from flows.project.creation.files import IGNORED_DATA, ignored_data
from flows.project.creation.pipeline import pipeline_text
from flows.project.errors import NotAProject
from tasks.project.code_digests import present_code
from tasks.project.code_record import Code, changed_code, read_code
from tasks.project.paths import CODE
from thaw.foundation.files.atomic import write_text


@dataclass(frozen=True)
class Upgrade:
    """The upgrade of a project. before, after: the text of each file that changes, by its path in `root`. stages: the stages whose code changes."""

    root: Path
    before: Mapping[Path, str]
    after: Mapping[Path, str]
    stages: tuple[str, ...]

    def differences(self) -> str:
        """The files' differences, as `diff -u` writes them; empty if the project is up to date."""
        parts = []
        for path, text in self.after.items():
            old, new = self.before[path].splitlines(keepends=True), text.splitlines(keepends=True)
            parts.extend(unified_diff(old, new, f"a/{path}", f"b/{path}"))
        return "".join(parts)

    def write(self) -> None:
        """Write the files that change, each atomically."""
        for path, text in self.after.items():
            write_text(self.root / path, text)


def holds_thaw(root: Path) -> bool:
    """Whether the project is a clone of Thaw's repository, whose stage `code` digests the code in the project itself."""
    return DIGESTS in stage_names(root)


def plan_upgrade(root: Path) -> Upgrade:
    """Compare a project with the installed Thaw. Parameters, schedules and stages of the user's own stay.

    Raises:
        NotAProject: the project holds Thaw's own code, which Git upgrades.
        DvcFailed: its `dvc.yaml` cannot be read.
    """
    if holds_thaw(root):
        raise NotAProject(f"{root} is a clone of Thaw's repository; `git pull` upgrades it")
    present = {path: _text(root / path) for path in (Path(PIPELINE), IGNORED_DATA, CODE)}
    code = present_code()
    wanted = {
        Path(PIPELINE): pipeline_text(present[Path(PIPELINE)]),
        IGNORED_DATA: _with_lines(present[IGNORED_DATA], ignored_data()),
        CODE: code.text,
    }
    changed = {path: text for path, text in wanted.items() if text != present[path]}
    return Upgrade(root, {path: present[path] for path in changed}, changed, _stages(root, code))


def follow_installed_code(root: Path) -> tuple[str, ...]:
    """Write the digests of the installed code into a project beside which Thaw is installed; returns the stages whose code has changed."""
    if holds_thaw(root) or not (root / CODE).is_file():
        return ()
    code = present_code()
    stages = _stages(root, code)
    if _text(root / CODE) != code.text:
        write_text(root / CODE, code.text)
    return stages


def _stages(root: Path, code: Code) -> tuple[str, ...]:
    stated = read_code(root / CODE)
    return changed_code({} if stated is None else stated.digests, code.digests)


def _with_lines(text: str, lines: str) -> str:
    """The text with the lines that it lacks at its end."""
    have = set(text.splitlines())
    return text + "".join(line for line in lines.splitlines(keepends=True) if line.rstrip("\n") not in have)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
