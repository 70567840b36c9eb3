"""The stage `finetune`: train the layers that the strategy thaws; where it keeps the backbone frozen, a marker says so."""

import logging

from tasks.paths import FINETUNED, STRATEGY
from tasks.running import stage
from thaw.finetuned import write_frozen
from thaw.params import read_params
from thaw.strategy import read_strategy

log = logging.getLogger(__name__)


def main() -> None:
    """Read the strategy, write `data/finetuned/`."""
    params, strategy = read_params(), read_strategy(STRATEGY)
    if strategy.thaws:
        # PyTorch and all that trains take many seconds to load.
        from tasks.thawing import write_thawed

        write_thawed(params, strategy)
    else:
        write_frozen(FINETUNED)
        log.info("the strategy is %s: the backbone stays frozen", strategy)


if __name__ == "__main__":
    stage(main)
