"""The one place of configuration: `params.yaml` as frozen models that refuse unknown keys."""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thaw.foundation.errors import BadParameters
from thaw.kinds.views import Views, expand_views

PARAMS = Path("params.yaml")
BUILTIN_SOURCES = Path("data/sources")
"""Where the built-in data sets are written: `data/sources/digits`, `data/sources/hymenoptera`."""
NAMED_WEIGHTS = Path("data/weights")
"""Where weights with a name are written: `data/weights/ResNet18_Weights.IMAGENET1K_V1.pth`, `data/weights/resnet18.random.pth`."""

MOVED = {"head.kind": "strategy.kind", "head.layer": "strategy.layer"}
"""Keys of before, and where they have gone."""

Pooling = Literal["average", "max", "gem"]
"""See `thaw.backbones.pooling`."""

Augment = Literal["none", "flip", "crop", "distort", "randaugment"]
"""See `thaw.kinds.images.augmentation`."""

MOST_TESTS = 4
"""Of a batch of new images, for drift: of inputs, labels, confidence and the share of `neither`."""

Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A part of `params.yaml`: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitParams(Section):
    """Shares of the examples, by a hash of their group or digest, where the source has no splits of its own."""

    val: Share = Field(0.15, description="share for validation; 0 means that choices are cross-validated on train")
    test: Share = Field(0.2, description="share for the test")

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(
                f"val {self.val} and test {self.test} leave nothing to train on; their sum must be below 1"
            )
        return self


class DatasetParams(Section):
    """Where the examples come from."""

    source: str = Field(
        "data/sources/digits",
        description="a folder of class folders (or of train, val, test folders with class folders inside), or a built-in set: "
        "`data/sources/digits`, `data/sources/hymenoptera`",
    )
    listing: str | None = Field(
        None,
        description="a CSV or Parquet file inside the source with the columns path and label (or labels, where an image may have several), and optionally "
        "split and group; null: the folders say it",
    )
    splits: SplitParams = SplitParams()
    labels_per_class: PositiveInt | None = Field(
        None, description="how many labelled training examples of each class are used; null: all of them"
    )
    max_rejected: int = Field(10, ge=0, description="more rejected files than this stop the run before any compute")
    max_megapixels: PositiveFloat = Field(
        64, description="images with more pixels than this (in millions) are rejected before they are decoded"
    )


class BackboneParams(Section):
    """The pretrained network, and where it is cut."""

    architecture: str = Field(
        "auto", description="a torchvision classification model or `thaw_small`; `auto`: what the weights fit"
    )
    weights: str = Field(
        "data/pretrain/small.safetensors",
        description="a .pth or .safetensors file; official weights are `data/weights/NAME.pth` with torchvision's name, "
        "such as `ResNet18_Weights.IMAGENET1K_V1`; random ones `data/weights/ARCHITECTURE.random.pth`",
    )
    layers: tuple[str, ...] = Field(
        ("auto",),
        min_length=1,
        description="the cut layers whose features are kept; `auto`: the input of the last linear layer; `blocks`: up to five, spread evenly over the "
        "network's blocks, the last of them `auto`",
    )
    pooling: Pooling = Field(
        "average",
        description="how maps and tokens become one vector: `average`, `max`, or `gem` (generalised mean, p = 3); a layer without any has nothing to pool",
    )
    decoding: Literal["exact", "scaled"] = Field(
        "exact",
        description="`scaled` decodes JPEG files that are 4 times larger than needed, or more, at a fraction of their size: several times faster, and "
        "slightly other features (docs/precision.md)",
    )


class RayParams(Section):
    """The cluster of `extract.engine: ray`."""

    address: str | None = Field(
        None, description="`ray://HOST:10001`, or a cluster's own address; null: one is started on this machine"
    )
    actors: PositiveInt | None = Field(
        None, description="processes that hold the network each; null: as many as fit, and never more"
    )
    num_cpus: PositiveFloat = Field(1, description="cores of each")
    num_gpus: float = Field(0, ge=0, description="GPUs of each; a fraction shares one")


class ExtractParams(Section):
    """How features are computed."""

    engine: Literal["auto", "torch", "openvino", "cuda", "ray"] = Field(
        "auto",
        description="what runs the backbone; `auto`: the fastest within tolerance on your images; `openvino`: on the CPU; `ray`: a cluster, "
        "`auto` on each of its machines",
    )
    ray: RayParams = RayParams()
    store: str | None = Field(
        None,
        description="where features are kept beside `data/features`, for other machines: a folder, or any fsspec address such as `s3://bucket/features`",
    )
    precision: Literal["float32", "bfloat16", "float16", "auto"] = Field(
        "float32",
        description="of the arithmetic; `bfloat16` is much faster where the hardware has it, `float16` needs a GPU; `auto`: what the cache "
        "has, else bfloat16 where the hardware has it and the backbone bears it",
    )
    views: tuple[Views, ...] = Field(
        ("identity",),
        description="fixed views whose features are cached: `identity` (always), `hflip`, `five_crop` (the corners beside the centre); `head.views` trains on "
        "them",
    )
    dtype: Literal["float32", "float16"] = Field("float32", description="how features are stored")
    batch_size: PositiveInt = Field(64, description="images in one forward pass; changes no number")
    part_rows: PositiveInt = Field(
        2048, description="rows of one part of the cache: what a killed run may lose at most"
    )
    workers: PositiveInt | None = Field(None, description="threads that decode and compute; null: one a core")
    decoded_mb: PositiveInt = Field(
        1024,
        description="decoded images held at once, in MB (10^6 bytes); a larger image than that is decoded alone",
    )
    device: str = Field("auto", description="`cpu`, `cuda` (all GPUs), `cuda:1`, `mps`; `auto`: the best there is")


