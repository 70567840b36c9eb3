"""Folders and files that names in `params.yaml` stand for."""

from pathlib import Path

BUILTIN_SOURCES = Path("data/sources")
"""The folder of the built-in data sets: `data/sources/digits`, `data/sources/hymenoptera`, `data/sources/sms_spam/sms_spam.csv`,
`data/sources/spoken_digits`."""
NAMED_WEIGHTS = Path("data/weights")
"""The folder of weights with a name: `data/weights/ResNet18_Weights.IMAGENET1K_V1.pth`, `data/weights/resnet18.random.pth`."""
SHIPPED_WEIGHTS = Path("data/pretrain/small.safetensors")
"""The small backbone that comes with the project."""
SHIPPED_WORDS = Path("data/pretrain/texts/words.safetensors")
"""The word vectors that come with the project."""
SHIPPED_SOUNDS = Path("data/pretrain/sounds/speech.safetensors")
"""The sound network that comes with the project."""
