"""Parameters of measurements: intervals, the certificate, the report."""

from typing import Literal

from pydantic import Field, PositiveInt

from thaw.params.sections.section import Section


class StatisticsParams(Section):
    """The confidence of every interval and bound."""

    confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="of every interval, of the gates' tests, and of the upper bound of `openness.false_accepts`",
    )
    bootstrap: PositiveInt = Field(
        1000, description="resamples behind each interval of the report, the certificate and the gates"
    )


Compared = Literal["linear", "mlp", "knn", "cut", "zero_shot", "last_blocks", "lora", "full"]


class CompareParams(Section):
    """The transfer certificate: every strategy on the same test examples, on the command `thaw compare`."""

    strategies: tuple[Compared, ...] = Field(
        (), description="strategies to compare, beside the baselines without transfer; empty: no certificate is made"
    )
    seeds: PositiveInt = Field(
        3,
        description="repetitions of each strategy; a seed draws the labelled examples (if `dataset.labels_per_class` is set) and every random number",
    )
    minutes: float = Field(
        60, ge=0, description="time limit of all fine-tunings together; strategies beyond it are left out, and named"
    )


class EvaluateParams(Section):
    """The measurements on the test split."""

    bins: PositiveInt = Field(15, description="bins of the calibration error and the reliability diagram")
    specificity: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="share of the examples without a class for which it may not be named, at the first operating point that the report judges; the threshold "
        "is chosen on the validation split",
    )
    sensitivity: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="share of the examples with a class for which it is named, at the second operating point",
    )
    error_rate: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="share of wrong answers among those that are given, for which the report states a confidence; the confidence is chosen on the validation "
        "split",
    )
    mistakes: int = Field(24, ge=0, description="the most confident mistakes shown as thumbnails")
    right: int = Field(8, ge=0, description="right answers shown beside the mistakes, the least sure and the surest")
    maps: int = Field(
        6,
        ge=0,
        description="mistakes that are shown with a map of where the network looked, of a kind whose examples can be veiled in places; each costs 50 answers",
    )
    gallery: int = Field(
        1000,
        ge=0,
        description="number of training examples, spread over the classes, whose features and thumbnails are kept with the model, so that `thaw serve` can "
        "show the nearest ones beside an answer; 0: none",
    )
    baselines: tuple[Literal["majority", "pixels", "random_backbone", "scratch"], ...] = Field(
        ("majority", "random_backbone"),
        description="baselines that the model is measured against; `scratch` trains the whole network",
    )
    seeds: PositiveInt = Field(
        10,
        description="repetitions of the frozen head and of each trained baseline; a seed draws the labelled examples (if `dataset.labels_per_class` is "
        "set) and the random weights",
    )
