"""The mistakes and right answers on the page of `evaluate`: a preview of each, which shows what speaks for or against the answer where the kind can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from tasks.project.progress import counted
from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Shown
from thaw.kinds.kind import Kind, Limits, Preview, Veiling
from thaw.kinds.prepared import preview_of
from thaw.kinds.reading import read_ingested
from thaw.models.explaining import explain
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
                found = self._explained(example, done)
                reference = (example.digest, self.places.at(example.path))
                if found is None:
                    previews[example.digest] = preview_of(reference, self.kind, self.limits)
                else:
                    previews[example.digest], explained[example.digest] = found
                progress(done, len(examples))
        maps = isinstance(self.kind, Veiling) and explained
        return Previews(previews, explained, self.kind.map_words if maps and isinstance(self.kind, Veiling) else None)

    def _explained(self, example: Shown, number: int) -> tuple[Preview, str] | None:
        """The example with its parts marked, or under a map, and the class that these are for; None: nothing is marked. number: of the example, from 1."""
        if number > self.maps and isinstance(self.kind, Veiling):
            return None
        content = read_ingested(example.digest, self.places.at(example.path))
        found = explain(content, self.kind, partial(self.model.prepare, limits=self.limits), self.model.log_odds)
        if found is None:
            return None
        name = class_in_question(example, found.whole, self.model.class_names)
        preview = found.parts.preview(found.strengths(self.model.class_names.index(name)))
        return None if preview is None else (preview, name)


def class_in_question(shown: Shown, log_odds: Tensor, class_names: Sequence[str]) -> str:
    """The surest class that is wrongly named; if none is, the least sure class that is missing; of a right answer the surest class that is named, or that might
    be. log_odds: float64 [C]."""
    odds = dict(zip(class_names, log_odds.tolist(), strict=True))
    if wrong := set(shown.predicted) - set(shown.labels):
        return max(sorted(wrong), key=odds.__getitem__)
    if missing := set(shown.labels) - set(shown.predicted):
        return min(sorted(missing), key=odds.__getitem__)
    return max(shown.predicted or sorted(class_names), key=odds.__getitem__)
