"""The stage graph and the state of each stage, read from DVC."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.dvc.output_parser import BUSY
from flows.project.environment import QUIET, path_with_programs
from flows.project.errors import DvcBusy, DvcFailed

PIPELINE = "dvc.yaml"
PROGRAM = Path(__file__).with_name("program.py")
"""DVC with a run cache for persistent outputs."""
_EDGE = re.compile(r'^"(?P<above>.+)" -> "(?P<below>.+)";$')
_BLOCKER = re.compile(r"\(PID (?P<pid>\d+)\): (?P<command>.+)")
_NODE = re.compile(r'^"(?P<name>.+)";$')


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline, and the stages whose outputs it reads."""

    name: str
    upstream: tuple[str, ...]


@dataclass(frozen=True)
class StageState:
    """The reasons for which a stage would run again; a stage without reasons is up to date."""

    name: str
    reasons: tuple[str, ...]
    missing: bool
    """Whether an output does not exist."""

    @property
    def changed(self) -> bool:
        return bool(self.reasons)


@dataclass(frozen=True)
class Pipeline:
    """The pipeline as DVC sees it at one moment.

    stages: those that `dvc repro` would check, each after the stages that it reads from. changes: of the stages that are not up to date, by name, as
    `dvc status --json` tells them.
    """

    stages: tuple[Stage, ...]
    changes: Mapping[str, Sequence[object]]

    @property
    def fresh(self) -> frozenset[str]:
        """Names of the stages that DVC would not run."""
        return up_to_date(self.stages, {name: parse_state(name, changes) for name, changes in self.changes.items()})


def read_pipeline(root: Path) -> Pipeline:
    """The stages and their changes, by one process of DVC.

    Raises:
        DvcBusy: another DVC command is at work.
        DvcFailed: DVC cannot read the pipeline; the error has DVC's own message.
    """
    told = json.loads(_answer(root, ["python", str(PROGRAM), "--wait-for-lock", "pipeline"], "dvc status"))
    stages = in_order([Stage(name, tuple(above)) for name, above in told["stages"].items()])
    return Pipeline(stages, told["changes"])


def read_stages(root: Path) -> tuple[Stage, ...]:
    """The stages alone, which DVC tells even while another of its commands is at work.

    Raises:
        DvcFailed: see `read_pipeline`.
    """
    return in_order(parse_graph(ask_dvc(root, ["dag", "--dot", PIPELINE])))


def up_to_date(stages: Sequence[Stage], changed: Mapping[str, StageState]) -> frozenset[str]:
    """Names of the stages that DVC would not run: they and all stages above them are unchanged. `stages` are in order."""
    fresh: set[str] = set()
    for stage in stages:
        if stage.name not in changed and fresh.issuperset(stage.upstream):
            fresh.add(stage.name)
    return frozenset(fresh)


def needed_for(stages: Sequence[Stage], name: str) -> tuple[Stage, ...]:
    """The named stage and all stages that it needs, in the order of `stages`; `stages` must be in order (see `in_order`)."""
    needed = {name}
    for stage in reversed(stages):
        if stage.name in needed:
            needed.update(stage.upstream)
    return tuple(stage for stage in stages if stage.name in needed)


def parse_graph(dot: str) -> tuple[Stage, ...]:
    """Stages from `dvc dag --dot`, in DVC's order."""
    lines = [line.strip() for line in dot.splitlines()]
    edges = [match for line in lines if (match := _EDGE.match(line))]
    names = [match["name"] for line in lines if (match := _NODE.match(line)) and not _EDGE.match(line)]
    above = {name: tuple(edge["above"] for edge in edges if edge["below"] == name) for name in names}
    return tuple(Stage(name, upstream) for name, upstream in above.items())


def in_order(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same stages, each after the stages upstream of it; otherwise in the given order."""
    ordered: dict[str, Stage] = {}
    waiting = list(stages)
    while waiting:
        ready = [stage for stage in waiting if all(name in ordered for name in stage.upstream)]
        if not ready:
            names = ", ".join(stage.name for stage in waiting)
            raise DvcFailed(f"the stages of {PIPELINE} wait for each other: {names}")
        ordered[ready[0].name] = ready[0]
        waiting.remove(ready[0])
    return tuple(ordered.values())


def parse_state(name: str, changes: Sequence[object]) -> StageState:
    """The state of a changed stage from its changes in `dvc status --json`."""
    reasons: list[str] = []
    missing = False
    for change in changes:
        if isinstance(change, str):  # "changed command", "always changed", "changed checksum"
            reasons.append(change)
            continue
        assert isinstance(change, dict)
        for kind, details in change.items():
            missing |= kind == "changed outs" and "deleted" in details.values()
            reasons.extend(_say(kind, details))
    return StageState(name, tuple(reasons), missing)


def _say(kind: str, details: dict[str, object]) -> list[str]:
    """`("changed deps", {"params.yaml": {"strategy.kind": "modified"}})` becomes `["strategy.kind modified"]`."""
    reasons: list[str] = []
    for name, state in details.items():
        if isinstance(state, dict):
            reasons.extend(f"{key} {change}" for key, change in state.items())
        else:
            reasons.append(f"{'output ' if kind == 'changed outs' else ''}{name} {state}")
    return reasons


def ask_dvc(root: Path, arguments: list[str]) -> str:
    """The standard output of one `dvc` command that changes nothing.

    Raises:
        DvcBusy: another DVC command is at work.
        DvcFailed: the command failed; the error has DVC's own message.
    """
    return _answer(root, ["dvc", "--wait-for-lock", *arguments], f"dvc {' '.join(arguments)}")


def _answer(root: Path, command: Sequence[str], title: str) -> str:
    environment = {**QUIET, **os.environ, "PATH": path_with_programs(os.environ)}
    answer = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        if any(sign in answer.stderr for sign in BUSY):
            raise DvcBusy(_say_busy(answer.stderr))
        message = answer.stderr.strip().removeprefix("ERROR: ") or f"exit code {answer.returncode}"
        raise DvcFailed(f"`{title}` failed: {message}")
    return answer.stdout


def _say_busy(message: str) -> str:
    """One sentence in the place of DVC's advice to remove its lock by hand, which a living process needs."""
    blocker = _BLOCKER.search(message)
    words = f" (process {blocker['pid']}: `{_short(blocker['command'])}`)" if blocker else ""
    return f"DVC is at work on this project{words}; try again when it has ended"


def _short(command: str) -> str:
    """The command of a DVC process without the path of its program."""
    program, *words = command.split()
    return " ".join(["dvc" if program.endswith(("dvc", "program.py", "__main__.py")) else program, *words])
