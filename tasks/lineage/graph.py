"""A version's lineage as a graph: aliases, version, run, stages with their outputs, manifest and examples, beside commit, flow run and promotions."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.lineage.lineage import Lineage
from tasks.lineage.wording import NOT_RECORDED, commit_words, data_words, machine_words, moment, training_words
from tasks.project.dvc_lock import LockedStage
from tasks.registry.registry import KEY
from thaw.lineage.graph import Graph, Node

_SHORT = 10
"""The number of letters of a hash in a box; the pointer shows the whole hash."""


def graph_of(lineage: Lineage) -> Graph:
    """The lineage as boxes, with an edge from each box to its origins."""
    stages = lineage.stages if any(stage.deps for stage in lineage.stages) else ()
    aliases = [f"alias {name}" for name in lineage.version.aliases]
    beside = ("promotion", "commit", "flow run", "machine")
    edges = [
        *((alias, "version") for alias in aliases),
        *(("version", key) for key in ("run", *beside)),
        *(("run", f"stage {stage.name}") for stage in stages),
        *_between(stages),
        *((f"stage {name}", "manifest") for name in _writers(stages)),
        ("run", "manifest"),
        *((("run", "outputs"),) if lineage.stages and not stages else ()),
        ("manifest", "examples"),
    ]
    records = (*_aliases(lineage), *_records(lineage), *map(_stage, stages), *_outputs(lineage), *_data(lineage))
    return Graph(records, tuple(edges))


def _aliases(lineage: Lineage) -> Iterator[Node]:
    for name in lineage.version.aliases:
        yield Node(f"alias {name}", "registry", name, ("alias in MLflow",))


def _records(lineage: Lineage) -> Iterator[Node]:
    version, run, commit = lineage.version, lineage.run, lineage.commit
    key = version.tags.get(KEY, "")
    yield Node(
        "version",
        "registry",
        f"{version.name}, version {version.number}",
        (moment(version.created), f"key {key[:_SHORT]}"),
        f"{version.uri}\nkey {key}",
    )
    last = lineage.promotions[-1] if lineage.promotions else None
    if last is None:
        yield Node("promotion", "missing", "promotion", ("none so far",))
    else:
        yield Node("promotion", "record", f"promotion: {last.kind}", (last.when, f"by {last.who}"), last.reason)
    if run is None:
        yield Node("run", "missing", "MLflow run", ("gone",), version.run_id)
    else:
        yield Node("run", "record", "MLflow run", (run.id[:_SHORT], moment(run.started)), f"{run.id}\n{run.store}")
    yield _known("commit", "Git commit", commit_words(commit), None if commit is None else commit.id)
    yield _known("flow run", "Prefect flow run", lineage.flow_run)
    yield _known("machine", "made with", machine_words(lineage))


def _known(key: str, title: str, words: str | None, whole: str | None = None) -> Node:
    if words is None:
        return Node(key, "missing", title, (NOT_RECORDED,))
    return Node(key, "record", title, tuple(words.split(", ")), whole or words)


def _stage(stage: LockedStage) -> Node:
    outs = tuple(f"{Path(out.path).name} {out.md5[:_SHORT]}" for out in stage.outs)
    whole = "\n".join(f"{out.path}  {out.md5}" for out in stage.outs)
    return Node(f"stage {stage.name}", "stage", stage.name, outs, whole)


def _outputs(lineage: Lineage) -> Iterator[Node]:
    """One box with the outputs of all stages, for a version without a record of the stages' inputs."""
    if lineage.stages and not any(stage.deps for stage in lineage.stages):
        outs = tuple(f"{out.path} {out.md5[:_SHORT]}" for stage in lineage.stages for out in stage.outs)
        yield Node("outputs", "stage", "outputs in dvc.lock", outs)


def _data(lineage: Lineage) -> Iterator[Node]:
    dataset, training = lineage.dataset, lineage.training
    if dataset is None:
        yield Node("manifest", "missing", "manifest", ("gone",))
    else:
        yield Node(
            "manifest",
            "data",
            "manifest",
            (f"BLAKE3 {dataset.manifest[:_SHORT]}", data_words(dataset, lineage.words)),
            dataset.manifest,
        )
    if training is None:
        yield Node("examples", "missing", f"training {lineage.words.many}", (NOT_RECORDED,))
    else:
        source = "" if dataset is None or dataset.source is None else f"from {dataset.source}"
        yield Node(
            "examples", "data", f"training {lineage.words.many}", (training_words(training, lineage.words), source)
        )


def _between(stages: Sequence[LockedStage]) -> Iterator[tuple[str, str]]:
    """The edges from each stage to the stages whose outputs it read."""
    writers = {out.path: stage.name for stage in stages for out in stage.outs}
    for stage in stages:
        for dep in stage.deps:
            writer = next((name for path, name in writers.items() if _is_within(dep.path, path)), None)
            if writer is not None and writer != stage.name:
                yield f"stage {stage.name}", f"stage {writer}"


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _writers(stages: Sequence[LockedStage]) -> list[str]:
    """The names of the stages that wrote the manifest."""
    return [stage.name for stage in stages if any(Path(out.path).name == "manifest.parquet" for out in stage.outs)]
