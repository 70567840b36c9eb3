"""A version's whole lineage as one JSON object: every stage, package, parameter and training example."""

from dataclasses import asdict

from tasks.lineage.lineage import Lineage


def lineage_json(lineage: Lineage) -> dict[str, object]:
    """Plain values; a value that was not recorded is null."""
    version, run, dataset = lineage.version, lineage.run, lineage.dataset
    return {
        "name": version.name,
        "version": version.number,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "tags": dict(version.tags),
        "commit": None if lineage.commit is None else asdict(lineage.commit),
        "run": None if run is None else {"id": run.id, "store": run.store, "started": run.started.isoformat()},
        "flow_run": lineage.flow_run,
        "fingerprint": lineage.fingerprint,
        "params": None if run is None else dict(run.params),
        "stages": {stage.name: {out.path: out.md5 for out in stage.outs} for stage in lineage.stages} or None,
        "packages": lineage.packages,
        "machine": None if lineage.machine is None else asdict(lineage.machine),
        "dataset": None if dataset is None else asdict(dataset),
        "training": _training(lineage),
        "promotions": [asdict(event) for event in lineage.promotions],
    }


def _training(lineage: Lineage) -> list[dict[str, object]] | None:
    if lineage.training is None:
        return None
    return [
        {"path": example.path, "digest": example.digest.hex(), "labels": list(example.labels)}
        for example in lineage.training
    ]
