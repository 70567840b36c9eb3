"""The mistakes and right answers on the page of `evaluate`: a preview of each, which shows what speaks for or against the answer where the kind can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from tasks.project.progress import counted
from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Shown
from thaw.kinds.excerpt import marked_excerpt
from thaw.kinds.kind import Kind, Limits, Preview, Veiling
from thaw.kinds.prepared import preview_of
from thaw.kinds.reading import read_ingested
from thaw.models.explanation import Explanation, explain
from thaw.models.looking import look
from thaw.models.prediction.predictor import Predictor


@dataclass(frozen=True)
class Previews:
    """previews: by digest. explained: the class for which a preview is marked or mapped, by digest. legend: of the maps; None: there are none."""

    previews: Mapping[bytes, Preview]
    explained: Mapping[bytes, str]
    legend: str | None = None


@dataclass(frozen=True, eq=False)
class Shower:
    """The examples' places, kind and limits, and the model. maps: the most examples that are shown with a map of where the network looked."""

    places: Places
    kind: Kind
    limits: Limits
    model: Predictor
    maps: int = 0

    def show(self, examples: Sequence[Shown]) -> Previews:
        """Preview every example, with the parts that speak for the class in question if it has parts; the first of another kind under maps.

        Raises:
            BadSource: an example is gone, or has changed since the ingestion.
        """
        previews, explained = {}, {}
        with counted("evaluate", "examples") as progress:
            for done, example in enumerate(examples, 1):
                found = self._marked(example) or (self._mapped(example) if done <= self.maps else None)
                reference = (example.digest, self.places.at(example.path))
                if found is None:
                    previews[example.digest] = preview_of(reference, self.kind, self.limits)
                else:
                    previews[example.digest], explained[example.digest] = found
                progress(done, len(examples))
        maps = isinstance(self.kind, Veiling) and explained
        return Previews(previews, explained, self.kind.map_words if maps and isinstance(self.kind, Veiling) else None)

    def _content(self, example: Shown) -> bytes:
        return read_ingested(example.digest, self.places.at(example.path))

    def _marked(self, example: Shown) -> tuple[Preview, str] | None:
        """The example with marked parts, and the class that they are marked for."""
        if self.kind.part_names is None:
            return None
        found = explain_by(self.model, self._content(example), self.limits)
        if found is None:
            return None
        name = class_in_question(example, found.whole, self.model.class_names)
        marks = found.marks(self.model.class_names.index(name))
        return (marked_excerpt(found.text, marks), name) if marks else None

    def _mapped(self, example: Shown) -> tuple[Preview, str] | None:
        """The example under the map of where the network looked, and the class that it is of."""
        if not isinstance(self.kind, Veiling):
            return None
        prepared = self.model.prepare(self._content(example), self.limits)
        gaze = look(prepared, self.kind, self.model.log_odds)
        name = class_in_question(example, gaze.whole, self.model.class_names)
        return self.kind.map_preview(prepared, gaze.strengths(self.model.class_names.index(name))), name


def explain_by(model: Predictor, content: bytes, limits: Limits) -> Explanation | None:
    """The explanation of a model's answer."""
    return explain(
        content,
        model.backbone.kind,
        lambda contents: model.log_odds([model.prepare(each, limits) for each in contents]),
    )


def class_in_question(shown: Shown, log_odds: Tensor, class_names: Sequence[str]) -> str:
    """The surest class that is wrongly named; if none is, the least sure class that is missing; of a right answer the surest class that is named, or that might
    be. log_odds: float64 [C]."""
    odds = dict(zip(class_names, log_odds.tolist(), strict=True))
    if wrong := set(shown.predicted) - set(shown.labels):
        return max(sorted(wrong), key=odds.__getitem__)
    if missing := set(shown.labels) - set(shown.predicted):
        return min(sorted(missing), key=odds.__getitem__)
    return max(shown.predicted or sorted(class_names), key=odds.__getitem__)
