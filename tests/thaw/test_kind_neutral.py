"""What is written once for every kind of input says nothing of images."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = (
    "thaw/kinds/images/",
    "thaw/kinds/kind.py",
    "thaw/kinds/registry.py",
    "thaw/kinds/stated.py",
    "thaw/kinds/fitting.py",
    "thaw/backbones/architectures.py",
    "thaw/backbones/providers/",  # other libraries' networks and their preprocessing
    "thaw/backbones/thaw_small.py",  # a network for images, its input is [N, 3, H, W]
    "thaw/kinds/sounds/preview.py",  # draws spectra as PNG files by Pillow
    "thaw/dataset/builtin.py",  # writes scikit-learn's digits as PNG files, and unpacks photographs
    "thaw/pretraining/",  # draws the characters that the small backbone learns from
    "tasks/stages/pretrain.py",
    "tasks/stages/backbone_card.py",  # describes the network and the drawings
)
"""Where images are the subject, or a name among others."""
WORD = re.compile(r"image|picture|pixel", re.IGNORECASE)
NAMES = re.compile(
    "|".join(
        (
            r"IMAGENET1K|Image Re(?:trieval|cognition)",  # weights, and titles of papers
            r"image-rendering|pixelated|image/",  # CSS, and media types
            r"`images`|megapixels",  # a kind, and the unit of `dataset.max_megapixels`
            # Keys of parameters and files from when all examples were images:
            r"images_per_second",
            r'alias="(?:test_|training_)?images"',  # data/advice.json, data/certificate.json
            r'["`]pixels["`]',  # `evaluate.baselines`, data/report/parity.json
            r'"--(?:max-)?images?"',  # options of `thaw export`, `thaw serve` and `thaw trace`
        )
    )
)
"""Names that are no words of ours, and keys that people's files hold."""
DECODERS = {"torchvision.io", "torchvision.transforms"}
"""Of images; import-linter sees whole packages alone, and torchvision's networks are used elsewhere."""


def written_once() -> list[Path]:
    """Code and templates of the three floors, without the room of images."""
    files = (path for floor in ("thaw", "tasks", "flows") for path in (ROOT / floor).rglob("*"))
    return sorted(
        path for path in files if path.suffix in {".py", ".j2"} and not str(path.relative_to(ROOT)).startswith(OWN)
    )


def test_no_file_says_image() -> None:
    saying = [
        str(path.relative_to(ROOT))
        for path in written_once()
        if WORD.search(NAMES.sub("", path.read_text(encoding="utf-8")))
    ]
    assert saying == [], "say it in the words of the kind: `Kind.words`"


@pytest.mark.parametrize("path", [path for path in written_once() if path.suffix == ".py"], ids=str)
def test_nobody_decodes_images_but_their_own_room(path: Path) -> None:
    assert DECODERS.isdisjoint(imported(path))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, each with the packages that it lies in."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)}
