"""Scores `FOLDER/photos` over and over in children of one process, which kill themselves with SIGKILL where they are told to.

Usage: `python killed_scoring.py FOLDER STEP...`; a child dies after it has written features of its second part (`features`), after its second part of the table
(`part`), in the midst of joining the parts (`join`), after the table has its name (`replace`), or never (`run`). Prints, as JSON, how each ended, how many
images went through the network in it, and whether the table is there.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from openness_rows import predictor_on_digits
from scored import score_into, scorer_into

from thaw.backbones.engines.torch_engine import TorchEngine
from thaw.features.store.store import FeatureStore
from thaw.models.scoring import scoring


def deadly(owner: Any, name: str, calls: int) -> None:
    """Make that call of a function the last thing that this process does."""
    original, made = getattr(owner, name), [0]

    def last(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        made[0] += 1
        if made[0] == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(owner, name, last)


def counted(log: Path) -> None:
    """Append the size of each forward pass to a file, which outlives the process."""
    forward = TorchEngine._forward

    def watched(engine: TorchEngine, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        with log.open("a") as file:
            file.write(f"{len(pixels)}\n")
        return forward(engine, pixels)

    TorchEngine._forward = watched  # type: ignore[method-assign]


STEPS: dict[str, Callable[[], None]] = {
    "features": lambda: deadly(FeatureStore, "write", 2),
    "part": lambda: deadly(scoring, "write_part", 2),
    "join": lambda: deadly(scoring._Counted, "__call__", 2),
    "replace": lambda: setattr(scoring.shutil, "rmtree", lambda *_: os.kill(os.getpid(), signal.SIGKILL)),  # type: ignore[attr-defined]
    "run": lambda: None,
}


def run(folder: Path, step: str, log: Path) -> dict[str, Any]:
    log.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            STEPS[step]()
            counted(log)
            score_into(folder / "x.parquet", scorer_into(FeatureStore(folder / "own")), folder / "photos", part_rows=20)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    passes = sum(map(int, log.read_text().split())) if log.exists() else 0
    return {"ended": ended, "passes": passes, "whole": (folder / "x.parquet").exists()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    predictor_on_digits()  # fitted once, for every child
    root = Path(sys.argv[1])
    for one in sys.argv[2:]:
        sys.stdout.write(json.dumps(run(root, one, root / "passes.txt")) + "\n")
