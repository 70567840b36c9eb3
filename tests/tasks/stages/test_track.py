"""The stage `track` and the registration: what a version holds, who can load it, and what is left after a kill."""

import ast
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import grimp
import mlflow
import numpy as np
import pytest
from PIL import Image
from registration import CLASSES, copy_empty_store, inside, track_and_register
from stage_runs import run_stage

from tasks.registry import registering
from tasks.registry.flat_names import flat_metrics, flat_params
from tasks.registry.mlflow_run import PYFUNC, REQUIREMENTS
from tasks.registry.registry import CHALLENGER, CHAMPION, KEY, ModelVersion, Registry, open_registry
from tasks.registry.version_tags import version_tags
from tasks.stages import track
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def template(built_project: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is ready to be registered, with a store that holds nothing."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("template") / "project"))
    return copy_empty_store(empty_store, root)


@pytest.fixture(scope="module")
def registered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a registered model, whose version is the champion. Tests only read it."""
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("registered") / "ein Projekt"))
    with inside(root):
        track_and_register()
        open_registry(read_params().registry).set_alias(CHAMPION, 1)
    return root


@pytest.fixture
def registry(registered: Path) -> Iterator[Registry]:
    with inside(registered):
        yield open_registry(read_params().registry)


@pytest.fixture
def version(registry: Registry) -> ModelVersion:
    (only,) = registry.versions()
    return only


@pytest.fixture
def model_folder(version: ModelVersion, tmp_path: Path) -> Path:
    return Path(mlflow.artifacts.download_artifacts(version.uri, dst_path=str(tmp_path)))


@pytest.fixture
def model(registry: Registry) -> "mlflow.pyfunc.PyFuncModel":
    return mlflow.pyfunc.load_model(f"models:/{registry.name}@{CHAMPION}")


def picture(name: str) -> Path:
    """A test picture of a class."""
    return Path("photos/test") / name / "3.png"


# What is registered


def test_the_version_is_the_challenger_and_the_file_says_which(version: ModelVersion) -> None:
    assert CHALLENGER in version.aliases
    written = json.loads(Path("data/registered.json").read_text())
    assert written == {
        "name": "photos", "version": 1, "run_id": version.run_id, "model_uri": "models:/photos/1", "key": version.tags[KEY],
    }  # fmt: skip


def test_the_run_holds_parameters_metrics_report_dataset_and_model(registry: Registry, version: ModelVersion) -> None:
    run = registry.client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["head.l2"] == "[0.001]" and run.data.params["dataset.source"] == "photos"
    measured = json.loads(Path("data/report/metrics.json").read_text())
    assert run.data.metrics["test.accuracy"] == measured["test"]["accuracy"] > 0.9
    assert run.data.metrics["baselines.majority.accuracy"] == 0.5
    names = {one.path for one in registry.client.list_artifacts(version.run_id, "report")}
    assert {"report/report.html", "report/metrics.json", "report/predictions.parquet", "report/figures"} <= names
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "photos" and json.loads(dataset.dataset.profile)["num_rows"] == 56
    assert json.loads(dataset.dataset.source) == {"uri": "photos"}
    (logged,) = run.outputs.model_outputs
    assert version.source == f"models:/{logged.model_id}"


def test_the_run_and_the_version_begin_with_what_a_person_wants_to_know(
    registry: Registry, version: ModelVersion
) -> None:
    accuracy = float(version.tags["thaw.test.accuracy"])
    assert registry.client.get_run(version.run_id).info.run_name == f"photos, linear, accuracy {accuracy:.3f}"
    assert version.description.startswith(f"**Accuracy {accuracy:.3f}** (")
    first, strategy, data, gates, look = version.description.split("\n\n")
    assert first.endswith("on 40 test images") and "linear" in strategy and "`photos`" in data
    assert gates == "Gates: not asked yet" and "report/report.html" in look
    names = sorted(version.tags)
    assert names[:3] == ["accuracy", "data", "strategy"] and all(name.startswith("thaw.") for name in names[3:])
    assert version.tags["accuracy"].startswith(f"{accuracy:.3f} (")


def test_nothing_is_written_outside_the_state_and_two_files(registered: Path, template: Path) -> None:
    assert {path.name for path in registered.iterdir()} == {path.name for path in template.iterdir()}
    assert {path.name for path in (registered / "data").iterdir()} == {
        path.name for path in (template / "data").iterdir()
    } | {"tracked.json", "registered.json"}
    assert {path.name for path in (registered / ".thaw").iterdir()} == {
        path.name for path in (template / ".thaw").iterdir()
    } | {"mlflow.db", "mlartifacts", "track.lock", "register.lock"}


def test_tags_tie_the_version_to_where_it_comes_from(
    project: Path, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = json.loads((project / "data/features.json").read_text())
    strategy = Strategy("linear", index["layers"][-1]["name"])
    assert version.tags["thaw.fingerprint"] == index["layers"][-1]["fingerprint"]
    assert version.tags["thaw.test.n"] == "40" and float(version.tags["thaw.test.accuracy"]) > 0.9
    assert not [name for name in version.tags if name.startswith(("thaw.git", "thaw.dvc", "thaw.flow"))], "unknown"
    with inside(project):
        (project / "dvc.lock").write_text("stages: {head: {outs: [{path: data/head, md5: 12ab.dir}]}}\n")
        for command in (
            ["init", "--quiet"],
            ["add", "params.yaml", "dvc.lock"],
            ["commit", "--quiet", "--message", "x"],
        ):
            who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
            subprocess.run(["git", *who, *command], check=True)
        (project / "dvc.lock").write_text("stages: {head: {outs: [{path: data/head, md5: 34cd.dir}]}}\n")
        tags = version_tags("k", strategy, "f-1", Path("small.safetensors"))
        assert (tags["thaw.dvc.head.head"], tags["thaw.flow_run"], tags[KEY]) == ("34cd.dir", "f-1", "k")
        assert len(tags["thaw.git.commit"]) == 40 and tags["thaw.git.dirty"] == "false", "dvc.lock alone is no change"
        (project / "params.yaml").write_text("head: {}\n")
        assert version_tags("k", strategy, "", Path("small.safetensors"))["thaw.git.dirty"] == "true"
        (project / "dvc.lock").write_text("- torn")
        with pytest.raises(BadArtifact, match=r"dvc\.lock cannot be read"):
            version_tags("k", strategy, "", Path("small.safetensors"))


def test_parameters_and_metrics_become_dotted_names() -> None:
    assert flat_params({"a": {"b": [1, 2], "c": None}, "d": "x", "e": True}) == {
        "a.b": "[1, 2]", "a.c": "null", "d": "x", "e": "true",
    }  # fmt: skip
    assert flat_metrics({"a": {"b": 1, "c": "x"}, "d": 0.5, "e": True}) == {"a.b": 1.0, "d": 0.5}


# The key


def test_the_key_changes_with_what_defines_a_version_and_with_nothing_else(project: Path) -> None:
    params = read_params()
    key = track.key_of(params)
    (project / "data/report/report.html").write_text("another look")
    (project / "data/head/trials.csv").write_text("another order")
    batch = params.extract.model_copy(update={"batch_size": 3})
    assert track.key_of(params.model_copy(update={"extract": batch})) == key
    keys = {key}
    for name in ("data/manifest.parquet", "data/features.json", "data/strategy.json", "data/report/metrics.json", "data/report/predictions.parquet",
                 "small.safetensors", "data/head/head.json", "data/head/head.safetensors"):  # fmt: skip
        content = (project / name).read_bytes()
        (project / name).write_bytes(content + b" ")
        keys.add(track.key_of(params))
        (project / name).write_bytes(content)
    renamed = params.registry.model_copy(update={"name": "pets"})
    keys.add(track.key_of(params.model_copy(update={"registry": renamed})))
    assert len(keys) == 10 and track.key_of(params) == key


def test_a_missing_report_is_named(project: Path) -> None:
    (project / "data/report/metrics.json").unlink()
    with pytest.raises(BadArtifact, match=r"data/report/metrics\.json cannot be read .*`thaw run`"):
        run_stage(track)


# Again, killed, and at once


def test_the_same_again_makes_no_second_version(
    registered: Path, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    before = (registered / "data/registered.json").read_bytes()
    with caplog.at_level("INFO", "tasks"):
        again = track_and_register()
    assert "was made from just this; only its report is new" in caplog.text
    assert "registered before: models:/photos/1" in caplog.text and not again.made
    assert (registered / "data/registered.json").read_bytes() == before and len(registry.versions()) == 1


def test_what_was_measured_again_goes_to_the_version_that_is_there(project: Path, tmp_path: Path) -> None:
    track_and_register()
    checks = project / "data/report/checks.json"
    checks.write_text(checks.read_text() + " ")
    track_and_register()
    registry = open_registry(read_params().registry)
    (only,) = registry.versions()
    assert registry.download(only, "report/checks.json", tmp_path).read_text() == checks.read_text()


def test_a_version_made_elsewhere_meanwhile_wins(registered: Path, registry: Registry, version: ModelVersion) -> None:
    """As if another machine had made version 1 between this one's look and its own version."""
    assert registering.make_version(registry, read_params(), registering.read_tracked(), "") == version
    assert registry.versions() == (version,)


def test_a_tracked_model_is_no_version_until_it_is_registered(
    template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As after `dvc repro`: MLflow has the run, and the registry has nothing."""
    with inside(Path(shutil.copytree(template, tmp_path / "project"))), caplog.at_level("INFO", "tasks"):
        run_stage(track)
        registry = open_registry(read_params().registry)
        assert registry.versions() == () and "`thaw register` makes a version of it" in caplog.text
        run = registry.client.get_run(registering.read_tracked().run_id)
        assert run.info.status == "FINISHED" and run.data.metrics["test.accuracy"] > 0.9
        made = registering.register(read_params(), flow_run="f-2")
        assert (made.made, made.version, made.run_id) == (True, 1, run.info.run_id)
        assert registry.version(1).tags["thaw.flow_run"] == "f-2"


def test_a_model_that_was_tracked_elsewhere_is_not_registered_here(
    registered: Path, empty_store: Path, tmp_path: Path
) -> None:
    """As after `dvc pull` on a second machine with a store of its own."""
    root = Path(shutil.copytree(registered, tmp_path / "pulled", ignore=shutil.ignore_patterns(".thaw")))
    with inside(copy_empty_store(empty_store, root)):
        params = read_params()
        assert not registering.is_tracked(params)
        with pytest.raises(RegistryError, match=r"MLflow has no run .*`thaw run` tracks the model there"):
            registering.register(params)
        run_stage(track)
        assert registering.is_tracked(params) and registering.register(params).version == 1


def test_nothing_is_registered_before_anything_is_tracked(tmp_path: Path) -> None:
    with inside(tmp_path), pytest.raises(BadArtifact, match=r"tracked.json names no MLflow run; `thaw run` makes one"):
        registering.read_tracked()


TRACKING = "mlflow.store.tracking.sqlalchemy_store:SqlAlchemyStore"
MODELS = "mlflow.store.model_registry.sqlalchemy_store:SqlAlchemyStore"
KILLS = (
    f"{TRACKING}.create_experiment",
    f"-{TRACKING}.create_run",
    f"{TRACKING}.create_run",
    f"{TRACKING}.log_inputs",
    f"{TRACKING}.create_logged_model",
    f"-{TRACKING}.finalize_logged_model",
    f"-{TRACKING}.update_run_info",
    f"{TRACKING}.update_run_info",
    "-tasks.stages.track:write_tracked",
    f"{MODELS}.create_registered_model",
    f"-{MODELS}.create_model_version",
    f"{MODELS}.create_model_version",
    f"{MODELS}.set_registered_model_alias",
    "-tasks.registry.registering:write_registered",
)
"""In the order in which they are reached; each try goes on from what the one before has left."""


@pytest.fixture(scope="module")
def tries(template: Path, tmp_path_factory: pytest.TempPathFactory, warm: Path) -> list[dict[str, Any]]:
    """What was left after each kill and two runs in one project, and after two runs at once in another."""
    projects = [Path(shutil.copytree(template, tmp_path_factory.mktemp("tried") / "project")) for _ in range(2)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    found = subprocess.run(
        [warm / "forked", SUPPORT / "killed_tracking.py", *KILLS, "run", "run", f"cd:{projects[1]}", "twice"],
        cwd=projects[0], env=environment | {"PYTHONPATH": str(ROOT)}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return list(json.loads(found.stdout.splitlines()[-1]))


def test_killed_anywhere_it_ends_with_one_version_and_one_run(tries: list[dict[str, Any]]) -> None:
    found = tries[:-1]
    assert [one["codes"] for one in found] == [[-9]] * len(KILLS) + [[0], [0]]
    assert [len(one["versions"]) for one in found] == [0] * 11 + [1] * 5, "a version, once made, is used again"
    for one in found[11:]:
        assert one["runs"] == {one["versions"][0]: "FINISHED"}, "no run that was cut off is left"
    assert not found[-3]["written"] and found[-1]["written"]
    assert found[-1]["aliases"] == [{CHALLENGER: 1}] and not found[-1]["left"]


def test_two_at_once_make_one_version(tries: list[dict[str, Any]]) -> None:
    found = tries[-1]
    assert found["codes"] == [0, 0] and found["written"]
    assert len(found["versions"]) == len(found["runs"]) == 1


# The model


def test_the_model_holds_code_and_tensors_and_no_pickle(model_folder: Path) -> None:
    files = [path for path in model_folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {
        "backbone.safetensors",
        "head.safetensors",
        "pyfunc_model.py",
        "predictor.py",
    }
    for path in files:
        content = path.read_bytes()
        assert path.suffix not in {".pkl", ".pickle", ".pt", ".pth", ".bin", ".pyc"}, path
        assert content[:1] != b"\x80", f"{path} starts as a pickle does"
        assert not zipfile.is_zipfile(io.BytesIO(content)), f"{path} may hold a pickle"
    assert not (model_folder / "code/tasks").exists()


def test_requirements_are_pinned_and_are_what_the_models_code_imports(model_folder: Path) -> None:
    lines = (model_folder / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in lines] == list(REQUIREMENTS)
    assert all("==" in line and "+" not in line for line in lines)
    tree = ast.walk(ast.parse(PYFUNC.read_text()))
    imported = {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.module}
    graph = grimp.build_graph(
        "thaw", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    own = {name for name in imported if name.startswith("thaw")}
    needed = imported | {"mlflow", "numpy", "pandas"} | {up for name in own for up in graph.find_upstream_modules(name)}
    # A review and the gates ask for suspect labels, a model never does: cleanlab is imported there alone, and late.
    # A kind reads its own files with packages that its recipe names, and that a model of that kind alone requires; DICOM files need an extra.
    late = {"cleanlab", "soundfile", "soxr", "pydicom"}
    outside = {name.partition(".")[0] for name in needed} - set(sys.stdlib_module_names) - {"thaw"} - late
    providers = packages_distributions()
    providing = [{one.lower().replace(".", "-") for one in providers[name]} & set(REQUIREMENTS) for name in outside]
    assert all(providing), dict(zip(outside, providing, strict=True))
    assert set.union(*providing) == set(REQUIREMENTS), "and no more than that"


@pytest.mark.parametrize("kind", ["paths", "bytes", "arrays", "grey", "data URL", "lists", "mixed"])
def test_it_takes_images_of_every_kind(model: "mlflow.pyfunc.PyFuncModel", kind: str) -> None:
    import base64

    paths = [str(picture(name)) for name in CLASSES]
    contents = [Path(path).read_bytes() for path in paths]
    arrays = [np.asarray(Image.open(path)) for path in paths]
    given: dict[str, list[Any]] = {
        "paths": paths,
        "bytes": contents,
        "arrays": arrays,
        "grey": [array[:, :, 0] for array in arrays],
        "data URL": [f"data:image/png;base64,{base64.b64encode(content).decode()}" for content in contents],
        "lists": [array.tolist() for array in arrays],
        "mixed": [paths[0], arrays[1]],
    }
    found = model.predict(given[kind])
    assert list(found["label"]) == list(CLASSES)
    assert list(found.columns) == ["label", "confidence", *(f"p_{name}" for name in CLASSES)]
    assert found["confidence"].dtype == np.float32
    assert np.allclose(found.iloc[:, 2:].sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(found.iloc[:, 2:].max(axis=1), found["confidence"])


def test_it_takes_a_table_with_one_column_and_keeps_its_order(model: "mlflow.pyfunc.PyFuncModel") -> None:
    import pandas as pd

    paths = [str(picture(name)) for name in CLASSES] * 40
    found = model.predict(pd.DataFrame({"image": paths}))
    assert list(found["label"]) == list(CLASSES) * 40 and list(found.index) == list(range(80))


def test_it_takes_a_batch_as_one_array_a_column_and_nothing_at_all(model: "mlflow.pyfunc.PyFuncModel") -> None:
    import pandas as pd

    batch = np.stack([np.asarray(Image.open(picture(name))) for name in CLASSES])
    assert list(model.predict(batch)["label"]) == list(CLASSES)
    assert list(model.predict(pd.Series([str(picture("dark"))], index=[7]))["label"]) == ["dark"]
    assert model.predict([]).shape == (0, 4)


@pytest.mark.parametrize("given", ["photo.png", b"bytes", {"a": 1}])
def test_what_is_no_list_of_images_is_refused(model: "mlflow.pyfunc.PyFuncModel", given: object) -> None:
    with pytest.raises(ValueError, match="a list of examples, or a table with one column of them, is taken"):
        model.predict(given)


def test_a_table_of_more_columns_is_refused(model: "mlflow.pyfunc.PyFuncModel") -> None:
    import pandas as pd

    with pytest.raises(ValueError, match="a table with 2 columns given"):
        model.predict(pd.DataFrame({"image": ["a"], "label": ["b"]}))


def test_it_says_what_its_output_looks_like(model: "mlflow.pyfunc.PyFuncModel") -> None:
    signature = model.metadata.signature
    assert signature.outputs.input_names() == ["label", "confidence", *(f"p_{name}" for name in CLASSES)]
    example = model.input_example
    assert example is not None and model.predict(example).shape == (1, 4)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("nowhere.png", r"row 1 \(nowhere.png\) is no image that can be used: No such file"),
        (b"no picture", "row 1 is no image that can be used: is not an image"),
        (b"", r"row 1 .*empty"),
        (None, "row 1 .*NoneType; paths, bytes, `data:` URLs and uint8 arrays are taken"),
        (np.zeros((4, 4), np.float32), "row 1 .*an array of float32"),
        (np.zeros((4, 4, 4), np.uint8), r"row 1 .*shape \(4, 4, 4\)"),
        (np.zeros((0, 4), np.uint8), r"row 1 .*shape \(0, 4\)"),
        ([[300]], "row 1 .*from 300 to 300"),
        ("data:image/png;base64,%%%", "row 1 .*is no image"),
    ],
)
def test_a_bad_image_is_named_by_its_row(model: "mlflow.pyfunc.PyFuncModel", bad: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        model.predict([str(picture("dark")), bad])


ELSEWHERE = """
import json, sys
import mlflow
assert "thaw" not in sys.modules
model = mlflow.pyfunc.load_model("models:/photos@champion")
found = model.predict([sys.argv[1]])
import thaw
loaded = {name.split(".")[0] for name in sys.modules}
print(json.dumps([found["label"][0], thaw.__file__, sorted(loaded & {"tasks", "flows", "dvc", "prefect"})]))
"""


def test_it_loads_in_an_empty_folder_without_the_project(registered: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {
        "MLFLOW_TRACKING_URI": f"sqlite:///{registered}/.thaw/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    image = registered / picture("light and bright")
    found = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(image)],
        cwd=tmp_path, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    label, origin, pipeline = json.loads(found.stdout.splitlines()[-1])
    assert label == "light and bright" and pipeline == []
    assert not Path(origin).is_relative_to(ROOT), "the code comes with the model, not from the project"
    assert Path(origin).is_relative_to(registered / ".thaw/mlartifacts")
    assert not list(tmp_path.iterdir())
