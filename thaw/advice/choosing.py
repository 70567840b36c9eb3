"""The strategy that is followed: the one that the parameters fix."""

from thaw.features import FeatureIndex
from thaw.params import StrategyParams
from thaw.strategy import Strategy


def fixed_strategy(params: StrategyParams, index: FeatureIndex) -> Strategy:
    """What the parameters ask for, on a cut layer that has features.

    Raises:
        IncompleteFeatures: `strategy.layer` was not extracted.
    """
    layer = index.layer(params.layer).name
    kind = "linear" if params.kind == "auto" else params.kind
    return Strategy(kind, layer, params.blocks if kind == "last_blocks" else None)
