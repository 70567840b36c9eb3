"""Claims: what a person waits for in the first minutes with Thaw, as wall seconds and as processor seconds of every process that the command started.

    [THAW_REAL_DATA=FOLDER] python benchmarks/first_run.py [--quick] [CASE ...]

Each case is a command in a project that `thaw init` has made in a temporary folder: `digits` (the first run of the default project), `again` (nothing to do),
`status` and `models`, `photographs` (387 photographs of ants and bees with MobileNetV2), `head` (another kind of head on the cached features) and `more` (ten
photographs more); the last three need the folder of real data. Without names all cases run, with `--quick` the first four. Beside each case stands what
its processes used, by stage; a process of less than a tenth of a second may be missing there, but not in the sum.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THAW = [sys.executable, "-m", "flows.cli"]
POLL_S = 0.05
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of `prctl`: orphans become children of this process, so that their seconds count."""
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """Of one command. wall, cpu, first_line: seconds. by: processor seconds by what the process is."""

    wall: float
    cpu: float
    first_line: float
    by: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Case:
    """A command to measure. goal: processor seconds, or None; wall: seconds, or None."""

    name: str
    claim: str
    run: Callable[[Path], Used]
    cpu: float | None = None
    wall: float | None = None


def measured(command: list[str], folder: Path) -> Used:
    """Run a command in a project.

    Raises:
        SystemExit: the command failed.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    spent: dict[int, tuple[str, float]] = {}
    ended = threading.Event()
    watch = threading.Thread(target=_follow, args=(process.pid, spent, ended))
    watch.start()
    assert process.stdout is not None
    lines, first = [], 0.0
    for line in process.stdout:
        first = first or time.perf_counter() - began
        lines.append(line)
    code = process.wait()
    wall = time.perf_counter() - began
    _reap()
    ended.set()
    watch.join()
    if code:
        raise SystemExit(f"{' '.join(command)} failed:\n{b''.join(lines[-40:]).decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    by: Counter[str] = Counter()
    for name, seconds in spent.values():
        by[name] += seconds
    return Used(wall, cpu, first, by)


def _follow(root: int, spent: dict[int, tuple[str, float]], ended: threading.Event) -> None:
    """Note the seconds of the process and of all that descend from it, until it has ended."""
    while not ended.wait(POLL_S):
        for pid, seconds in _family(root):
            name = _name(pid)
            if name:
                spent[pid] = name, seconds


def _family(root: int) -> Iterator[tuple[int, float]]:
    parents: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                values = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(values[1]), (int(values[11]) + int(values[12])) / _TICK
    own = os.getpid()
    for pid, (_, seconds) in parents.items():
        above = pid
        while above in parents and above not in (root, own):
            above = parents[above][0]
        if above in (root, own) and pid != own:
            yield pid, seconds


def _name(pid: int) -> str | None:
    """What a process is, from its command line."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    line = " ".join(words)
    for sign, name in (
        ("tasks.stages.", "stage "),
        ("program.py", "dvc"),
        ("prefect", "prefect server"),
        ("flows.cli", "thaw"),
    ):
        if sign in line:
            return name + line.partition(sign)[2].split()[0] if name == "stage " else name
    return Path(words[0]).name or None


def _reap() -> None:
    """Wait for orphans, as long as there are any."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def init(folder: Path, *options: str) -> None:
    """A project in the folder."""
    subprocess.run(
        [*THAW, "init", str(folder), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )


def _set(project: Path, *changes: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*THAW, "config", "set", *changes], cwd=project, env=environment, check=True, capture_output=True)


def digits(folder: Path) -> Used:
    init(folder / "digits")
    return measured([*THAW, "run"], folder / "digits")


def again(folder: Path) -> Used:
    return measured([*THAW, "run"], folder / "digits")


def status(folder: Path) -> Used:
    return measured([*THAW, "status"], folder / "digits")


def models(folder: Path) -> Used:
    return measured([*THAW, "models"], folder / "digits")


def photographs(folder: Path) -> Used:
    real, project = Path(os.environ["THAW_REAL_DATA"]), folder / "photographs"
    init(project, "--example", "hymenoptera")
    shutil.copytree(real / "hymenoptera", folder / "source")
    weights = real / "mobilenet_v2-imagenet.pth"
    held = sorted((folder / "source/train/ants").iterdir())[:10]
    (folder / "kept").mkdir()
    for path in held:
        path.rename(folder / "kept" / path.name)
    _set(
        project,
        f"dataset.source={folder / 'source'}",
        f"backbone.weights={weights}",
        "backbone.architecture=mobilenet_v2",
    )
    return measured([*THAW, "run"], project)


def head(folder: Path) -> Used:
    _set(folder / "photographs", "strategy.kind=mlp")
    return measured([*THAW, "run"], folder / "photographs")


def more(folder: Path) -> Used:
    for path in (folder / "kept").iterdir():
        path.rename(folder / "source/train/ants" / path.name)
    return measured([*THAW, "run"], folder / "photographs")


CASES = (
    Case("digits", "the first run of the default project, with its transfer gain", digits, wall=60),
    Case("again", "nothing to do", again, cpu=1.5, wall=2),
    Case("status", "thaw status", status, wall=1),
    Case("models", "thaw models", models, wall=1),
    Case("photographs", "387 photographs, MobileNetV2, the first run", photographs, cpu=90),
    Case("head", "another kind of head on cached features", head, cpu=20),
    Case("more", "ten photographs more", more, cpu=30),
)


def main() -> None:
    """Run the cases in order, print what each used and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep the projects there")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        for case in CASES if "THAW_REAL_DATA" in os.environ and not options.quick else CASES[:4]:
            if not options.cases or case.name in options.cases:
                _show(case, case.run(folder))


def _show(case: Case, used: Used) -> None:
    print(f"\n{case.name}: {used.wall:.1f} s, {used.cpu:.1f} s of processors, first line after {used.first_line:.1f} s")
    for name, seconds in used.by.most_common():
        print(f"    {seconds:6.1f} s  {name}")
    for what, ours, goal in (("processor seconds", used.cpu, case.cpu), ("seconds", used.wall, case.wall)):
        if goal is not None:
            claim = {"claim": f"{case.claim}, {what}; at most {goal:g}", "ours": round(ours, 2), "reference": goal}
            print(json.dumps(claim | {"ratio": goal / ours, "goal": 1.0}))


if __name__ == "__main__":
    main()
