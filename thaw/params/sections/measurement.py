"""Parameters of what is measured: intervals, the certificate, the report."""

from typing import Literal

from pydantic import Field, PositiveInt

from thaw.params.sections.section import Section


class StatisticsParams(Section):
    """How sure every interval and every bound is."""

    confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="of every interval, of the gates' tests, and of the upper bound of `openness.false_accepts`",
    )
    bootstrap: PositiveInt = Field(
        1000, description="resamples behind each interval of the report, the certificate and the gates"
    )


Compared = Literal["linear", "mlp", "knn", "cut", "last_blocks", "full"]


class CompareParams(Section):
    """The transfer certificate: every strategy on the same test images. `thaw compare` asks for it."""

    strategies: tuple[Compared, ...] = Field(
        (), description="what is compared, beside the baselines without transfer; empty: no certificate is made"
    )
    seeds: PositiveInt = Field(
        3,
        description="how often each is repeated; a seed draws the labelled examples (where `dataset.labels_per_class` is set) and all that is random",
    )
    minutes: float = Field(
        60, ge=0, description="what fine-tuning may take in all; what does not fit is left out, and named"
    )


class EvaluateParams(Section):
    """What is measured on the test split."""

    bins: PositiveInt = Field(15, description="bins of the calibration error and the reliability diagram")
    mistakes: int = Field(24, ge=0, description="the most confident mistakes shown as thumbnails")
    gallery: int = Field(
        1000,
        ge=0,
        description="training images, spread over the classes, whose features and thumbnails are kept with the model, so that `thaw serve` can show the "
        "nearest ones beside an answer; 0: none",
    )
    baselines: tuple[Literal["majority", "pixels", "random_backbone", "scratch"], ...] = Field(
        ("majority", "random_backbone"),
        description="what the model is measured against; `scratch` trains the whole network",
    )
    seeds: PositiveInt = Field(
        10,
        description="how often the frozen head and each trained baseline are repeated; a seed draws the labelled examples (where "
        "`dataset.labels_per_class` is set) and the random weights",
    )
