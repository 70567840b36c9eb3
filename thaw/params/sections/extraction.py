"""Parameters of the features: the network, its cut layers, and its engine."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from thaw.params.sections.section import Section

Pooling = Literal["average", "max", "gem", "thirds", "class", "class_average"]
"""See `thaw.backbones.pooling`."""


class BackboneParams(Section):
    """The pretrained network and its cut layers."""

    architecture: str = Field(
        "auto",
        description="a torchvision classification model, `timm/NAME` or `thaw_small`; `auto`: the one that the weights fit",
    )
    weights: str = Field(
        "data/pretrain/small.safetensors",
        description="a file of safetensors or a checkpoint of PyTorch; official weights are `data/weights/NAME.pth` with torchvision's name, "
        "such as `ResNet18_Weights.IMAGENET1K_V1`; random weights are `data/weights/ARCHITECTURE.random.pth`; `thaw config set` takes the names alone, also "
        "`timm/NAME`, `hf/ORG/NAME`, `xrv/NAME` and `torchvision/NAME`",
    )
    layers: tuple[str, ...] = Field(
        ("auto",),
        min_length=1,
        description="cut layers whose features are kept; `auto`: the input of the last linear layer; `blocks`: up to five layers, spread evenly over the "
        "network's blocks, and the last of them is `auto`",
    )
    pooling: Pooling = Field(
        "average",
        description="method that makes one vector of maps and tokens: `average`, `max`, `gem` (generalised mean, p = 3), `thirds` (the averages of the "
        "first, middle and last third of a sequence, one after another), `class` (the class token), or `class_average` (the class token and the average of "
        "the patches, one after another); other layers are not pooled",
    )
    decoding: Literal["exact", "scaled"] = Field(
        "exact",
        description="method of decoding; `scaled` decodes JPEG files that are at least 4 times larger than needed at a fraction of their size, several times "
        "faster and with slightly different features (docs/precision.md)",
    )
    windows: tuple[tuple[float, PositiveFloat], ...] = Field(
        (),
        description="windows of greys of more than 8 bits, each as centre and width in the values' units (Hounsfield units for CT); one for all channels, or "
        "three for red, green and blue; none: what DICOM files state themselves, and the range of the set for other files (docs/radiology.md)",
    )

    frame: Literal["first", "middle"] | PositiveInt = Field(
        "first",
        description="frame of a file with several that is read: `first`, `middle`, or its number from 1; a file with fewer frames gives its last",
    )

    @field_validator("windows")
    @classmethod
    def _fit_the_channels(cls, value: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if len(value) not in (0, 1, 3):
            raise ValueError(
                f"{len(value)} windows given; one is shown in all channels, or three in red, green and blue"
            )
        return value


class RayParams(Section):
    """The cluster of `extract.engine: ray`."""

    address: str | None = Field(
        None, description="`ray://HOST:10001`, or a cluster's own address; null: a cluster is started on this machine"
    )
    actors: PositiveInt | None = Field(
        None, description="number of processes that hold the network; null: as many as fit"
    )
    num_cpus: PositiveFloat = Field(1, description="cores of each process")
    num_gpus: float = Field(0, ge=0, description="GPUs of each process; a fraction shares a GPU")


class ExtractParams(Section):
    """The computation of features."""

    engine: Literal["auto", "torch", "openvino", "cuda", "ray"] = Field(
        "auto",
        description="engine that runs the backbone; `auto`: the fastest within tolerance on your examples; `openvino`: on the CPU; `ray`: a cluster, with "
        "`auto` on each of its machines",
    )
    ray: RayParams = RayParams()
    store: str | None = Field(
        None,
        description="second place of the features, beside `data/features`; a folder that machines share, or any fsspec address such as `s3://bucket/features`",
    )
    precision: Literal["float32", "bfloat16", "float16", "auto"] = Field(
        "float32",
        description="precision of the arithmetic; `bfloat16` is much faster on hardware that has it, `float16` needs a GPU; `auto`: the cache's "
        "precision, else bfloat16 if the hardware has it and the backbone tolerates it",
    )
    views: tuple[str, ...] = Field(
        ("identity",),
        description="fixed views whose features are cached: `identity` (always), `hflip`, `five_crop` (the corners beside the centre); `head.views` trains on "
        "them",
    )
    dtype: Literal["float32", "float16"] = Field("float32", description="type of the stored features")
    batch_size: PositiveInt = Field(64, description="examples in one forward pass; the features do not depend on it")
    part_rows: PositiveInt = Field(
        2048, description="rows of one part of the cache; a killed run loses at most one part"
    )
    workers: PositiveInt | None = Field(None, description="threads that decode and compute; null: one for each core")
    decoded_mb: PositiveInt = Field(
        1024,
        description="decoded examples in memory at once, in MB (10^6 bytes); a larger example is decoded alone",
    )
    device: str = Field(
        "auto",
        description="device of the network: `cpu`, `cuda` (all GPUs), `cuda:1`, `mps`; `auto`: the best of this machine",
    )
