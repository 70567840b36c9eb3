"""A fine-tuning in a process of its own, which the test kills: `python killed_finetuning.py FOLDER [EPOCH]` dies by SIGKILL in that epoch."""

import os
import signal
import sys
from pathlib import Path

import torch
from digit_images import desk_in, digit_images, embedded, start_on

from thaw.finetuning import training
from thaw.finetuning.fitting import finetune
from thaw.finetuning.result import FineTuned
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy

PARAMS = FinetuneParams(
    epochs=4,
    batch_size=16,
    learning_rate=3e-3,
    augment="distort",
    batch_norm="trained",
    patience=4,
    precision="float32",
)


def run(folder: Path) -> FineTuned:
    images = digit_images(0, 40)
    strategy = Strategy("last_blocks", embedded().layers[-1], 2)
    return finetune(start_on(images), images, digit_images(40, 40), strategy, PARAMS, desk=desk_in(folder))


def die_in(epoch: int) -> None:
    """Kill this process in the middle of an epoch."""
    step, seen = training._Training._step, [0]

    def deadly(self: training._Training, rows: torch.Tensor, batch: torch.Tensor) -> float:
        seen[0] += 1
        if seen[0] == 2 * epoch:  # an epoch of 40 images has two steps or three
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, rows, batch)

    training._Training._step = deadly  # type: ignore[method-assign]


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) > 2:
        die_in(int(sys.argv[2]))
    run(Path(sys.argv[1])).predictor.write(Path(sys.argv[1]) / "model")
