"""The answers of the model in the form of the API."""

import base64
from collections.abc import Sequence

from flows.serving.answers import ExampleAnswer, LabelExplanation, ModelFacts, Neighbour, PartEffect
from flows.serving.live import Live
from thaw.kinds.kind import Kind, Veiling
from thaw.models.explanation import Explanation, Spans
from thaw.models.serving.classifier import Classification, Classifier

DIGITS = 7
"""The decimal digits of a float32."""


def worded(
    name: str | None,
    classification: Classification,
    class_names: tuple[str, ...],
    neighbours: list[Neighbour] | None = None,
    explanation: Explanation | None = None,
) -> ExampleAnswer:
    """The answer to one example."""
    probabilities = (round(value, DIGITS) for value in classification.probabilities.tolist())
    return ExampleAnswer(
        name=name,
        label=classification.label,
        labels=None if classification.labels is None else list(classification.labels),
        confidence=None if classification.confidence is None else round(classification.confidence, DIGITS),
        known_score=None if classification.known_score is None else round(classification.known_score, DIGITS),
        probabilities=dict(zip(class_names, probabilities, strict=True)),
        nearest=neighbours,
        explanation=None if explanation is None else explanations_of(classification, explanation, class_names),
    )


def explanations_of(
    classification: Classification, explanation: Explanation, class_names: tuple[str, ...]
) -> list[LabelExplanation]:
    """The effects of the parts, or of the places, on each class that the answer names."""
    return [_of_class(explanation, name, class_names.index(name)) for name in classification.explained(class_names)]


def _of_class(explanation: Explanation, name: str, place: int) -> LabelExplanation:
    drops = [round(drop, DIGITS) for drop in explanation.drops[:, place].tolist()]
    parts = explanation.parts
    if isinstance(parts, Spans):
        return LabelExplanation(label=name, parts=_effects(parts, drops))
    drawn = parts.preview(explanation.strengths(place))
    rows = [drops[start : start + parts.columns] for start in range(0, len(drops), parts.columns)]
    return LabelExplanation(label=name, map=rows, drawn=data_url(drawn.media_type, drawn.content))


def data_url(media_type: str, content: bytes) -> str:
    """The content as the address of itself."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _effects(parts: Spans, drops: Sequence[float]) -> list[PartEffect]:
    return [
        PartEffect(start=span.start, end=span.end, text=parts.text[span.start : span.end], effect=drop)
        for span, drop in zip(parts.spans, drops, strict=True)
    ]


def neighbours_of(classifier: Classifier, classification: Classification, count: int) -> list[Neighbour]:
    """The training examples most like an example; none where the version came without a gallery."""
    gallery = classifier.gallery
    if gallery is None:
        return []
    return [
        Neighbour(
            labels=list(gallery.labels[row]),
            path=gallery.paths[row],
            similarity=round(similarity, 4),
            thumbnail=f"/gallery/{gallery.digests[row].hex()}",
            drawing=None if gallery.previews[row].drawing is None else f"/gallery/{gallery.digests[row].hex()}/drawing",
        )
        for row, similarity in classifier.nearest(classification, count)
    ]


def explains(kind: Kind) -> bool:
    """Whether answers for examples of the kind can be explained."""
    return kind.part_names is not None or isinstance(kind, Veiling)


def facts_of(live: Live, asked_for: str) -> ModelFacts:
    """The answer of `GET /model`."""
    version, classifier = live.version, live.classifier
    predictor = classifier.predictor
    return ModelFacts(
        name=version.name,
        version=version.number,
        asked_for=asked_for,
        class_names=list(classifier.class_names),
        names_sets=not predictor.head.target.exclusive,
        says_neither=predictor.openness is not None,
        architecture=predictor.backbone.architecture,
        layer=predictor.layer,
        engine=classifier.engine.name,
        explains=explains(predictor.backbone.kind),
        gallery=0 if classifier.gallery is None else len(classifier.gallery),
        created=version.created.isoformat(timespec="seconds"),
        loaded=live.loaded.isoformat(timespec="seconds"),
        tags=dict(version.tags),
    )
