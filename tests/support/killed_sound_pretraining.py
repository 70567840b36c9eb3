"""The pretraining of the embedded sound network in a process of its own: `python killed_sound_pretraining.py STEP` dies by SIGKILL before that step."""

import sys
from functools import partial

from killed_pretraining import die_before

from tasks.stages import pretrain_sounds
from thaw.pretraining.training import run_training

if __name__ == "__main__":
    pretrain_sounds.run_training = partial(run_training, saved_every_s=0.0)  # type: ignore[attr-defined]
    die_before(int(sys.argv[1]), pretrain_sounds)
    pretrain_sounds.main()
