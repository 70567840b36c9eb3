"""The advice on a data set without a project, as an object that shows itself in a notebook."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from thaw.dataset.selection import refuse_unteachable
from thaw.features.store.store import FeatureIndex
from thaw.finetuning.fitting import Desk
from thaw.kinds.kind import Words
from thaw.notebook.cache import cache_at
from thaw.notebook.data import Data, cached, read_data
from thaw.notebook.errors import plainly
from thaw.notebook.setup import Changes, Setup, Target, set_up
from thaw.notebook.sources import kind_of_source, locate
from thaw.pages.figures import svg
from thaw.pages.layout import render
from thaw.strategies.advice import words
from thaw.strategies.advice.advising import advise as measure
from thaw.strategies.advice.curve_words import prospects
from thaw.strategies.advice.figures import depth_figure
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.situation import read_situation

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Advised:
    """What the measurements recommend. advice: the whole record. examples: the words for them."""

    advice: Advice
    examples: Words

    @property
    def strategy(self) -> str:
        """The recommended strategy, as `thaw.fit` takes it."""
        return str(self.advice.recommended.strategy.kind)

    @property
    def reason(self) -> str:
        """Why it is recommended."""
        return self.advice.recommended.reason

    @cached_property
    def table(self) -> "pd.DataFrame":
        """A row an option: strategy, layer, the headline with its interval, the gain over a linear head with its interval, megabytes, minutes of training."""
        import pandas as pd

        headline = self.advice.judged_by.headline
        rows = []
        for option in self.advice.options:
            accuracy, gain = option.accuracy, option.gain
            rows.append(
                {
                    "strategy": str(option.strategy.kind),
                    "layer": option.strategy.layer,
                    headline: None if accuracy is None else accuracy.value,
                    "low": None if accuracy is None else accuracy.low,
                    "high": None if accuracy is None else accuracy.high,
                    "gain": None if gain is None else gain.value,
                    "gain_low": None if gain is None else gain.low,
                    "gain_high": None if gain is None else gain.high,
                    "megabytes": option.megabytes,
                    "minutes": option.minutes,
                }
            )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return words.verdict(self.advice)

    def _repr_html_(self) -> str:
        advice, examples = self.advice, self.examples
        figure = None
        if len(advice.layers) > 1:
            figure = Markup(svg(depth_figure(advice, examples), "depth"))  # noqa: S704  # matplotlib escapes its texts
        return render(
            "notebook/advice.html.j2",
            {
                "verdict": repr(self),
                "columns": words.columns(advice, examples),
                "options": words.option_rows(advice, examples),
                "paragraphs": words.paragraphs_of(advice, examples),
                "prospects": prospects(advice, examples),
                "figure": figure,
            },
        )


@plainly
def advise(
    source: "str | Path | pd.DataFrame",
    *,
    backbone: "str | Path | None" = None,
    listing: str | None = None,
    target: Target = "auto",
    params: Changes | None = None,
    cache: "str | Path | None" = None,
    quiet: bool = False,
) -> Advised:
    """Measure which strategy pays on a labelled source, on folds of its training examples; the test is not looked at.

    Heads on features at several layers and the model without a backbone are measured. With `params={"strategy.minutes": 5}` fine-tuning is tried too, for so
    many minutes. The arguments are those of `thaw.fit`.

    Raises:
        ThawError: the source, a parameter or the backbone cannot be used; the message says what to do.
    """
    root = locate(source, cache_at(cache))
    kind = kind_of_source(root, listing) if backbone is None else None
    setup = set_up(
        kind, source=root, listing=listing, target=target, backbone=backbone, layers=("blocks",), changes=params,
        cache=cache, quiet=quiet,
    )  # fmt: skip
    data = read_data(setup)
    refuse_unteachable(data.manifest)
    index = cached(setup, data.manifest, data.places, setup.backbone(data.manifest.decoding))
    advised = Advised(decide(setup, data, index), setup.kind.words)
    setup.teller.say(repr(advised))
    return advised


def decide(setup: Setup, data: Data, index: FeatureIndex) -> Advice:
    """The advice on an ingested data set with cached features. Raises: see `thaw.strategies.advice.advising.advise`."""
    cache, params = setup.cache, setup.params
    desk = Desk(cache.root / "checkpoints", cache.activations)
    situation = read_situation(params, data.manifest, index, cache.features, lambda: desk)
    with setup.teller.counted("advising", "steps") as progress:
        advice = measure(situation, params.strategy, params.head, workers=os.cpu_count() or 1, progress=progress)
    if situation.pilot is not None:
        desk.clear()
    return advice
