"""The bodies of the answers, as pydantic models; FastAPI documents them in `/openapi.json`.

Descriptions hold places for words, such as `{one}`; `flows.serving.document` fills them with the words of the kind.
"""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

LABELLED: JsonValue = {
    "name": "{sample}",
    "label": "ants",
    "confidence": 0.9731,
    "probabilities": {"ants": 0.9731, "bees": 0.0269},
}
REJECTED: JsonValue = {"name": "notes.bin", "reason": "is empty (zero bytes)"}


class Neighbour(BaseModel):
    """A training example that is like the one that was sent."""

    labels: list[str] = Field(description="its label, or its set of labels")
    path: str = Field(description="below the source that the model was trained from")
    similarity: float = Field(description="cosine of the standardised features of both {many}, at most 1")
    thumbnail: str = Field(description="the path of its preview on this server")
    drawing: str | None = Field(None, description="the path of its drawing, where the preview cannot be seen")


class PartEffect(BaseModel):
    """A part of an example, and how it speaks for a class."""

    start: int = Field(description="its first character, counted in code points from 0, without a byte-order mark")
    end: int = Field(description="the character behind it")
    text: str
    effect: float = Field(
        description="how far the log-odds of the class fall without it; negative: it speaks against the class"
    )


class LabelExplanation(BaseModel):
    """What speaks for and against a class: the parts of an example, or a map of its places."""

    label: str
    parts: list[PartEffect] | None = Field(
        None, description="in the order of the {one}; of a long {one} phrases, and the words of the strongest phrase"
    )
    map: list[list[float]] | None = Field(
        None, description="how far the log-odds of the class fall where a place is veiled, row after row"
    )
    drawn: str | None = Field(None, description="the {one} under the map, a `data:` URL of a PNG file")


class ExampleAnswer(BaseModel):
    """The model's answer for one example; if the example could not be used, only `reason`."""

    model_config = ConfigDict(json_schema_extra={"examples": [LABELLED, REJECTED]})

    name: str | None = Field(None, description="the file's name as it was sent")
    label: str | None = Field(
        None, description="the class, or `neither` if the model finds that the {one} is of no known class"
    )
    labels: list[str] | None = Field(None, description="every class that the model finds; of a model of label sets")
    confidence: float | None = Field(None, description="the probability of the most probable class")
    known_score: float | None = Field(
        None, description="how well known the {one} is, larger is better; of a model that may answer `neither`"
    )
    probabilities: dict[str, float] | None = Field(None, description="of each class, calibrated")
    nearest: list[Neighbour] | None = Field(None, description="the most similar training {many}, as many as requested")
    explanation: list[LabelExplanation] | None = Field(
        None, description="of each named class, or of the most probable class if none is named; only on request"
    )
    drawing: str | None = Field(
        None, description="the {one} drawn, where it cannot be seen, a `data:` URL of a PNG file; only on request"
    )
    reason: str | None = Field(None, description="why the {one} could not be used")


class Prediction(BaseModel):
    """The answer to `POST /predict`: an entry for each example, in the order of the request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "thaw-own", "version": 3, "{key}": [LABELLED, REJECTED]}]}
    )

    model: str
    version: int
    examples: list[ExampleAnswer] = Field(serialization_alias="{key}", title="{many}")


class Failure(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "the request is larger than 16 MB; send fewer {many} at once"}]}
    )

    error: str = Field(description="one plain sentence: what, and what to do")


class Unusable(Failure):
    """No example of the request could be used; `{key}` has the reason of each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "no {one} of the request can be used", "{key}": [REJECTED]}]}
    )

    examples: list[ExampleAnswer] = Field(serialization_alias="{key}", title="{many}")


class State(BaseModel):
    """The state of the process."""

    status: str = Field(examples=["ready"])


class ModelFacts(BaseModel):
    """The version that answers."""

    name: str
    version: int
    asked_for: str = Field(description="the alias that is followed, or the version, as an MLflow URI")
    class_names: list[str]
    names_sets: bool = Field(description="whether it answers with sets of labels")
    says_neither: bool = Field(description="whether it may answer `neither` for {article} of no known class")
    architecture: str
    layer: str
    engine: str = Field(description="the engine that runs the network")
    explains: bool = Field(description="whether it says on request what in {article} speaks for an answer")
    gallery: int = Field(description="number of training {many} that the nearest are searched among")
    created: str
    loaded: str
    tags: dict[str, str]
