"""Parameters of what happens to a model: its name, its promotion, and the watch over it."""

import math
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from thaw.params.sections.section import Section, Share

MOST_TESTS = 4
"""Of a batch of new images, for drift: of inputs, labels, confidence and the share of `neither`."""


class RegistryParams(Section):
    """Where the model goes."""

    name: str = Field("thaw", min_length=1, pattern=r"^[^/:]+$", description="the registered model's name")
    experiment: str = Field("thaw", min_length=1, description="the MLflow experiment that holds the runs")


class PromotionParams(Section):
    """When the alias `champion` moves to the challenger."""

    automatic: bool = Field(True, description="`thaw run` ends with `thaw promote`")
    rule: Literal["better", "not_worse"] = Field(
        "not_worse",
        description="when a challenger takes the champion's place; `better`: the paired interval of the gain lies above 0; `not_worse`: "
        "it lies above -`margin`",
    )
    margin: float = Field(0.01, ge=0, lt=1, description="the loss of macro F1 that `not_worse` puts up with")
    min_rows: PositiveInt = Field(30, description="fewer test rows in common decide nothing")
    max_recall_loss: Share | None = Field(
        0.1,
        description="recall that a class may lose against the champion; refused only where a class's paired interval, at `statistics.confidence` over all "
        "classes together, lies beyond it, so a class of few rows refuses nothing by chance; null: not asked",
    )
    max_calibration_loss: Share | None = Field(
        0.05,
        description="calibration error (ECE) that the challenger may have over the champion; refused only where the paired interval lies beyond it; "
        "null: not asked",
    )
    max_leaked: int | None = Field(
        0, ge=0, description="images learnt from whose content or group is also in val or test; null: not asked"
    )
    max_near_copies: Share | None = Field(
        0.1, description="share of the test images that are near-copies of images learnt from; null: not asked"
    )
    max_suspects: Share | None = Field(
        0.3,
        description="share of the labels learnt from that look wrong (confident learning); labels shuffled as a whole come to 0.4 and more; null: not asked",
    )
    max_latency_ms: PositiveFloat | None = Field(
        None,
        description="milliseconds from the bytes of one image to its answer, on the machine that evaluates; null: not asked",
    )
    max_batch_latency_ms: PositiveFloat | None = Field(
        None, description="the same for each image of a batch; null: not asked"
    )
    max_megabytes: PositiveFloat | None = Field(
        None, description="size of the deployed model on disk, in MB (10^6 bytes); null: not asked"
    )
    max_disagreement: Share | None = Field(
        None,
        description="by how much a probability may differ between cached features, pixels and the exported model; null: not asked. What these last "
        "seven ask for refuses where it was not measured",
    )


class WatchParams(Section):
    """When new images are said to have drifted from those that the model was measured on."""

    false_alarms: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="how often a batch that is like the reference may be said to have drifted; of all tests of a batch together",
    )
    min_rows: int = Field(
        30, ge=10, description="fewer new images than this, or fewer test images, are too few to tell"
    )
    permutations: PositiveInt = Field(2000, description="random regroupings behind each p-value")
    seed: int = Field(0, ge=0, description="of the regroupings")

    @model_validator(mode="after")
    def _enough_to_find_any(self) -> Self:
        needed = math.ceil(MOST_TESTS / self.false_alarms)
        if self.permutations < needed:
            raise ValueError(
                f"permutations {self.permutations} can show no drift at false_alarms {self.false_alarms:g}; it takes {needed} or more"
            )
        return self