class HeadParams(Section):
    """What is trained on the features."""

    views: tuple[Views, ...] = Field(
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
        "balanced", description="`balanced`: each class weighs the same in the loss"
    )
    folds: int = Field(5, ge=2, description="folds of the cross-validation where there is no validation split")
    seed: int = Field(0, ge=0, description="seed of the folds and of the mlp")


class StrategyParams(Section):
    """What is trained, and what the advice may cost."""

    kind: Literal["auto", "linear", "mlp", "knn", "cut", "last_blocks", "full", "scratch"] = Field(
        "auto",
        description="`linear`, `mlp` or `knn`: a new head on cached features (multinomial logistic regression, several new layers, nearest neighbours); "
        "`cut`: a linear head at an earlier layer, what lies beyond is sliced off; `last_blocks`: the last `strategy.blocks` blocks are thawed; `full`: all "
        "are; `scratch`: all are, from random weights; `auto`: what the advice finds best",
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
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of that upper bound")
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
    augment: Augment = Field(
        "flip",
        description="`flip`: left and right; `crop`: also random crops; `randaugment`: also RandAugment; `distort`: affine and elastic distortions, for "
        "writing and drawings. With `none` and `flip`, what lies below the thawed blocks is computed once",
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

    bootstrap: PositiveInt = Field(1000, description="resamples behind each interval")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of each interval")
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


class RegistryParams(Section):
    """Where the model goes."""

    name: str = Field("thaw", min_length=1, pattern=r"^[^/:]+$", description="the registered model's name")
    experiment: str = Field("thaw", min_length=1, description="the MLflow experiment that holds the runs")


class PromotionParams(Section):
    """When the alias `champion` moves to the challenger."""

    automatic: bool = Field(True, description="`thaw run` ends with `thaw promote`")
    rule: Literal["better", "not_worse"] = Field(
        "not_worse",
        description="`better`: the paired interval of the gain lies above 0; `not_worse`: it lies above -`margin`",
    )
    margin: float = Field(0.01, ge=0, lt=1, description="the loss of macro F1 that `not_worse` puts up with")
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="of the paired bootstrap interval, and 1 minus McNemar's level"
    )
    min_rows: PositiveInt = Field(30, description="fewer test rows in common decide nothing")
    bootstrap: PositiveInt = Field(2000, description="resamples of the paired bootstrap")
    max_recall_loss: Share | None = Field(
        0.1,
        description="recall that a class may lose against the champion; refused only where a class's paired interval, at `confidence` over all classes "
        "together, lies beyond it, so a class of few rows refuses nothing by chance; null: not asked",
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
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of the intervals of the share of `neither`")
    seed: int = Field(0, ge=0, description="of the regroupings")

    @model_validator(mode="after")
    def _enough_to_find_any(self) -> Self:
        needed = math.ceil(MOST_TESTS / self.false_alarms)
        if self.permutations < needed:
            raise ValueError(
                f"permutations {self.permutations} can show no drift at false_alarms {self.false_alarms:g}; it takes {needed} or more"
            )
        return self


class Params(Section):
    """The whole of `params.yaml`."""

    dataset: DatasetParams = DatasetParams()
    backbone: BackboneParams = BackboneParams()
    extract: ExtractParams = ExtractParams()
    strategy: StrategyParams = StrategyParams()
    head: HeadParams = HeadParams()
    openness: OpennessParams = OpennessParams()
    finetune: FinetuneParams = FinetuneParams()
    compare: CompareParams = CompareParams()
    evaluate: EvaluateParams = EvaluateParams()
    registry: RegistryParams = RegistryParams()
    promotion: PromotionParams = PromotionParams()
    watch: WatchParams = WatchParams()

    @model_validator(mode="after")
    def _train_on_views_that_are_cached(self) -> Self:
        missing = sorted(set(expand_views(self.head.views)) - set(expand_views(self.extract.views)))
        if missing:
            raise ValueError(f"head.views needs {', '.join(missing)}, which extract.views leaves out; add it there")
        return self


def read_params(path: Path = PARAMS) -> Params:
    """Read and check `params.yaml`, whole, before any work.

    Raises:
        BadParameters: all that is wrong at once; each line names the key, what was given and what is allowed.
    """
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadParameters(
            f"{path} cannot be read ({error.strerror}); run the command in the project's folder"
        ) from error
    except YAMLError as error:
        raise BadParameters(f"{path} is not valid YAML: {error}") from error
    return check_params(values if values is not None else {}, str(path))


def check_params(values: object, origin: str) -> Params:
    """Parse already loaded values; `origin` names them in errors.

    Raises:
        BadParameters: see `read_params`.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        wrong = "\n".join(f"  {_say(problem)}" for problem in error.errors())
        raise BadParameters(f"{origin} holds what is not allowed:\n{wrong}") from error


def _say(problem: object) -> str:
    """One line for one pydantic problem: key, what was given, what is allowed."""
    assert isinstance(problem, dict)
    keys = list(problem["loc"])
    name = ".".join(str(key) for key in keys) or "the file"
    if name in MOVED:
        return f"{name}: this is {MOVED[name]} now; move it there"
    if problem["type"] == "extra_forbidden":
        return f"{name}: no such key; {_known_keys(keys[:-1])}"
    return f"{name}: {problem['input']!r} given; {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _known_keys(section: list[str | int]) -> str:
    model: type[BaseModel] = Params
    for key in section:
        annotation = model.model_fields[str(key)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation
    where = f"{'.'.join(str(key) for key in section)} has" if section else "there are"
    return f"{where} {', '.join(model.model_fields)}"
