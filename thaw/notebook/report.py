"""A report on labelled examples, as an object that shows itself in a notebook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Evaluation, Shown
from thaw.evaluation.figures import matrix_figure
from thaw.evaluation.report import verdict
from thaw.evaluation.wording import WORDING
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Kind, Limits, Preview
from thaw.kinds.prepared import preview_of
from thaw.pages.figures import svg
from thaw.pages.layout import render
from thaw.targets.predictions import Predictions

if TYPE_CHECKING:
    import pandas as pd


_SHOWN = 6
"""The most mistakes that are shown."""


@dataclass(frozen=True, eq=False)
class Showing:
    """What previews are made from: the places, the kind and the limits of the examples."""

    places: Places
    kind: Kind
    limits: Limits

    def previews(self, examples: Sequence[Shown]) -> Mapping[bytes, Preview]:
        """Small previews by digest; an example that is gone or has changed has none."""
        found = {}
        for example in examples:
            try:
                reference = (example.digest, self.places.at(example.path))
                found[example.digest] = preview_of(reference, self.kind, self.limits, small=True)
            except (BadSource, BadExample):
                continue
        return found


@dataclass(frozen=True, eq=False)
class Report:
    """A model measured on labelled examples that it has not learnt from.

    evaluation: every measurement. answers: the model's answer for each example beside its label. notes: sentences on the data.
    """

    evaluation: Evaluation
    answers: Predictions
    notes: tuple[str, ...]
    showing: Showing

    @property
    def headline(self) -> Estimate:
        """The accuracy with its interval, or with label sets the macro F1."""
        return self.evaluation.headline

    @cached_property
    def metrics(self) -> "pd.DataFrame":
        """Every metric with its interval: index metric, columns value, low, high; the last row is the headline of the best constant answer."""
        import pandas as pd

        found = [(name, getattr(self.evaluation.metrics, name)) for name in WORDING[self.evaluation.target].metrics]
        found += [
            (f"{self.evaluation.judged_by.headline} of {base.name}", base.headline)
            for base in self.evaluation.baselines
        ]
        rows = [(estimate.value, estimate.low, estimate.high) for _, estimate in found]
        index = pd.Index([name for name, _ in found], name="metric")
        return pd.DataFrame(rows, index, ["value", "low", "high"])

    @cached_property
    def classes(self) -> "pd.DataFrame":
        """Index class, columns n, predicted, precision, recall, f1."""
        import pandas as pd

        names = ("n", "predicted", "precision", "recall", "f1")
        rows = [[getattr(score, name) for name in names] for score in self.evaluation.classes]
        index = pd.Index([score.name for score in self.evaluation.classes], name="class")
        return pd.DataFrame(rows, index, list(names))

    @cached_property
    def confusion(self) -> "pd.DataFrame":
        """Counts, with labels as rows and predictions as columns; see `Target.matrix`."""
        import pandas as pd

        names = list(self.evaluation.class_names)
        return pd.DataFrame(self.evaluation.confusion, pd.Index(names, name="label"), pd.Index(names, name="predicted"))

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """A row an example: path, label and predicted (with label sets labels and predicted, as lists), right, and `p_NAME` for each class."""
        import pandas as pd

        answers, target = self.answers, self.answers.target
        shown, named = answers.shown, answers.named
        name = target.answers[0]
        columns = {
            "path": list(answers.paths),
            name: target.answered(answers.class_names, np.asarray(shown, np.float32), shown)[name],
            "predicted": target.answered(answers.class_names, np.asarray(named, np.float32), named)[name],
            "right": (shown == named).all(1),
        }
        probabilities = pd.DataFrame(answers.probabilities, columns=[f"p_{name}" for name in answers.class_names])
        return pd.concat([pd.DataFrame(columns), probabilities], axis=1)

    @property
    def mistakes(self) -> "pd.DataFrame":
        """The rows of `predictions` that are not right."""
        return self.predictions[~self.predictions["right"]]

    def __repr__(self) -> str:
        return verdict(self.evaluation, self.showing.kind.words)

    def _repr_html_(self) -> str:
        return render("notebook/report.html.j2", self.shown())

    def shown(self) -> dict[str, object]:
        """The values of the template."""
        evaluation, words = self.evaluation, self.showing.kind.words
        wording = WORDING[evaluation.target]
        worst = evaluation.mistakes[:_SHOWN]
        figure = matrix_figure(evaluation.confusion, evaluation.of, evaluation.class_names, wording.columns)
        return {
            "verdict": repr(self),
            "metrics": [(*titles, name, getattr(evaluation.metrics, name)) for name, titles in wording.metrics.items()],
            "matrix": Markup(svg(figure, wording.matrix_name)),  # noqa: S704  # matplotlib escapes its texts
            "mistakes": worst,
            "wrong": evaluation.wrong,
            "previews": self.showing.previews(worst),
            "sure": wording.sure,
            "notes": self.notes,
            "words": words,
        }
