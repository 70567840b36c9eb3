"""Parameters of training the backbone."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from thaw.params.sections.section import Section, Share


class ScratchParams(Section):
    """The settings in which training from random weights differs from fine-tuning."""

    epochs: PositiveInt = Field(60, description="most passes over the training examples")
    learning_rate: PositiveFloat = Field(2e-3, description="peak learning rate of AdamW, equal for all layers")
    patience: PositiveInt = Field(20, description="epochs without a lower validation loss after which training stops")


class LoraParams(Section):
    """The low-rank adapters, and the settings in which their training differs from fine-tuning."""

    rank: PositiveInt = Field(8, description="rank of each adapter: its price, and the freedom of the change")
    alpha: PositiveFloat = Field(16, description="strength of the change; adapters are multiplied by alpha / rank")
    learning_rate: PositiveFloat = Field(
        1e-3, description="peak learning rate of AdamW, equal for all adapters and the head"
    )


class FinetuneParams(Section):
    """The training of thawed layers."""

    epochs: PositiveInt = Field(
        20, description="most passes over the training examples; with a small set one epoch has several passes"
    )
    learning_rate: PositiveFloat = Field(3e-4, description="peak learning rate of AdamW, for the head")
    layer_decay: float = Field(
        0.75, gt=0, le=1, description="factor between the learning rates of a block and of the block above it"
    )
    weight_decay: float = Field(0.05, ge=0, description="weight decay of AdamW")
    warmup: Share = Field(
        0.1, description="share of the steps over which the learning rate rises; then it falls by a cosine"
    )
    batch_size: PositiveInt = Field(32, description="examples in one step")
    label_smoothing: Share = Field(0.1, description="share of each label that is spread over all classes")
    average: Share = Field(
        0.98, description="decay of the weights' moving average, which becomes the model; 0: no average"
    )
    augment: str = Field(
        "auto",
        description="variation of training examples; `auto`: the usual variation of the kind (`images`: `flip`, `texts`: `hide`); `flip`: left and right; "
        "`crop`: also random crops; `randaugment`: also RandAugment; `distort`: affine and elastic distortions, for writing and drawings; `hide`: texts "
        "without a tenth of their words. With `none` and `flip` the activations "
        "below the thawed blocks are computed once",
    )
    mixup: float = Field(0, ge=0, description="alpha of mixup; 0: no mixup")
    cutmix: float = Field(0, ge=0, description="alpha of CutMix; 0: no CutMix")
    gradual: bool = Field(False, description="thaw one more block after each epoch, from the last block down")
    batch_norm: Literal["frozen", "trained"] = Field(
        "frozen", description="statistics of batch normalisation; from scratch they are always trained"
    )
    patience: PositiveInt = Field(5, description="epochs without a lower validation loss after which training stops")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="precision of the arithmetic; `auto`: bfloat16 if the hardware has it"
    )
    devices: PositiveInt = Field(1, description="GPUs (or processes, on a CPU) that share each step")
    activations_mb: PositiveInt = Field(
        4096, description="largest size, in MB (10^6 bytes), at which the activations below the thawed blocks are kept"
    )
    lora: LoraParams = LoraParams()
    scratch: ScratchParams = ScratchParams()
    seed: int = Field(0, ge=0, description="seed of the order, the augmentation and new weights")
