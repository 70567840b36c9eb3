"""What `thaw predict` and the flow `score` do with a registered version: as MLflow's own way says it, from the caches of training where they have it."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pytest
from openness_rows import predictor_on_digits
from registration import copy_empty_store, inside, track_and_register
from scored import rows_of, write_pngs
from stage_runs import run_stage

from tasks.project.paths import FEATURES, FEATURES_INDEX, SCORED_FEATURES
from tasks.registry.deployed_model import MODELS, MOST_MODELS, read_deployed
from tasks.registry.mlflow_run import PYFUNC, _outputs, _signature
from tasks.registry.registry import CHAMPION, open_registry
from tasks.requests.score import check_output, default_output, look, score, score_once
from tasks.stages import extract
from thaw.features.store.store import read_index
from thaw.foundation.errors import BadParameters, BadSource, RegistryError
from thaw.models.scoring.table import read_scored_by
from thaw.params.values.reading import read_params


@pytest.fixture(scope="module")
def template(built_project: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose first version is the champion; in a copy the model's files stay where the store says that they are."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("template") / "project"))
    with inside(copy_empty_store(empty_store, root)), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        track_and_register()
        open_registry(read_params().registry).set_alias(CHAMPION, 1)
    return root


def champion() -> "mlflow.pyfunc.PyFuncModel":
    open_registry(read_params().registry)
    return mlflow.pyfunc.load_model(f"models:/photos@{CHAMPION}")


def test_the_fingerprint_of_the_registered_network_is_that_of_trainings_cache(project: Path) -> None:
    scored = score(["photos"], Path("all"))
    trained = read_index(FEATURES_INDEX).layer(None)
    assert (scored.by.fingerprint, scored.by.layer, scored.by.dim) == (trained.fingerprint, trained.name, trained.dim)


def test_images_of_training_cost_no_forward_pass_and_new_ones_one_each(project: Path, passes: list[int]) -> None:
    before = {path: path.stat().st_mtime_ns for path in FEATURES.rglob("*")}
    assert score(["photos"]).computed == sum(passes) == 0
    write_pngs(Path("photos/new"), 9)
    second = score(["photos"])
    assert (second.examples, second.computed, sum(passes)) == (65, 9, 9)
    assert score(["photos"]).computed == 0 and sum(passes) == 9
    assert {path: path.stat().st_mtime_ns for path in FEATURES.rglob("*")} == before, (
        "training's cache is left as it is"
    )
    assert [path.suffix for path in SCORED_FEATURES.rglob("part-*")] == [".parquet"]


def test_answers_are_those_of_the_model_as_mlflow_loads_it(project: Path) -> None:
    write_pngs(Path("new"), 30)
    for sources in (["photos/test"], ["new"]):
        rows = rows_of(score(sources).path)
        expected = champion().predict([row["path"] for row in rows])
        assert [row["label"] for row in rows] == list(expected["label"])
        probabilities = expected[[name for name in expected if name.startswith("p_")]].to_numpy()
        assert np.allclose([row["probabilities"] for row in rows], probabilities, atol=1e-4)
        assert np.allclose([row["confidence"] for row in rows], expected["confidence"], atol=1e-4)


def test_what_was_scored_and_is_labelled_later_is_not_computed_again(project: Path, passes: list[int]) -> None:
    score([str(path) for path in write_pngs(Path("new"), 6).iterdir()])
    assert sum(passes) == 6
    for path in Path("new").iterdir():
        shutil.copy(path, Path("photos/train/dark") / f"labelled {path.name}")
    from tasks.stages import ingest

    run_stage(ingest)
    passes.clear()
    run_stage(extract)
    assert read_index(FEATURES_INDEX).rows == 62 and sum(passes) == 0
    borrowed = {path.name for path in SCORED_FEATURES.rglob("part-*")}
    assert borrowed <= {path.name for path in FEATURES.rglob("part-*")}


def test_the_index_of_features_does_not_tell_where_they_came_from(project: Path) -> None:
    expected = FEATURES_INDEX.read_bytes()
    shutil.move(FEATURES, SCORED_FEATURES)
    run_stage(extract)
    assert FEATURES_INDEX.read_bytes() == expected


def test_training_in_another_precision_is_followed(project: Path, passes: list[int]) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text + "extract: {precision: bfloat16, dtype: float16}\n")
    assert score(["photos/test"]).computed == 0, "the version's features count, not the parameters of today"


def test_a_dry_run_counts_and_writes_nothing(project: Path, passes: list[int]) -> None:
    write_pngs(Path("new"), 4)
    Path("new/gone.png").symlink_to("nowhere")
    before = sorted(Path("data").rglob("*"))
    found = look(["new", "photos/test"])
    assert (found.examples, found.cached, found.unusable, found.remote) == (45, 40, 1, 0)
    assert (found.model, found.version) == ("photos", "1")
    assert sorted(Path("data").rglob("*")) == before and not passes


def test_a_few_are_scored_without_keeping_anything(project: Path) -> None:
    write_pngs(Path("new"), 4)
    scored = score_once(["new", "photos/test"], Path("x.parquet"))
    assert (scored.examples, scored.computed) == (44, 4)
    assert not SCORED_FEATURES.exists() and not list(Path(".thaw").glob("scoring*"))


def test_a_model_is_brought_once_and_anew_where_it_is_torn(project: Path) -> None:
    registry = open_registry(read_params().registry)
    first = read_deployed(registry)
    (folder,) = MODELS.iterdir()
    stamp = (folder / "head.safetensors").stat().st_mtime_ns
    for uri in (None, "models:/photos/1", "models:/photos@challenger"):
        again = read_deployed(registry, uri)
        assert (again.name, again.version, again.key) == ("photos", "1", first.key)
    assert (folder / "head.safetensors").stat().st_mtime_ns == stamp
    (folder / "head.safetensors").write_bytes(b"torn")
    assert read_deployed(registry).key == first.key
    assert [path.name for path in MODELS.iterdir()] == [folder.name]


def test_a_model_in_a_folder_has_its_own_features(project: Path, passes: list[int]) -> None:
    predictor = predictor_on_digits()
    predictor.write(project / "parts")
    mlflow.pyfunc.save_model(
        project / "model", python_model=str(PYFUNC), artifacts={"model": str(project / "parts")}, pip_requirements=["torch"],
        signature=_signature(_outputs(predictor)),
    )  # fmt: skip
    scored = score(["photos/test"], model=str(project / "model"))
    assert (scored.computed, sum(passes)) == (40, 40)
    assert (scored.by.model, scored.by.version) == (str(project / "model"), "")
    assert read_scored_by(scored.path).class_names == ("0", "1", "2")


def test_what_is_no_model_is_named(project: Path) -> None:
    Path("empty").mkdir()
    for uri, complaint in [
        ("models:/photos/9", "no version 9"),
        ("models:/photos@nobody", "photos has no nobody yet"),
        ("models:/cats/1", "cats has no version 1"),
        ("empty", "MLmodel"),
    ]:
        with pytest.raises(RegistryError, match=complaint):
            score(["photos"], model=uri)
    open_registry(read_params().registry).client.delete_registered_model_alias("photos", CHAMPION)
    with pytest.raises(RegistryError, match="no champion yet"):
        score(["photos"])


def test_nothing_to_score_is_told_before_a_model_is_asked_for(project: Path) -> None:
    with pytest.raises(BadSource, match="matches no file"):
        score(["photos/*.gone"], model="models:/cats/1")


def test_where_a_table_goes(project: Path) -> None:
    assert check_output(Path("monday")) == Path("data/scores/monday.parquet")
    assert check_output(Path("a/b.parquet")) == Path("a/b.parquet")
    for name in ("x.csv", "a/b"):
        with pytest.raises(BadParameters, match="no name of a table"):
            check_output(Path(name))
    names = [default_output([one]).name for one in ("new photos/", "s3://bucket/new photos", "/a/*.png", "x.csv")]
    assert [name[:-15] for name in names] == ["new-photos", "new-photos", "png", "x"] and len(set(names)) == 4
    assert default_output(["a", "b"]) == default_output(["a", "b"]) != default_output(["b", "a"])


def test_two_at_once_on_one_table_compute_nothing_twice(project: Path, passes: list[int]) -> None:
    write_pngs(Path("new"), 40)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(score, ["new"], Path("both")) for _ in range(2)]
        assert sorted(one.result().computed for one in both) == [0, 40] and sum(passes) == 40
    assert len(rows_of(Path("data/scores/both.parquet"))) == 40


def test_only_the_models_that_were_used_last_are_kept(project: Path) -> None:
    registry = open_registry(read_params().registry)
    champion = read_deployed(registry).key
    (kept,) = MODELS.iterdir()
    os.utime(kept, (0, 0))
    assert read_deployed(registry).key == champion, "and it is used now"
    for number in range(MOST_MODELS - 1):
        (MODELS / f"former-{number}").mkdir()
        os.utime(MODELS / f"former-{number}", (number + 1, number + 1))
    other = shutil.copytree(next(Path(".thaw/mlartifacts/models").glob("*/artifacts")), project / "other")
    description = (other / "MLmodel").read_text()
    (other / "MLmodel").write_text(description.replace("model_id: ", "model_id: another-"))
    read_deployed(registry, str(other))
    names = {path.name for path in MODELS.iterdir()}
    assert len(names) == MOST_MODELS
    assert kept.name in names and "former-0" not in names and "former-1" in names
