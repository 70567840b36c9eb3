"""The stage `finetune`: it trains the layers that the strategy thaws, or the model without a backbone; if the backbone stays frozen, it writes a marker."""

import logging

from tasks.project.entry import stage
from tasks.project.paths import FINETUNED, SETTINGS, STRATEGY
from thaw.finetuning.result import write_frozen
from thaw.params.values.reading import read_settings
from thaw.params.values.strategy import PLAIN, read_strategy

log = logging.getLogger(__name__)


def main() -> None:
    """Read the strategy, write `data/finetuned/`."""
    params, strategy = read_settings(SETTINGS), read_strategy(STRATEGY)
    if strategy.thaws:
        # PyTorch and the training modules take many seconds to load.
        from tasks.stages.thawed_model import write_thawed

        write_thawed(params, strategy)
    elif strategy.kind == PLAIN:
        from tasks.stages.plain_model import write_plain_model

        write_plain_model(params)
    else:
        write_frozen(FINETUNED)
        log.info("the strategy is %s: the backbone stays frozen", strategy)


if __name__ == "__main__":
    stage(main)
