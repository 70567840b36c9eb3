"""The settings of bootstrap intervals, by the parameters."""

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.params.sections import StatisticsParams


def resampling_of(params: StatisticsParams) -> Resampling:
    """The resampling behind every bootstrap interval; the seed is always 0."""
    return Resampling(params.bootstrap, params.confidence)
