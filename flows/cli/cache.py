"""`thaw cache`: list, check, clear, compact, export and import the cached features."""

from typing import TYPE_CHECKING, Annotated

import typer

from thaw.kinds.kind import IDENTITY

if TYPE_CHECKING:
    from thaw.features.store.store import FeatureStore
    from thaw.features.store.upkeep import CachedLayer

app = typer.Typer(
    help="Look after the cached features in data/features.",
    epilog="Example: thaw cache ls",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.command(short_help="List the cached layers, with their sizes.", epilog="Example: thaw cache ls --json")
def ls(json: Json = False) -> None:
    """List the layers in the cache, with their sizes; * marks what the last run uses."""
    from flows.cli.terminal import out, print_json, table
    from thaw.features.store.upkeep import cached_layers

    store = _store()
    entries, current = cached_layers(store), _current()
    if json:
        print_json({"layers": entries, "current": sorted(current)})
        return
    if not entries:
        out().print("The cache is empty; `thaw run` fills it.")
        return
    columns = ("", "fingerprint", "layer", "backbone", "precision", "rows", "parts", "size")
    rows = (
        (
            "*" if entry.layer.fingerprint in current else "",
            entry.layer.fingerprint[:8],
            _layer(entry),
            entry.architecture,
            entry.precision if entry.precision == entry.dtype else f"{entry.precision} as {entry.dtype}",
            f"{entry.rows:,}",
            str(entry.parts),
            _size(entry.nbytes),
        )
        for entry in entries
    )
    out().print(table(columns, rows, whole=columns))
    out().print(f"{_size(sum(entry.nbytes for entry in entries))} in all", style="dim")


@app.command(short_help="Check every part against its checksums.", epilog="Example: thaw cache verify")
def verify(json: Json = False) -> None:
    """Check every part against its checksums. A damaged one is set aside, and computed again by the next run. Ends with 1 if there was one."""
    from flows.cli.exits import Exit
    from flows.cli.terminal import err, out, print_json
    from thaw.features.store.upkeep import verify as check

    with err().status("checking"):
        verification = check(_store())
    if json:
        print_json(verification)
    else:
        for path in verification.damaged:
            out().print(f"{path} is damaged", style="red", soft_wrap=True)
        out().print(f"{verification.parts} parts checked, {len(verification.damaged)} damaged and set aside")
    raise typer.Exit(Exit.MENDABLE if verification.damaged else Exit.DONE)


@app.command(short_help="Delete what the current run does not need.", epilog="Example: thaw cache gc --dry-run")
def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the files that would be deleted, and delete nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Delete what the current manifest and backbone do not need: other fingerprints, parts of examples that are gone, damaged parts.

    The outputs of frozen layers that fine-tuning cached are deleted too; the next fine-tuning computes them again.
    """
    from flows.cli.terminal import out, print_json
    from flows.dvc.run_lock import run_lock
    from flows.project.environment import enter_project
    from tasks.project.local_state import ACTIVATIONS, CACHE_LOCK
    from tasks.project.paths import FEATURES_INDEX, MANIFEST
    from thaw.dataset.manifest import read_manifest
    from thaw.features.store.store import FeatureStore, read_index
    from thaw.features.store.upkeep import delete, find_garbage, joined
    from thaw.foundation.files.shared_lock import taking_away

    store = _store()
    with run_lock(enter_project(), wait=False), taking_away(CACHE_LOCK):
        # A missing manifest or index raises: without them no file is known to be garbage.
        digests, index = frozenset(read_manifest(MANIFEST).digests), read_index(FEATURES_INDEX)
        garbage = find_garbage(store, {(layer.fingerprint, layer.name): digests for layer in index.stored})
        garbage = joined(garbage, find_garbage(FeatureStore(enter_project() / ACTIVATIONS), {}))
        if not dry_run:
            delete(garbage)
    if json:
        print_json({"files": garbage.paths, "bytes": garbage.nbytes, "deleted": not dry_run})
        return
    outcome = "would be deleted" if dry_run else "deleted"
    for path in garbage.paths:
        out().print(str(path), style="dim", soft_wrap=True)
    out().print(f"{len(garbage.paths)} files, {_size(garbage.nbytes)}, {outcome}")


@app.command(short_help="Join small parts into large ones.", epilog="Example: thaw cache compact")
def compact(json: Json = False) -> None:
    """Join small parts, as many small additions leave them, into full ones."""
    from flows.cli.terminal import out, print_json
    from flows.dvc.run_lock import run_lock
    from flows.project.environment import enter_project
    from tasks.project.local_state import CACHE_LOCK
    from thaw.features.store.upkeep import cached_layers
    from thaw.features.store.upkeep import compact as join
    from thaw.foundation.files.shared_lock import taking_away
    from thaw.params.values.reading import read_params

    store, rows = _store(), read_params().extract.part_rows
    with run_lock(enter_project(), wait=False), taking_away(CACHE_LOCK):
        fewer = sum(join(store, entry.layer, rows) for entry in cached_layers(store))
    if json:
        print_json({"fewer_parts": fewer})
    else:
        out().print(f"{fewer} parts fewer" if fewer else "Nothing to join: no layer has two parts that are not full.")


@app.command(short_help="Write the current features for other tools.", epilog="Example: thaw cache export features/")
def export(
    into: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder that the files are written to.")],
    layer: Annotated[str | None, typer.Option("--layer", help="The cut layer; the last layer if left out.")] = None,
    json: Json = False,
) -> None:
    """Write the current features for other tools: features.npy with digests.npy, features.parquet (path, label, digest, feature as a list) and a card."""
    from pathlib import Path

    from flows.cli.terminal import out, print_json
    from tasks.project.paths import FEATURES_INDEX, MANIFEST
    from thaw.dataset.manifest import read_manifest
    from thaw.features.store.exchange import export_features
    from thaw.features.store.store import read_index

    folder = Path(into).absolute()
    store, examples = _store(), read_manifest(MANIFEST).examples()
    files = export_features(store, read_index(FEATURES_INDEX).layer(layer), examples, folder)
    if json:
        print_json({"files": files})
    else:
        for file in files:
            out().print(str(file), soft_wrap=True)


@app.command(
    name="import",
    short_help="Take in features that were exported elsewhere.",
    epilog="Example: thaw cache import features/features.parquet --dry-run",
)
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="features.parquet or features.npy, as `export` writes them.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, and write nothing.")] = False,
    json: Json = False,
) -> None:
    """Take features into the cache that were exported elsewhere, by the same backbone, preprocessing and precision; others are refused."""
    from pathlib import Path

    from flows.cli.terminal import err, out, print_json
    from tasks.requests.import_features import import_features

    path = Path(file).absolute()
    store = _store()
    with err().status("checking"):
        imported = import_features(path, store, dry_run=dry_run)
    if json:
        print_json({"layer": imported.layer, "rows": imported.rows, "new": imported.new, "written": not dry_run})
    else:
        outcome = "would be written" if dry_run else "written"
        out().print(f"{imported.layer.name}: {imported.rows:,} rows, {imported.new:,} of them new, {outcome}")


def _store() -> "FeatureStore":
    from flows.project.environment import enter_project
    from tasks.project.paths import FEATURES
    from thaw.features.store.store import FeatureStore

    enter_project()
    return FeatureStore(FEATURES)


def _layer(entry: "CachedLayer") -> str:
    """The layer's name, with its view and pooling where they differ from the default."""
    unusual = [entry.layer.view] * (entry.layer.view != IDENTITY) + [entry.pooling] * (entry.pooling in ("max", "gem"))
    return " ".join([entry.layer.name, *unusual])


def _current() -> frozenset[str]:
    """The fingerprints that the last run used; empty before the first run."""
    from tasks.project.paths import FEATURES_INDEX
    from thaw.features.store.store import read_index
    from thaw.foundation.errors import BadArtifact

    try:
        return frozenset(layer.fingerprint for layer in read_index(FEATURES_INDEX).stored)
    except BadArtifact:
        return frozenset()


def _size(nbytes: int) -> str:
    from rich.filesize import decimal

    return decimal(nbytes)
