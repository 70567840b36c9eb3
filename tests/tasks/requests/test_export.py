"""From the registry to a folder, on a real MLflow store."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from registered_digits import build_registered
from registration import inside

from tasks.project.paths import MANIFEST
from tasks.registry.registry import CHAMPION, open_registry
from tasks.requests.export import default_folder, export, find_origin, plan_export
from thaw.foundation.errors import BadExport, BadSource, RegistryError
from thaw.models.exporting.card import Origin
from thaw.models.exporting.folder import Export
from thaw.models.exporting.formats import Format
from thaw.params.values.reading import read_params


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return build_registered(tmp_path_factory.mktemp("my project"))


@pytest.fixture
def project(root: Path) -> Iterator[Path]:
    with inside(root):
        yield root
        shutil.rmtree("data/exports", ignore_errors=True)


def as_torch(uri: str | None = None, out: Path | None = None, images: tuple[Path, ...] = ()) -> Export:
    return export(uri, Format.TORCH, out, images, lambda step: None)


def test_the_champion_is_exported_with_its_lineage_and_checked_on_test_images(project: Path) -> None:
    told: list[str] = []
    done = export(None, Format.TORCH, None, (), told.append)
    assert done.folder == Path("data/exports/my-digits-1-torch") and (done.folder / "model.pt2").exists()
    card = json.loads((done.folder / "model.json").read_text())
    assert (card["name"], card["version"], card["uri"]) == ("my digits", 1, "models:/my digits/1")
    assert card["tags"] == {"thaw.git.commit": "abc"}
    assert 5 < card["checked"]["images"] < 25 and card["checked"]["agreement"]["labels_equal"] == 1
    assert [step.split()[0] for step in told] == ["reading", "exporting", "checking"]
    with pytest.raises(BadExport, match="my-digits-1-torch exists already"):
        as_torch()


@pytest.mark.parametrize("uri", ["models:/my digits/2", "models:/my digits@second"])
def test_any_version_can_be_named(project: Path, uri: str) -> None:
    registry = open_registry(read_params().registry)
    registry.set_alias("second", 2)
    assert find_origin(registry, uri).tags == {"thaw.git.commit": "def"}
    plan = plan_export(uri, Format.TORCH, None, ())
    assert plan.folder == Path("data/exports/my-digits-2-torch") and not plan.folder.exists()
    assert [output.name for output in plan.outputs] == ["probabilities"] and plan.examples > 5


def test_a_model_that_lies_in_a_folder_has_no_version(project: Path, tmp_path: Path) -> None:
    (folder,) = {path.parent for path in Path(".thaw").rglob("MLmodel")}
    done = as_torch(str(folder), tmp_path / "out")
    assert done.card.version is None and done.card.tags == {} and done.card.uri == str(folder)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("models:/my digits/7", "has no version 7; `thaw models` lists"),
        ("models:/my digits@loser", "has no loser yet; `thaw models` lists"),
        ("models:/others@champion", "others has no champion yet; `thaw run` makes one"),
        ("models:/m-0123", "refused|no model of Thaw's"),
        ("no/such/folder", "there is no folder no/such/folder; name a model, such as models:/NAME/3"),
        ("photos", "photos is no model of Thaw: it has no file MLmodel"),
    ],
)
def test_what_is_no_model_is_said_in_words(project: Path, uri: str, says: str) -> None:
    with pytest.raises(RegistryError, match=says):
        as_torch(uri)
    assert not Path("data/exports").exists()


def test_a_test_image_that_changed_stops_it(project: Path) -> None:
    changed = sorted(Path("photos").rglob("*.png"))
    before = {path: path.read_bytes() for path in changed}
    try:
        for path in changed:
            path.write_bytes(before[path] + b"more")
        with pytest.raises(BadSource, match="changed since it was ingested"):
            as_torch()
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def test_it_can_be_checked_on_images_that_are_named(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(BadExport, match=r"bad\.png is not an image.*--examples"):
        as_torch(images=(tmp_path / "bad.png",))
    away = MANIFEST.rename(tmp_path / "manifest.parquet")
    try:
        with pytest.raises(BadExport, match=r"manifest\.parquet is missing.*--examples"):
            as_torch()
        done = as_torch(images=tuple(sorted(Path("photos").rglob("*.png"))[:3]))
        assert done.card.checked.examples == 3
    finally:
        away.rename(MANIFEST)


def test_without_a_champion_it_says_what_makes_one(project: Path) -> None:
    registry = open_registry(read_params().registry)
    registry.client.delete_registered_model_alias(registry.name, CHAMPION)
    try:
        with pytest.raises(
            RegistryError, match="no champion yet; `thaw run` makes one, or name a version with --model"
        ):
            as_torch()
    finally:
        registry.set_alias(CHAMPION, 1)


def test_folders_have_names_that_a_file_system_takes() -> None:
    assert default_folder(Origin("größer/../x y", 3, "", {}), Format.ONNX) == Path("data/exports/größer-..-x-y-3-onnx")
    assert default_folder(Origin("pets", None, "", {}), Format.TORCH) == Path("data/exports/pets-torch")


def test_scales_of_eight_bits_come_from_training_images(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr("tasks.requests.export.write_export", lambda *_, **options: given.append(options))
    export(None, Format.INT8, None, (), lambda step: None)
    as_torch()
    assert given[0]["folder"] == Path("data/exports/my-digits-1-onnx-int8")
    assert len(given[0]["calibration"]) > 5 and given[1]["calibration"] == []  # type: ignore[arg-type]
