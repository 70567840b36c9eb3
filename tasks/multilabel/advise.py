"""The stage `advise` on label sets: nothing is measured, and the reason says so."""

import logging

from tasks.paths import ADVICE, ADVICE_PAGE, PREDICTED, STRATEGY
from thaw.advice.record import write_predicted
from thaw.features import FeatureIndex
from thaw.files import write_text
from thaw.multilabel.strategy import advise_on_sets, render_label_set_advice, write_label_set_advice
from thaw.params import Params
from thaw.strategy import write_strategy
from thaw.views import IDENTITY

log = logging.getLogger(__name__)


def advise_sets(params: Params, index: FeatureIndex) -> None:
    """Write `data/advice.json`, the page and the decision.

    Raises:
        BadParameters: see `thaw.multilabel.strategy.advise_on_sets`.
    """
    advice = advise_on_sets(params.strategy, [layer.name for layer in index.layers if layer.view == IDENTITY])
    write_text(ADVICE_PAGE / "advice.html", render_label_set_advice(advice, params.registry.name))
    write_label_set_advice(advice, ADVICE)
    write_predicted(None, PREDICTED)
    write_strategy(advice.strategy, STRATEGY)
    log.info("strategy: %s; %s", advice.strategy, advice.reason)
