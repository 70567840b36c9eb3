"""Parameters of the strategy, and of what is trained on the features."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from thaw.params.sections.section import Section, Share


class StrategyParams(Section):
    """What is trained, and what the advice may cost."""

    kind: Literal["auto", "linear", "mlp", "knn", "cut", "last_blocks", "full", "scratch"] = Field(
        "auto",
        description="what is trained; `linear`, `mlp` or `knn`: a new head on cached features (multinomial logistic regression, several new layers, "
        "nearest neighbours); `cut`: a linear head at an earlier layer, what lies beyond is sliced off; `last_blocks`: the last `strategy.blocks` blocks are "
        "thawed; `full`: all are; `scratch`: all are, from random weights; `auto`: what the advice finds best",
    )
    layer: str | None = Field(
        None,
        description="which of `backbone.layers` the head sits on; null: the last of them, and with `cut` the best earlier one by the probes",
    )
    blocks: PositiveInt = Field(1, description="how many of the last blocks are thawed (last_blocks)")
    repeats: PositiveInt = Field(3, description="how often the folds of the probes are drawn anew")
    minutes: float = Field(
        5, ge=0, description="what the advice may spend on trying fine-tuning on folds of train; 0: it is not tried"
    )


class HeadParams(Section):
    """What is trained on the features."""

    views: tuple[str, ...] = Field(
        ("identity",),
        description="which of `extract.views` the head trains on; choices, calibration and tests always use the image as it is",
    )
    l2: tuple[PositiveFloat, ...] = Field(
        (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        min_length=1,
        description="strengths tried: of the L2 penalty, relative to the mean loss of an example (linear); of AdamW's weight decay (mlp)",
    )
    neighbours: tuple[PositiveInt, ...] = Field(
        (1, 3, 5, 10, 20), min_length=1, description="numbers of neighbours tried (knn)"
    )
    hidden: tuple[PositiveInt, ...] = Field((256,), min_length=1, description="widths of the new layers (mlp)")
    dropout: Share = Field(0.2, description="share of hidden units dropped in training (mlp)")
    epochs: PositiveInt = Field(100, description="passes over the features (mlp)")
    class_weights: Literal["balanced", "none"] = Field(
        "balanced", description="weights of the classes in the loss; `balanced`: each class weighs the same"
    )
    folds: int = Field(5, ge=2, description="folds of the cross-validation where there is no validation split")
    seed: int = Field(0, ge=0, description="seed of the folds and of the mlp")


class OpennessParams(Section):
    """Inputs of no known class: whether the model may say `neither`, and how rarely it may take one for a known class."""

    score: Literal["none", "auto", "max_probability", "energy", "mahalanobis", "neighbours"] = Field(
        "none",
        description="what tells known inputs from others: the largest probability, the energy of the logits, or the distance to the class means or to the "
        "nearest training images, tuned on classes left out in turn; `auto`: which of them rejects the fewest known images; `none`: every input gets a label, "
        "unless there is `openness.background`",
    )
    false_accepts: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="the share of unknown inputs that may be taken for known ones, upper bound included",
    )
    background: str | None = Field(
        None,
        description="a label whose images show everything else, where there is one: it is trained like a class, its images are what is tuned on, and what is "
        "taken for it comes out as `neither`; it takes the place of the scores",
    )

    @field_validator("background", mode="before")
    @classmethod
    def _named_like_a_folder(cls, given: object) -> object:
        """YAML reads the name of a folder `9` as a number."""
        return str(given) if type(given) is int else given

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.background is not None and self.score not in ("none", "auto"):
            raise ValueError(
                f"score {self.score} and background {self.background!r} both say what is unknown; take one of them"
            )
        return self
