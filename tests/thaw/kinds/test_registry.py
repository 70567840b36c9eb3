"""Kinds by name: a room is imported when its name is asked for, and not before."""

import subprocess
import sys
from pathlib import Path

import pytest

from thaw.foundation.errors import BadParameters
from thaw.kinds.images.kind import Images
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.kind import ANY
from thaw.kinds.registry import kind_in, kind_named, kind_names, preprocessing_from_json, words_of

PREPROCESSING = Preprocessing(8, 6, "bilinear", (0.5,) * 3, (0.25,) * 3)


def test_a_kind_is_found_by_its_name() -> None:
    assert isinstance(kind_named("images"), Images)
    assert kind_named("images").name == "images"


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadParameters, match="`smells` is no kind of examples; there are images, texts"):
        kind_named("smells")


def test_a_preprocessing_says_its_kind_unless_it_is_of_images() -> None:
    assert kind_in(PREPROCESSING.to_json()) == "images"
    assert kind_in('{"kind": "series", "length": 3}') == "series"
    assert preprocessing_from_json(PREPROCESSING.to_json()) == PREPROCESSING


def test_words_cost_no_heavy_library() -> None:
    code = (
        "import sys; from thaw.kinds.registry import kind_named; print(kind_named('images').words.many, "
        "[name for name in ('torch', 'torchvision', 'PIL') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "images []\n"


def test_another_package_may_bring_a_kind(tmp_path: Path) -> None:
    (tmp_path / "smells.py").write_text("class Smells:\n    name = 'smells'\n\nKIND = Smells()\n")
    stated = tmp_path / "smells-1.dist-info"
    stated.mkdir()
    (stated / "METADATA").write_text("Metadata-Version: 2.1\nName: smells\nVersion: 1\n")
    (stated / "entry_points.txt").write_text("[thaw.kinds]\nsmells = smells:KIND\n")
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); from thaw.kinds.registry import kind_named, kind_names; "
        "print(kind_names(), 'smells' in sys.modules, kind_named('smells').name)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "('images', 'texts', 'sounds', 'smells') False smells\n"


def test_images_alone_ship_with_thaw() -> None:
    assert kind_names()[0] == "images"


def test_the_words_of_a_kind_that_is_not_installed_are_those_of_any_example() -> None:
    assert words_of("images").many == "images" and words_of("smells") == ANY
