"""A pretraining in a process of its own: `python killed_pretraining.py CORPUS OUT ENCODER STEP NAME=VALUE...` dies by SIGKILL before that step; -1: it ends."""

import os
import signal
import sys
from pathlib import Path

from thaw.pretraining.texts import encoders
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import settings_given, settings_of
from thaw.pretraining.texts.pretraining import Order, pretrain


def die_before(encoder: str, step: int) -> None:
    """Kill this process before a step."""
    training = encoders.ENCODERS[encoder].training
    go_on = training.step  # type: ignore[attr-defined]

    def deadly(self: object, number: int) -> float | None:
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)
        loss: float | None = go_on(self, number)
        return loss

    training.step = deadly  # type: ignore[attr-defined]


if __name__ == "__main__":
    corpus, out, name, deadly_step, *given = sys.argv[1:]
    if int(deadly_step) >= 0:
        die_before(name, int(deadly_step))
    settings = settings_of(name, settings_given(given))
    pretrain(Order(name, Corpus((Path(corpus),)), settings, Path(out)), saved_every_s=0.0)
