"""The stage `advise`: which strategy the later stages follow."""

import logging

from tasks.paths import FEATURES_INDEX, STRATEGY
from tasks.running import stage
from thaw.advice.choosing import fixed_strategy
from thaw.features import read_index
from thaw.params import read_params
from thaw.strategy import write_strategy

log = logging.getLogger(__name__)


def main() -> None:
    """Write `data/strategy.json`."""
    strategy = fixed_strategy(read_params().strategy, read_index(FEATURES_INDEX))
    write_strategy(strategy, STRATEGY)
    log.info("strategy: %s", strategy)


if __name__ == "__main__":
    stage(main)
