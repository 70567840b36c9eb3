"""The embedded sound network on spoken digits, beside the model without a backbone and the network from random weights; and its phone error rate.

    THAW_REAL_DATA=FOLDER python benchmarks/sound_backbone.py [--quick]

The recordings are those of `FOLDER/sounds/fsdd`, a speaker is held out in turn, and Thaw's own linear head is fitted on 5, 10 or 20 labels of each digit. The
intervals are 95 % over pairs of the same draw. `--quick`: 5 labels, one draw.
"""

import argparse
import os
from pathlib import Path

from tasks.stages.pretrain_sounds import WEIGHTS
from tasks.stages.sound_card import LABELS, SCRATCH_SEEDS, SEEDS, hear, measure, table
from tasks.stages.spoken_digits import read_digits
from thaw.backbones.backbone import read_backbone
from thaw.foundation.parallel.torch_threads import threads
from thaw.pages.layout import percent
from thaw.params.sections import BackboneParams


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    digits = read_digits(Path(os.environ["THAW_REAL_DATA"]) / "sounds/fsdd", backbone.preprocessing)
    with threads(1):
        heard = hear(backbone, digits)
        print(f"phone error rate on {heard.recordings:,} recordings: {percent(heard.phone_error_rate)}\n", flush=True)
        print(
            table(
                measure(
                    backbone,
                    digits,
                    LABELS[:1] if asked.quick else LABELS,
                    (1, 1) if asked.quick else (SEEDS, SCRATCH_SEEDS),
                )
            )
        )


if __name__ == "__main__":
    main()
