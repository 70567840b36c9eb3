"""DVC with a run cache for the outputs of `dvc.yaml`: this program takes the words of `dvc repro`, and those of one more command.

`pipeline` prints the stages of `dvc.yaml` and their changes as one JSON object: `stages` are the names with the names upstream, as of `dvc dag`; `changes` are
those of `dvc status --json`. One process answers what would take two.

Every output persists, so that the last good one is there while a stage runs. DVC leaves a stage with persistent outputs out of its run cache: such an output
may depend on what was there before. Thaw's stages replace their outputs whole, so the run cache holds for them too. Here DVC sees them so, for the record in
the run cache and for the restoration from it; a folder that grows stays out. A `dvc repro` by hand computes where this restores, and its lock is the same.

The program runs in projects of any version, such as one that is rebuilt. So it is started by its path and imports no module of Thaw.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dvc.stage import Stage
    from dvc.stage.cache import StageCache

GROWING = frozenset({"data/features", "data/sources", "data/weights"})
"""Outputs that a stage adds to. The rest is replaced whole."""


PIPELINE = "dvc.yaml"


def main() -> int:
    """Run DVC; returns its exit code."""
    from dvc.cli import main as dvc
    from dvc.cli import parser
    from dvc.commands import repro

    _extend_run_cache()
    # DVC would first lay out the options of fifty commands, for every stage anew.
    parser.COMMANDS = [repro, SimpleNamespace(add_parser=_add_pipeline)]
    parser.get_main_parser.cache_clear()
    return int(dvc(sys.argv[1:]))


def _add_pipeline(commands: Any, parent: "ArgumentParser") -> None:
    """Add the command `pipeline`."""
    from dvc.cli.command import CmdBase
    from dvc.dependency import param
    from dvc.repo import lock_repo
    from dvc.ui import ui

    class Pipeline(CmdBase):
        def run(self) -> int:
            param.load_path = cache(param.load_path)  # every stage reads its parameters from the same file
            with lock_repo(self.repo):
                changes = self.repo.status(targets=[PIPELINE], with_deps=True)
                graph, asked = self.repo.index.graph, set(self.repo.stage.collect(PIPELINE, with_deps=True))
            stages = {
                stage.addressing: [above.addressing for above in graph if graph.has_edge(stage, above)]
                for stage in graph
                if stage in asked
            }
            ui.write_json({"stages": stages, "changes": changes})
            return 0

    commands.add_parser("pipeline", parents=[parent]).set_defaults(func=Pipeline)


def _extend_run_cache() -> None:
    from dvc.stage.cache import StageCache

    save, restore, create = StageCache.save, StageCache.restore, StageCache._create_stage

    def save_whole(self: "StageCache", stage: "Stage") -> Any:
        with _as_whole(stage):
            return save(self, stage)

    def restore_whole(self: "StageCache", stage: "Stage", **options: Any) -> Any:
        with _as_whole(stage):
            return restore(self, stage, **options)

    def create_forceful(self: "StageCache", *arguments: Any, **options: Any) -> Any:
        """The stage of a record; its checkout takes the place of the outputs that are still there."""
        stage = create(self, *arguments, **options)
        stage.checkout = partial(stage.checkout, force=True)
        return stage

    StageCache.save, StageCache.restore, StageCache._create_stage = save_whole, restore_whole, create_forceful


@contextmanager
def _as_whole(stage: "Stage") -> Iterator[None]:
    """A context in which the stage's outputs do not persist, if it replaces all of them whole."""
    persistent = [out for out in stage.outs if out.persist]
    if any(out.def_path in GROWING for out in persistent):
        persistent = []
    for out in persistent:
        out.persist = False
    try:
        yield
    finally:
        for out in persistent:
            out.persist = True


if __name__ == "__main__":
    sys.exit(main())
