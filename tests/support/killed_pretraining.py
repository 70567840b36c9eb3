"""A pretraining in a process of its own: `python killed_pretraining.py CORPUS OUT ENCODER STEP NAME=VALUE...` dies by SIGKILL before that step; -1: it ends."""

import os
import signal
import sys
from pathlib import Path
from types import ModuleType

from thaw.pretraining.texts import pretraining
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import settings_given, settings_of
from thaw.pretraining.texts.pretraining import Order, pretrain
from thaw.pretraining.training import Ran, Training


def die_before(last: int, trainer: ModuleType) -> None:
    """Kill this process before a step; trainer: the module that runs the training."""
    run = trainer.run_training

    def run_deadly(training: Training, *arguments: object, **named: object) -> Ran:
        go_on = training.step

        def deadly(number: int) -> float | None:
            if number == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return go_on(number)

        training.step = deadly  # type: ignore[method-assign]
        ran: Ran = run(training, *arguments, **named)
        return ran

    trainer.run_training = run_deadly  # type: ignore[attr-defined]


if __name__ == "__main__":
    corpus, out, name, deadly_step, *given = sys.argv[1:]
    if int(deadly_step) >= 0:
        die_before(int(deadly_step), pretraining)
    settings = settings_of(name, settings_given(given))
    pretrain(Order(name, Corpus((Path(corpus),)), settings, Path(out)), saved_every_s=0.0)
