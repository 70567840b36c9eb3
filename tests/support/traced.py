"""Versions with a lineage, on a store of their own: a manifest, a lock and parameters, without a pipeline that would have to run."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from registration import LABELS, copy_empty_store, inside, predictions

from tasks.registry.lineage_files import LINEAGE, write_lineage
from tasks.registry.mlflow_store import experiment_id
from tasks.registry.registry import Registry, open_registry
from thaw.dataset.manifest import Example, build_manifest, write_manifest
from thaw.foundation.files.atomic import digest_file
from thaw.params.sections import RegistryParams
from thaw.params.values.reading import read_params
from thaw.targets.predictions import write_predictions

PARAMS = """\
dataset: {source: photos, labels_per_class: 2}
backbone: {weights: w.pth}
registry: {name: photos}
"""
LOCK = """\
schema: '2.0'
stages:
  ingest:
    cmd: python -m tasks.stages.ingest
    deps:
    - {path: photos, hash: md5, md5: 0123.dir}
    - {path: tasks/stages/ingest.py, hash: md5, md5: 98ab}
    params: {params.yaml: {dataset.source: photos}}
    outs: [{path: data/manifest.parquet, hash: md5, md5: 4567}]
  head:
    cmd: python -m tasks.stages.head
    deps: [{path: data/manifest.parquet, hash: md5, md5: 4567}]
    outs: [{path: data/head, hash: md5, md5: 89ab.dir}]
  register:
    cmd: python -m tasks.stages.register
    deps: [{path: data/head, hash: md5, md5: old.dir}]
    outs: [{path: data/registered.json, hash: md5, md5: old}]
"""


def build_traceable(root: Path, photos: Path) -> None:
    """What a version is traced by, in `root`: the pictures of `photos` are train, two of them test; all of it in a Git commit."""
    (root / "data").mkdir(parents=True)
    rows = []
    for path in sorted(photos.rglob("*")):
        if path.is_file():
            name, split = path.relative_to(photos).as_posix(), "test" if "5." in path.name else "train"
            rows.append(
                Example(digest_file(path), name, path.parent.name, split, None, (24, 32, 3), path.stat().st_size)
            )
    write_manifest(build_manifest(rows), root / "data/manifest.parquet")
    (root / "params.yaml").write_text(PARAMS)
    (root / "dvc.lock").write_text(LOCK)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".gitignore").write_text(".thaw\n")
    git(root, "init", "--quiet")
    commit(root)


@contextmanager
def inside_traceable(root: Path, store: Path, photos: Path) -> Iterator[Registry]:
    """Work in `root`, made by `build_traceable`, with a copy of the empty store in `store`; yields its registry `photos`."""
    copy_empty_store(store, root)
    build_traceable(root, photos)
    with inside(root):
        yield open_registry(RegistryParams(name="photos"))


def commit(root: Path) -> str:
    """Commit everything; returns the commit."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "As it stands")
    return git(root, "rev-parse", "HEAD").strip()


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    return subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def make_traced(registry: Registry, **tags: str) -> int:
    """A version whose run holds the lineage of the working directory, tagged with `thaw.NAME` for each of `tags`."""
    client = registry.client
    run = client.create_run(experiment_id(client, "thaw"))
    client.log_param(run.info.run_id, "dataset.source", "photos")
    client.log_artifact(run.info.run_id, "data/manifest.parquet")
    with TemporaryDirectory() as folder:
        write_lineage(read_params(), Path(folder) / LINEAGE)
        client.log_artifacts(run.info.run_id, str(Path(folder) / LINEAGE), LINEAGE)
        write_predictions(predictions(LABELS, LABELS), Path(folder) / "predictions.parquet")
        client.log_artifact(run.info.run_id, str(Path(folder) / "predictions.parquet"), "report")
        (Path(folder) / "metrics.json").write_text('{"test": {"n": 60, "accuracy": 1.0}}')
        client.log_artifact(run.info.run_id, str(Path(folder) / "metrics.json"), "report")
    if not registry.versions():
        client.create_registered_model(registry.name)
    own = {f"thaw.{name.replace('git_', 'git.')}": value for name, value in tags.items()}
    made = client.create_model_version(registry.name, f"runs:/{run.info.run_id}/model", run.info.run_id, own)
    return int(made.version)
