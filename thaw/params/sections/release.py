"""Parameters of a model after its training: its name, its promotion, and the watch over it."""

import math
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from thaw.params.sections.section import Section, Share

MOST_TESTS = 4
"""The most tests of a batch of new examples for drift: of inputs, labels, confidence and the share of `neither`."""


class RegistryParams(Section):
    """The names of the registered model and of its experiment."""

    name: str = Field("thaw", min_length=1, pattern=r"^[^/:]+$", description="the registered model's name")
    experiment: str = Field("thaw", min_length=1, description="the MLflow experiment that holds the runs")


class PromotionParams(Section):
    """The conditions under which the alias `champion` moves to the challenger."""

    automatic: bool = Field(True, description="`thaw run` ends with `thaw promote`")
    rule: Literal["better", "not_worse"] = Field(
        "not_worse",
        description="when a challenger takes the champion's place; `better`: the paired interval of the gain lies above 0; `not_worse`: "
        "it lies above -`margin`. Either way no champion may lie below the best champion so far by more than the margin",
    )
    margin: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="the loss that `not_worse` accepts; of macro F1 against the champion, and of right rows against the best champion so far; null: the "
        "least loss that the test rows can resolve, at least 0.01; every promotion states it",
    )
    min_rows: PositiveInt = Field(
        30, description="least number of common test rows; with fewer the promotion is refused"
    )
    max_recall_loss: Share | None = Field(
        0.1,
        description="recall that a class may lose against the champion; the gate refuses only if a class's whole paired interval, at "
        "`statistics.confidence` over all classes together, lies beyond it, so a class of few rows refuses nothing by chance; null: no limit",
    )
    max_slice_loss: Share | None = Field(
        0.1,
        description="share of right rows that a slice of `dataset.slices` may lose against the champion; the gate refuses only if a slice's whole paired "
        "interval, at `statistics.confidence` over all slices together, lies beyond it; null: no limit",
    )
    max_calibration_loss: Share | None = Field(
        0.05,
        description="calibration error (ECE) that the challenger may have over the champion; the gate refuses only if the whole paired interval lies "
        "beyond it; null: no limit",
    )
    max_leaked: int | None = Field(
        0, ge=0, description="training examples whose content or group is also in val or test; null: no limit"
    )
    max_near_copies: Share | None = Field(
        0.1, description="share of the test examples that are near-copies of training examples; null: no limit"
    )
    max_suspects: Share | None = Field(
        0.3,
        description="share of the training labels that look wrong (confident learning); wholly shuffled labels give 0.4 and more; null: no limit",
    )
    max_latency_ms: PositiveFloat | None = Field(
        None,
        description="milliseconds from the bytes of one example to its answer, on the machine that evaluates; null: no limit",
    )
    max_batch_latency_ms: PositiveFloat | None = Field(
        None, description="milliseconds for each example of a batch, on the machine that evaluates; null: no limit"
    )
    max_megabytes: PositiveFloat | None = Field(
        None, description="size of the deployed model on disk, in MB (10^6 bytes); null: no limit"
    )
    max_disagreement: Share | None = Field(
        None,
        description="largest difference of a probability between cached features, example files and the exported model; null: no limit. If one of these last "
        "seven limits is set and was not measured, the promotion is refused",
    )


class WatchParams(Section):
    """The conditions under which new examples count as drifted from those that the model was measured on."""

    false_alarms: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="share of batches like the reference in which drift may be found, by all tests of a batch together",
    )
    min_rows: int = Field(
        30, ge=10, description="least number of new examples and of test examples; with fewer there is no test"
    )
    permutations: PositiveInt = Field(2000, description="random regroupings behind each p-value")
    seed: int = Field(0, ge=0, description="of the regroupings")

    @model_validator(mode="after")
    def _enough_to_find_any(self) -> Self:
        needed = math.ceil(MOST_TESTS / self.false_alarms)
        if self.permutations < needed:
            raise ValueError(
                f"permutations {self.permutations} can show no drift at false_alarms {self.false_alarms:g}; {needed} or more are needed"
            )
        return self
