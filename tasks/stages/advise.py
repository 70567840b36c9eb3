"""The stage `advise`: the best strategy for these data, which the later stages follow."""

import logging
import os
from typing import TYPE_CHECKING

from tasks.project.entry import stage
from tasks.project.local_state import ACTIVATIONS, ADVICES, CHECKPOINTS
from tasks.project.measurements import forget_others, kept_under
from tasks.project.paths import ADVICE, ADVICE_PAGE, FEATURES, FEATURES_INDEX, MANIFEST, PREDICTED, SETTINGS, STRATEGY
from tasks.project.progress import counted
from tasks.stages.trigger_advice import write_advice_on_triggers
from thaw.dataset.manifest import read_manifest
from thaw.features.store.store import FeatureStore, read_index
from thaw.foundation.files.atomic import replaced_folder, write_bytes, write_text
from thaw.foundation.files.kept import Kept
from thaw.kinds.kind import Words
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings
from thaw.params.values.strategy import write_strategy
from thaw.strategies.advice.advising import advise
from thaw.strategies.advice.page import figure_pngs, render_advice
from thaw.strategies.advice.record import Advice, write_advice, write_predicted
from thaw.strategies.advice.situation import read_situation
from thaw.strategies.advice.words import ranking
from thaw.targets.supports import supports
from thaw.targets.target import target_of

if TYPE_CHECKING:
    from thaw.finetuning.fitting import Desk

log = logging.getLogger(__name__)


def main() -> None:
    """Read the manifest and the cached features, measure, write `data/advice.json`, the page and the decision."""
    params, manifest = read_settings(SETTINGS), read_manifest(MANIFEST)
    if supports(target_of(manifest), "sequences"):
        write_advice_on_triggers(params, manifest, read_index(FEATURES_INDEX))
        return
    situation = read_situation(params, manifest, read_index(FEATURES_INDEX), FeatureStore(FEATURES), _desk)
    kept, workers = _kept(params), os.cpu_count() or 1
    with counted("advise", "steps") as progress:
        advice = advise(situation, params.strategy, params.head, workers=workers, progress=progress, kept=kept)
    write_all(advice, params.registry.name, situation.words)
    forget_others(kept)
    if situation.pilot is not None:
        _desk().clear()
    log.info("strategy: %s; %s", advice.followed.strategy, advice.followed.reason)
    log.info(ranking(advice, situation.words))


def write_all(advice: Advice, title: str, examples: Words) -> None:
    """Write every file; the decision, which later stages follow, comes last. examples: the words for them."""
    with replaced_folder(ADVICE_PAGE) as page:
        for name, content in figure_pngs(advice, examples):
            write_bytes(page / "figures" / f"{name}.png", content)
        write_text(page / "advice.html", render_advice(advice, title, examples))
    write_advice(advice, ADVICE)
    write_predicted(advice.followed.predicted, PREDICTED)
    write_strategy(advice.followed.strategy, STRATEGY)


def _desk() -> "Desk":
    from thaw.finetuning.fitting import Desk

    return Desk(CHECKPOINTS / "advise", FeatureStore(ACTIVATIONS))


def _kept(params: Params) -> Kept:
    """What has been measured on the same inputs. The strategy that is asked for changes the choice alone, and no measurement."""
    strategy = params.strategy
    return kept_under(ADVICES, params, [FEATURES_INDEX], [strategy.repeats, strategy.minutes, params.finetune])


if __name__ == "__main__":
    stage(main)
