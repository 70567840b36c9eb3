"""What goes over the wire, as pydantic models; FastAPI documents them in `/openapi.json`."""

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
    """A training image that is like the one that was sent."""

    labels: list[str] = Field(description="what it shows: one label, or a set of them")
    path: str = Field(description="below the source that the model was trained from")
    similarity: float = Field(description="cosine of the two images' standardised features, at most 1")
    thumbnail: str = Field(description="where its small picture is served")


class ImageAnswer(BaseModel):
    """What the model says of one image; or `reason`, why it could not be used, and nothing else."""

    model_config = ConfigDict(json_schema_extra={"examples": [LABELLED, REJECTED]})

    name: str | None = Field(None, description="the file's name as it was sent")
    label: str | None = Field(None, description="the class, or `neither` where the model knows that it is of none")
    labels: list[str] | None = Field(None, description="of a model that names sets: every class that it finds")
    confidence: float | None = Field(None, description="the probability of the most probable class")
    known_score: float | None = Field(
        None, description="how well known the image is, larger for better; of models that may say `neither`"
    )
    probabilities: dict[str, float] | None = Field(None, description="of each class, calibrated")
    nearest: list[Neighbour] | None = Field(None, description="the training images most like it, as many as asked for")
    reason: str | None = Field(None, description="why the image could not be used")


class Prediction(BaseModel):
    """The answer to `POST /predict`: an entry an image, in the order in which they were sent."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "thaw-own", "version": 3, "images": [LABELLED, REJECTED]}]}
    )

    model: str
    version: int
    images: list[ImageAnswer]


class Failure(BaseModel):
    """Every error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "the request is larger than 16 MB; send fewer images at once"}]}
    )

    error: str = Field(description="one plain sentence: what, and what to do")


class Unusable(Failure):
    """No image of the request could be used; `images` says why for each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "no image of the request can be used", "images": [REJECTED]}]}
    )

    images: list[ImageAnswer]


class State(BaseModel):
    """Whether the process lives, or is ready."""

    status: str = Field(examples=["ready"])


class ModelFacts(BaseModel):
    """The version that answers."""

    name: str
    version: int
    asked_for: str = Field(description="the alias that is followed, or the version, as an MLflow URI")
    class_names: list[str]
    names_sets: bool = Field(description="whether it names sets of labels")
    says_neither: bool = Field(description="whether it may say `neither` of an image of no known class")
    architecture: str
    layer: str
    engine: str = Field(description="what runs the network here")
    gallery: int = Field(description="training images among which the nearest are looked for")
    created: str
    loaded: str
    tags: dict[str, str]
