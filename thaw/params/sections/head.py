"""Parameters of the strategy, of the head and of openness."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from thaw.params.sections.section import Section, Share
from thaw.params.values.strategy import SLOT


class StrategyParams(Section):
    """The trained part of the model, and the cost of the advice."""

    kind: Literal[
        "auto", "linear", "mlp", "knn", "cut", "zero_shot", "last_blocks", "lora", "full", "scratch", "plain"
    ] = Field(
        "auto",
        description="trained part of the model; `linear`, `mlp` or `knn`: a new head on cached features (multinomial logistic regression, several new layers, "
        "nearest neighbours); `cut`: a linear head at an earlier layer, without the layers beyond; `zero_shot`: no training, the names of the classes "
        "are the head, by the text tower of the backbone (CLIP, SigLIP); `last_blocks`: the last `strategy.blocks` blocks are "
        "thawed; `lora`: low-rank adapters of all blocks are trained, and merged into the weights; `full`: all blocks are thawed; `scratch`: all blocks are "
        "trained from random weights; `plain`: a linear model on the examples "
        "themselves, without the backbone; `auto`: the choice of the advice",
    )
    layer: str | None = Field(
        None,
        description="layer of `backbone.layers` below the head; null: the last layer, and with `cut` the best earlier layer by the probes",
    )
    prompts: tuple[str, ...] = Field(
        (),
        description="texts that describe an example of a class, with `{label}` in the place of its name (zero_shot); of several the mean counts; empty: the "
        "usual one for the kind of examples",
    )
    blocks: PositiveInt = Field(1, description="number of thawed last blocks (last_blocks)")
    repeats: PositiveInt = Field(3, description="number of times that the folds of the probes are drawn")
    minutes: float = Field(
        5, ge=0, description="time limit of the advice's trials of fine-tuning, on folds of train; 0: no trials"
    )

    @field_validator("prompts")
    @classmethod
    def _with_a_place_for_the_name(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if without := [prompt for prompt in given if SLOT not in prompt]:
            raise ValueError(f"{without[0]!r} has no {SLOT}, which stands for the name of a class")
        return given


class HeadParams(Section):
    """The head on the features."""

    views: tuple[str, ...] = Field(
        ("identity",),
        description="views of `extract.views` that the head trains on; choices, calibration and tests always use the plain example",
    )
    l2: tuple[PositiveFloat, ...] = Field(
        (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        min_length=1,
        description="strengths to try; of the L2 penalty, relative to the mean loss of an example (linear), or of AdamW's weight decay (mlp)",
    )
    neighbours: tuple[PositiveInt, ...] = Field(
        (1, 3, 5, 10, 20), min_length=1, description="numbers of neighbours to try (knn)"
    )
    hidden: tuple[PositiveInt, ...] = Field((256,), min_length=1, description="widths of the new layers (mlp)")
    dropout: Share = Field(0.2, description="share of hidden units dropped in training (mlp)")
    epochs: PositiveInt = Field(100, description="passes over the features (mlp)")
    class_weights: Literal["balanced", "none"] = Field(
        "balanced", description="weights of the classes in the loss; `balanced`: all classes weigh the same"
    )
    folds: int = Field(5, ge=2, description="folds of the cross-validation without a validation split")
    seed: int = Field(0, ge=0, description="seed of the folds and of the mlp")


class OpennessParams(Section):
    """Inputs of no known class: the score by which the model answers `neither`, and the rate at which such inputs may pass."""

    score: Literal["none", "auto", "max_probability", "energy", "mahalanobis", "neighbours"] = Field(
        "none",
        description="score that separates known inputs from others: the largest probability, the energy of the logits, or the distance to the class means or "
        "to the nearest training examples, tuned on classes left out in turn; `auto`: the score that rejects the fewest known examples; `none`: every input "
        "gets a label, unless `openness.background` is set",
    )
    false_accepts: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="share of unknown inputs that may pass as known; its upper bound stays below this",
    )
    background: str | None = Field(
        None,
        description="label whose examples show everything else; it is trained like a class, the threshold is tuned on its examples, and the model answers "
        "`neither` for it; it replaces the scores; null: no such label",
    )

    @field_validator("background", mode="before")
    @classmethod
    def _named_like_a_folder(cls, given: object) -> object:
        """The label as text; YAML reads the name of a folder `9` as a number."""
        return str(given) if type(given) is int else given

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.background is not None and self.score not in ("none", "auto"):
            raise ValueError(
                f"score {self.score} and background {self.background!r} exclude each other; set one of them"
            )
        return self
