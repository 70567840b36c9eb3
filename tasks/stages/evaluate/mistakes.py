"""The mistakes on the page of `evaluate`: a preview of each, marked where the kind has parts that speak for or against the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.project.progress import counted
from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Mistake
from thaw.kinds.excerpt import marked_excerpt
from thaw.kinds.kind import Kind, Limits, Preview
from thaw.kinds.prepared import preview_of
from thaw.kinds.reading import read_ingested
from thaw.models.explanation import Explanation, explain
from thaw.models.prediction.predictor import Predictor


@dataclass(frozen=True)
class ShownMistakes:
    """previews: by digest. explained: the class for which a preview is marked, by digest."""

    previews: Mapping[bytes, Preview]
    explained: Mapping[bytes, str]


def show_mistakes(
    mistakes: Sequence[Mistake], places: Places, kind: Kind, limits: Limits, model: Predictor
) -> ShownMistakes:
    """Preview every mistake, with the parts that speak for the wrong class if it has parts.

    Raises:
        BadSource: an example is gone, or has changed since the ingestion.
    """
    previews, explained = {}, {}
    with counted("evaluate", "mistakes") as progress:
        for done, mistake in enumerate(mistakes, 1):
            reference = (mistake.digest, places.at(mistake.path))
            preview = preview_of(reference, kind, limits)
            found = None if kind.part_names is None else explain_by(model, read_ingested(*reference), limits)
            if found is not None:
                name = wrong_class(mistake, found, model.class_names)
                if marks := found.marks(model.class_names.index(name)):
                    preview, explained[mistake.digest] = marked_excerpt(found.text, marks), name
            previews[mistake.digest] = preview
            progress(done, len(mistakes))
    return ShownMistakes(previews, explained)


def explain_by(model: Predictor, content: bytes, limits: Limits) -> Explanation | None:
    """The explanation of a model's answer."""
    return explain(
        content,
        model.backbone.kind,
        lambda contents: model.log_odds([model.prepare(each, limits) for each in contents]),
    )


def wrong_class(mistake: Mistake, found: Explanation, class_names: Sequence[str]) -> str:
    """The surest class that is wrongly named; if none is, the least sure class that is missing."""
    odds = dict(zip(class_names, found.whole.tolist(), strict=True))
    if wrong := set(mistake.predicted) - set(mistake.labels):
        return max(sorted(wrong), key=odds.__getitem__)
    return min(sorted(set(mistake.labels) - set(mistake.predicted)), key=odds.__getitem__)
