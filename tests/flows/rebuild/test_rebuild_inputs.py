"""What a version is rebuilt from where neither Git nor DVC keeps it: the files where they lay, if they are still the same."""

import subprocess
from pathlib import Path

import pytest
from registration import copy_empty_store, inside
from toy import environment
from traced import build_traceable, commit, git, make_traced

from flows.rebuild.rebuild_inputs import Place, bring, look_for
from tasks.lineage.reproduction import Recipe, read_recipe, read_values, value_at
from tasks.registry.registry import open_registry
from thaw.foundation.errors import NotReproducible
from thaw.foundation.files.atomic import digest_file
from thaw.params.values.reading import read_params

LISTED = "path,label\nants/ant-0.jpg,ants\n"


@pytest.fixture
def recipe(empty_store: Path, tmp_path: Path, picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Of a version whose images lie outside the project, with a listing that has changed since."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    build_traceable(root, picture_folder)
    copy_empty_store(empty_store, root)
    text = (root / "params.yaml").read_text().replace("source: photos", "source: ../source, listing: list.csv")
    (root / "params.yaml").write_text(f'{text}extract: {{store: "s3://bucket/features"}}\n')
    (root / ".gitignore").write_text(".thaw\nw.pth\n")
    (root / "w.pth").write_bytes(b"weights")
    (picture_folder / "list.csv").write_text(LISTED)
    subprocess.run(["dvc", "init", "--quiet"], cwd=root, env=environment(), check=True)
    commit(root)
    git(tmp_path, "clone", "--quiet", str(root), "checkout")
    with inside(root):
        registry = open_registry(read_params().registry)
        version = registry.version(make_traced(registry, git_commit=git(root, "rev-parse", "HEAD").strip()))
        (picture_folder / "list.csv").write_text("path,label\n")
        (tmp_path / "recorded").mkdir()
        return read_recipe(registry, version, tmp_path / "recorded")


def test_images_and_weights_from_where_they_lay(recipe: Recipe, tmp_path: Path, picture_folder: Path) -> None:
    place = Place(tmp_path / "project", tmp_path / "checkout")
    before = git(place.checkout, "status", "--porcelain")
    assert all(supply.complete for supply in look_for(recipe, place))
    assert git(place.checkout, "status", "--porcelain") == before, "looking lays nothing out"
    images, weights = bring(recipe, place)
    assert "has its recorded digest" in images.origin and "MD5 was not recorded" in weights.origin
    values = read_values(place.checkout / "params.yaml")
    source = place.checkout / str(value_at(values, "dataset.source"))
    assert source.parent == place.checkout and value_at(values, "extract.store") is None
    assert value_at(values, "backbone.weights") == str(tmp_path / "project/w.pth")
    assert (source / "list.csv").read_text() == LISTED, "as it was then"
    assert all(digest_file(source / one.path) == one.digest for one in recipe.manifest.examples())
    assert git(place.root, "status", "--porcelain") == "" and (picture_folder / "list.csv").read_text() != LISTED


def test_what_is_gone_is_listed_with_what_to_do(recipe: Recipe, tmp_path: Path, picture_folder: Path) -> None:
    place = Place(tmp_path / "project", tmp_path / "checkout")
    for name in ("ants/ant-1.jpg", "ants/ant-2.jpg"):
        (picture_folder / name).unlink()
    (place.root / "w.pth").unlink()
    assert [supply.gone for supply in look_for(recipe, place)] == [("ants/ant-1.jpg", "ants/ant-2.jpg"), ("w.pth",)]
    with pytest.raises(
        NotReproducible,
        match=r"2 gone: ants/ant-1\.jpg, ants/ant-2\.jpg\. .*inside the project, where `dvc add` can keep them",
    ):
        bring(recipe, place)
