"""Parameters of training the backbone."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from thaw.params.sections.section import Section, Share


class ScratchParams(Section):
    """What training from random weights does otherwise than fine-tuning."""

    epochs: PositiveInt = Field(60, description="passes over the training images at most")
    learning_rate: PositiveFloat = Field(2e-3, description="of AdamW at its peak, for every layer alike")
    patience: PositiveInt = Field(20, description="epochs without a lower validation loss after which training stops")


class FinetuneParams(Section):
    """How thawed layers are trained."""

    epochs: PositiveInt = Field(
        20, description="passes over the training images at most; a small set is passed over several times in one"
    )
    learning_rate: PositiveFloat = Field(3e-4, description="of AdamW at its peak, for the head")
    layer_decay: float = Field(
        0.75, gt=0, le=1, description="each block below learns this much slower than the one above it"
    )
    weight_decay: float = Field(0.05, ge=0, description="of AdamW")
    warmup: Share = Field(
        0.1, description="share of the steps over which the learning rate rises; then it falls by a cosine"
    )
    batch_size: PositiveInt = Field(32, description="images in one step")
    label_smoothing: Share = Field(0.1, description="share of each label that is spread over all classes")
    average: Share = Field(0.98, description="decay of the weights' moving average, which is what is kept; 0: none")
    augment: str = Field(
        "auto",
        description="how training examples are varied; `auto`: the usual way of the kind, `flip` of images; `flip`: left and right; `crop`: also random "
        "crops; `randaugment`: also RandAugment; `distort`: affine and elastic distortions, for writing and drawings. With `none` and `flip`, what lies "
        "below the thawed blocks is computed once",
    )
    mixup: float = Field(0, ge=0, description="alpha of mixup; 0: none")
    cutmix: float = Field(0, ge=0, description="alpha of CutMix; 0: none")
    gradual: bool = Field(False, description="thaw one block more after each epoch, from the last one down")
    batch_norm: Literal["frozen", "trained"] = Field(
        "frozen", description="statistics of batch normalisation; from scratch they are always trained"
    )
    patience: PositiveInt = Field(5, description="epochs without a lower validation loss after which training stops")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the arithmetic; `auto`: bfloat16 where the hardware has it"
    )
    devices: PositiveInt = Field(1, description="GPUs (or processes, on a CPU) that share each step")
    activations_mb: PositiveInt = Field(
        4096, description="what lies below the thawed blocks is kept if it takes no more than this, in MB (10^6 bytes)"
    )
    scratch: ScratchParams = ScratchParams()
    seed: int = Field(0, ge=0, description="of the order, the augmentation and new weights")
