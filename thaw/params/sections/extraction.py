"""Parameters of the features: the network, where it is cut, and how it runs."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from thaw.params.sections.section import Section

Pooling = Literal["average", "max", "gem"]
"""See `thaw.backbones.pooling`."""


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
        description="precision of the arithmetic; `bfloat16` is much faster where the hardware has it, `float16` needs a GPU; `auto`: what the cache "
        "has, else bfloat16 where the hardware has it and the backbone bears it",
    )
    views: tuple[str, ...] = Field(
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
    device: str = Field(
        "auto",
        description="where the network runs: `cpu`, `cuda` (all GPUs), `cuda:1`, `mps`; `auto`: the best there is",
    )
