"""Folders and files that names in `params.yaml` stand for."""

from pathlib import Path

from thaw.foundation.files.shipped import shipped

BUILTIN_SOURCES = Path("data/sources")
"""The folder of the built-in data sets: `data/sources/digits`, `data/sources/hymenoptera`, `data/sources/sms_spam/sms_spam.csv`,
`data/sources/spoken_digits`."""
NAMED_WEIGHTS = Path("data/weights")
"""The folder of weights with a name: `data/weights/ResNet18_Weights.IMAGENET1K_V1.pth`, `data/weights/resnet18.random.pth`."""
SHIPPED_WEIGHTS = {
    "thaw_small": Path("data/pretrain/small.safetensors"),
    "thaw_words": Path("data/pretrain/texts/words.safetensors"),
    "thaw_sounds": Path("data/pretrain/sounds/speech.safetensors"),
}
"""The places in the repository of the backbones that ship with Thaw, by name."""


def named_shipped(name: str) -> Path:
    """The file of a shipped backbone in a project, where the stage `fetch` lays it."""
    return NAMED_WEIGHTS / f"{name}.safetensors"


def shipped_in(file: str) -> str | None:
    """The inverse of `named_shipped`, by the file's own name; None: it is no shipped backbone."""
    name = file.removesuffix(".safetensors")
    return name if name in SHIPPED_WEIGHTS and name != file else None


def laid(weights: Path) -> Path:
    """The file itself; where a shipped backbone has not been laid there yet, the one that ships with Thaw."""
    name = shipped_in(weights.name)
    return weights if name is None or weights.exists() else shipped(SHIPPED_WEIGHTS[name])


def tower_place(weights: Path) -> Path:
    """The folder of the text tower that belongs to a backbone's file; it is there only for backbones that have one."""
    return weights.with_suffix(".texts")
