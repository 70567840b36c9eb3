"""A version from a real registry, read to be served."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from registration import challenge, inside, track_and_register

from tasks.registry.registry import CHALLENGER, CHAMPION, Registry, open_registry
from tasks.registry.served_model import Wanted, find_number, read_served_model, wanted_of
from thaw.foundation.errors import BadArtifact, BadParameters, RegistryError, Unreachable
from thaw.kinds.kind import Limits
from thaw.params.values.reading import read_params


@pytest.fixture(scope="module")
def project(built_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a version that is the champion."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("served") / "project"))
    with inside(root), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        track_and_register()
        registry().set_alias(CHAMPION, 1)
        yield root


def registry() -> Registry:
    return open_registry(read_params().registry)


def test_uris_name_an_alias_or_a_version() -> None:
    assert wanted_of(None, "photos") == Wanted("photos", CHAMPION, None)
    assert wanted_of("models:/other@challenger", "photos") == Wanted("other", "challenger", None)
    assert wanted_of("models:/photos/12", "photos") == Wanted("photos", None, 12)
    for uri in (
        "models:/photos",
        "/etc/passwd",
        "http://127.0.0.1/model",
        "models:/photos/latest",
        "runs:/1/model",
        "",
    ):
        with pytest.raises(BadParameters, match="models:/photos@champion"):
            wanted_of(uri, "photos")
    assert [str(wanted_of(uri, "x")) for uri in ("models:/a@b", "models:/a/1")] == ["models:/a@b", "models:/a/1"]


def test_aliases_are_looked_up_each_time(project: Path) -> None:
    assert find_number(registry(), wanted_of(None, "photos")) == 1
    assert find_number(registry(), Wanted("photos", None, 9)) == 9
    for name, alias in (("photos", "nobody"), ("nothing", CHAMPION)):
        with pytest.raises(RegistryError, match=f"{name} has no {alias} yet"):
            find_number(registry(), Wanted(name, alias, None))


def test_it_answers_as_mlflows_own_loading_does(project: Path) -> None:
    import mlflow

    served = read_served_model(registry(), 1)
    files = sorted(Path("photos/test").rglob("*.png"))[::7]
    pixels = [served.predictor.prepare(file.read_bytes(), Limits(10**6)) for file in files]
    expected = mlflow.pyfunc.load_model("models:/photos@champion").predict([str(file) for file in files])
    assert np.allclose(served.predictor.predict(pixels).probabilities, expected.filter(like="p_"), atol=1e-6)
    assert served.version.number == 1 and served.version.tags["thaw.strategy"] == "linear"


def test_the_gallery_holds_the_training_images_with_the_features_of_the_model(project: Path) -> None:
    served = read_served_model(registry(), 1)
    gallery = served.gallery
    assert gallery is not None and len(gallery) == 16
    assert sorted(gallery.labels) == [("dark",)] * 8 + [("light and bright",)] * 8
    contents = [(Path("photos") / path).read_bytes() for path in gallery.paths]
    pixels = [served.predictor.prepare(content, Limits(10**6)) for content in contents]
    expected = served.predictor.predict(pixels).probabilities
    found = served.predictor.head.probabilities(gallery.features).numpy()
    assert np.allclose(found, expected, atol=1e-4), "cached features are those of the pixels"


def test_versions_without_a_gallery_or_without_a_model(project: Path) -> None:
    store = registry()
    holds_predictions_alone = challenge(store)
    store.set_alias(CHALLENGER, 1)
    with pytest.raises(RegistryError):
        read_served_model(store, holds_predictions_alone)
    with pytest.raises(RegistryError, match="has no version 99"):
        read_served_model(store, 99)
    report = next(Path(".thaw/mlartifacts").glob("*/artifacts/report/gallery.parquet"))
    content = report.read_bytes()
    try:
        report.write_bytes(b"torn")
        assert read_served_model(store, 1).gallery is None
        report.unlink()
        assert read_served_model(store, 1).gallery is None
    finally:
        report.write_bytes(content)


def test_a_model_whose_files_are_gone_or_torn_is_named(project: Path, tmp_path: Path) -> None:
    whole = next(Path(".thaw/mlartifacts/models").iterdir())
    aside = Path(shutil.copytree(whole, tmp_path / "aside"))
    try:
        next(whole.rglob("backbone.json")).unlink()
        with pytest.raises(BadArtifact, match="models:/photos/1 is damaged"):
            read_served_model(registry(), 1)
        shutil.rmtree(whole)
        with pytest.raises(RegistryError, match="files of models:/photos/1 are gone"):
            read_served_model(registry(), 1)
    finally:
        shutil.copytree(aside, whole, dirs_exist_ok=True)


def test_a_server_that_is_down_is_told_from_one_that_says_no(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Unreachable):
        find_number(registry(), wanted_of(None, "photos"))
