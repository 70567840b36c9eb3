"""The bodies of the answers, as pydantic models; FastAPI documents them in `/openapi.json`."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

LABELLED: JsonValue = {
    "name": "ant.jpg",
    "label": "ants",
    "confidence": 0.9731,
    "probabilities": {"ants": 0.9731, "bees": 0.0269},
}
REJECTED: JsonValue = {
    "name": "notes.txt",
    "reason": "is not an image of a kind that can be read, or its header is damaged",
}


class Neighbour(BaseModel):
    """A training example that is like the one that was sent."""

    labels: list[str] = Field(description="its label, or its set of labels")
    path: str = Field(description="below the source that the model was trained from")
    similarity: float = Field(description="cosine of the two images' standardised features, at most 1")
    thumbnail: str = Field(description="the path of its small picture on this server")


class ImageAnswer(BaseModel):
    """The model's answer for one example; if the example could not be used, only `reason`."""

    model_config = ConfigDict(json_schema_extra={"examples": [LABELLED, REJECTED]})

    name: str | None = Field(None, description="the file's name as it was sent")
    label: str | None = Field(
        None, description="the class, or `neither` if the model finds that the image is of no known class"
    )
    labels: list[str] | None = Field(None, description="every class that the model finds; of a model of label sets")
    confidence: float | None = Field(None, description="the probability of the most probable class")
    known_score: float | None = Field(
        None, description="how well known the image is, larger is better; of a model that may answer `neither`"
    )
    probabilities: dict[str, float] | None = Field(None, description="of each class, calibrated")
    nearest: list[Neighbour] | None = Field(None, description="the most similar training images, as many as requested")
    reason: str | None = Field(None, description="why the image could not be used")


class Prediction(BaseModel):
    """The answer to `POST /predict`: an entry for each example, in the order of the request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "thaw-own", "version": 3, "images": [LABELLED, REJECTED]}]}
    )

    model: str
    version: int
    images: list[ImageAnswer]


class Failure(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "the request is larger than 16 MB; send fewer images at once"}]}
    )

    error: str = Field(description="one plain sentence: what, and what to do")


class Unusable(Failure):
    """No example of the request could be used; `images` has the reason of each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "no image of the request can be used", "images": [REJECTED]}]}
    )

    images: list[ImageAnswer]


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
    says_neither: bool = Field(description="whether it may answer `neither` for an image of no known class")
    architecture: str
    layer: str
    engine: str = Field(description="the engine that runs the network")
    gallery: int = Field(description="number of training images that the nearest are searched among")
    created: str
    loaded: str
    tags: dict[str, str]
