"""`head.json` in each of its forms: today's form for all targets, and two earlier forms, which registered versions still hold."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    model_validator,
)

from thaw.heads.standardisation import OUTLIER
from thaw.params.values.strategy import HeadKind
from thaw.targets.target import TargetName

Threshold = Annotated[float, Field(gt=0, lt=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrialCard(_Part):
    """See `thaw.heads.fitted.Trial`."""

    l2: FiniteFloat | None
    neighbours: int | None = None
    epochs: int | None = None
    log_loss: FiniteFloat | None
    accuracy: FiniteFloat | None
    chosen: bool


class Card(_Part):
    """`head.json`. `tensors` is BLAKE3 of `head.safetensors`, hex: the two belong together. limit: see `Standardisation`; None: no limit.

    thresholds: the least probability at which each class is named; None: the most probable class is named.
    """

    format: Literal["thaw.head/2"] = "thaw.head/2"
    target: TargetName
    kind: HeadKind
    class_names: tuple[str, ...]
    temperature: PositiveFloat
    thresholds: tuple[Threshold, ...] | None
    neighbours: PositiveInt | None
    limit: PositiveFloat | None
    trials: tuple[TrialCard, ...]
    tensors: str

    @model_validator(mode="after")
    def _as_its_target_decides(self) -> Self:
        wanted = len(self.class_names) if self.target == "label_sets" else None
        if (None if self.thresholds is None else len(self.thresholds)) != wanted:
            raise ValueError(f"the thresholds do not fit the target {self.target}")
        return self


class OneLabelCard(_Part):
    """The first form of the card of a head for one label an example."""

    format: Literal["thaw.head/1"]
    kind: HeadKind
    class_names: tuple[str, ...]
    temperature: PositiveFloat
    neighbours: PositiveInt | None
    limit: PositiveFloat | None = OUTLIER
    trials: tuple[TrialCard, ...]
    tensors: str

    def renewed(self) -> Card:
        """The same card in today's form."""
        values = self.model_dump(exclude={"format"})
        return Card.model_validate({**values, "target": "one_label", "thresholds": None})


class LabelSetCard(_Part):
    """The first form of the card of a head for label sets; the shifts of its calibration are part of the bias."""

    format: Literal["thaw.label-set-head/1"]
    kind: Literal["linear"]
    class_names: tuple[str, ...]
    temperature: PositiveFloat
    thresholds: tuple[Threshold, ...]
    limit: PositiveFloat | None
    trials: tuple[TrialCard, ...]
    tensors: str

    def renewed(self) -> Card:
        """The same card in today's form."""
        values = self.model_dump(exclude={"format"})
        return Card.model_validate({**values, "target": "label_sets", "neighbours": None})


_ANY: TypeAdapter[Card | OneLabelCard | LabelSetCard] = TypeAdapter(
    Annotated[Card | OneLabelCard | LabelSetCard, Field(discriminator="format")]
)


def read_card(content: bytes) -> Card:
    """`head.json` of any form, converted to today's form.

    Raises:
        ValidationError: the content is no card.
    """
    card = _ANY.validate_json(content)
    return card if isinstance(card, Card) else card.renewed()
