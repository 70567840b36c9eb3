"""Whole exports: each kind of model in each format, run by what others run them by."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from exports import KINDS, ORIGIN, images, model, of_architecture
from PIL import Image

from thaw.foundation.errors import BadExport
from thaw.kinds.kind import Limits
from thaw.models.exporting.folder import write_export
from thaw.models.exporting.formats import Format
from thaw.models.prediction.predictor import Predictor

SHORTENED = {"linear", "opened by neighbours", "sets"}
"""Kinds whose ONNX is seen where its README is followed."""


def outputs_in(card: dict[str, list[dict[str, str]]]) -> list[str]:
    return [output["name"] for output in card["outputs"]]


@pytest.mark.parametrize(
    ("kind", "format_"),
    [*((kind, Format.TORCH) for kind in KINDS), *((kind, Format.ONNX) for kind in KINDS if kind not in SHORTENED)],
)
def test_it_says_what_the_model_says(kind: str, format_: Format, tmp_path: Path) -> None:
    predictor, folder = model(kind), tmp_path / "out"
    done = write_export(predictor, ORIGIN, format_, images(kind), folder=folder)
    assert done.card.checked.agreement.labels_equal == 1
    assert done.card.checked.agreement.largest_difference < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"], "and leaves nothing beside it"
    assert [name for name, _ in done.files] == ["README.md", "model.json", format_.file]
    card = json.loads((folder / "model.json").read_text())
    assert card["class_names"] == list(predictor.class_names) and card["tags"] == {"thaw.git.commit": "abc"}
    names = ["probabilities", "named"] if kind.startswith("sets") else ["probabilities"]
    assert outputs_in(card) == (["probabilities", "known_score", "accepted"] if "opened" in kind else names)
    assert (card["neither"] is None) == ("opened" not in kind) and (card["thresholds"] is None) == (
        not kind.startswith("sets")
    )


@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", pytest.param("vit_b_16", marks=pytest.mark.slow)])
def test_networks_of_torchvision_can_be_exported(architecture: str, tmp_path: Path) -> None:
    predictor, pixels = of_architecture(architecture)
    done = write_export(predictor, ORIGIN, Format.TORCH, pixels, folder=tmp_path / "out")
    assert done.card.checked.agreement.labels_equal == 1
    assert done.card.preprocessing["crop"] == 224 and done.card.input.shape == ("N", 3, 224, 224)


def test_one_that_was_written_and_read_again_can_be_exported(tmp_path: Path) -> None:
    predictor = model("cut earlier")
    predictor.write(tmp_path / "parts")  # the registry's models hold only what their layer needs
    again = Predictor.read(tmp_path / "parts")
    done = write_export(again, ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out")
    assert done.card.checked.agreement.largest_difference < 1e-6 and done.card.layer == "layer1.0"


def script_of(readme: Path) -> str:
    return readme.read_text().split("```python\n")[1].split("```")[0]


def run_readme(folder: Path, pictures: Sequence[Path], forbidden: Sequence[str]) -> list[dict[str, object]]:
    """Do what the README says, in a process of its own that cannot import what is forbidden."""
    stop = f"import sys\nfor name in {list(forbidden)!r}:\n    sys.modules[name] = None\n"
    (folder / "predict.py").write_text(stop + script_of(folder / "README.md"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "predict.py", *map(str, pictures)],
        cwd=folder, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def pictures_of(kind: str, folder: Path, count: int = 6) -> list[Path]:
    folder.mkdir()
    for number, pixels in enumerate(images(kind, count)):
        Image.fromarray(pixels[0].numpy()).resize((50, 40)).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    ("kind", "format_", "forbidden"),
    [
        ("linear", Format.ONNX, ("thaw", "torch", "torchvision")),
        ("opened by neighbours", Format.ONNX, ("thaw", "torch", "torchvision")),
        ("sets", Format.ONNX, ("thaw", "torch", "torchvision")),
        ("knn", Format.TORCH, ("thaw", "torchvision", "onnxruntime")),
    ],
)
def test_its_readme_runs_where_there_is_no_thaw(
    kind: str, format_: Format, forbidden: Sequence[str], tmp_path: Path
) -> None:
    predictor = model(kind)
    write_export(predictor, ORIGIN, format_, images(kind), folder=tmp_path / "out")
    pictures = pictures_of(kind, tmp_path / "pictures")
    own = predictor.predict([predictor.prepare(path.read_bytes(), Limits(10**6)) for path in pictures])
    for row, found in enumerate(run_readme(tmp_path / "out", pictures, forbidden)):
        assert found["label"] == own.labels[row] and list(found["probabilities"]) == list(predictor.class_names)
        assert np.allclose(list(found["probabilities"].values()), own.probabilities[row], atol=1e-4)


def test_its_readme_crops_and_turns_photographs_as_the_model_does(tmp_path: Path) -> None:
    predictor, pixels = of_architecture("mobilenet_v3_small")
    write_export(predictor, ORIGIN, Format.ONNX, pixels, folder=tmp_path / "out")
    waves = np.sin(np.arange(300 * 401 * 3).reshape(300, 401, 3) / 997) * 127 + 128
    tags = Image.Exif()
    tags[0x0112] = 6  # lies on its side
    photo = tmp_path / "photo.png"
    Image.fromarray(waves.astype(np.uint8)).save(photo, exif=tags)
    own = predictor.predict([predictor.prepare(photo.read_bytes(), Limits(10**6))])
    (found,) = run_readme(tmp_path / "out", [photo], ("thaw", "torch"))
    assert np.allclose(list(found["probabilities"].values()), own.probabilities[0], atol=1e-4)


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    with pytest.raises(BadExport, match="exists already; remove it, or name another folder with --out"):
        write_export(model("linear"), ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_a_failure_midway_leaves_nothing(tmp_path: Path) -> None:
    def tell(step: str) -> None:
        if step.startswith("checking"):
            assert len(list(tmp_path.glob(".tmp-*/model.pt2"))) == 1, "the graph is written by then"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_export(model("linear"), ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out", tell=tell)
    with pytest.raises(BadExport, match="no example to check"):
        write_export(model("linear"), ORIGIN, Format.TORCH, [], folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_make_one_folder(tmp_path: Path) -> None:
    def tell(step: str) -> None:
        if step.startswith("checking"):
            write_export(model("mlp"), ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out")

    with pytest.raises(BadExport, match="another process has made"):
        write_export(model("linear"), ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out", tell=tell)
    assert json.loads((tmp_path / "out/model.json").read_text())["head"] == "mlp"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


EXPORT_THEN_DIE = """
import os, signal, sys
from pathlib import Path
from exports import ORIGIN, images, model
from thaw.models.exporting.folder import write_export
from thaw.models.exporting.formats import Format
def tell(step):
    if step.startswith("checking"):
        os.kill(os.getpid(), signal.SIGKILL)
write_export(model("linear"), ORIGIN, Format.TORCH, images("linear"), folder=Path(sys.argv[1]), tell=tell)
"""


def test_a_kill_midway_leaves_no_folder_and_the_next_try_makes_it(tmp_path: Path, warm: Path) -> None:
    path = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "tests/support")])
    killed = subprocess.run(
        [warm / "forked", "-c", EXPORT_THEN_DIE, str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": path}, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    write_export(model("linear"), ORIGIN, Format.TORCH, images("linear"), folder=tmp_path / "out")
    assert (tmp_path / "out/model.pt2").stat().st_size
