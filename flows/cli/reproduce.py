"""`thaw reproduce`: a version rebuilt in a clean checkout at its commit, and whether it is the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.rebuild.rebuild import Plan, Rebuilt
    from tasks.lineage.reproduction import Recipe


def reproduce(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A number, an alias, models:/NAME/3 or models:/NAME@champion.")
    ],
    *,
    keep: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Rebuild it in this folder, and leave it there.")
    ] = None,
    commit: Annotated[
        str | None,
        typer.Option(
            help="The commit to rebuild it at, for a version from uncommitted changes that have been committed since."
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="The largest difference of a probability or metric that still agrees.")
    ] = 0.01,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say whether everything is there that it takes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rebuild a model version from its commit and its data, and say whether metrics and predictions agree. Ends with 6 if not.

    All of it happens in a clone of its own: your files, the registry and the champion stay as they are. Images come from DVC's remote or cache,
    or from where they lay, if each still has the digest that was recorded.
    """
    from flows.cli.exits import Exit
    from flows.cli.stopping import ended_by_signals
    from flows.cli.terminal import say_error
    from flows.project.environment import enter_project

    folder = None if keep is None else _free(keep.absolute())
    root = enter_project()
    from flows.rebuild.checkout import find_commit
    from flows.rebuild.temporary_folder import scratch_folder
    from tasks.lineage.reproduction import read_recipe
    from tasks.registry.registry import open_registry
    from tasks.registry.version_names import find_version
    from thaw.params.reading import read_params

    try:
        with ended_by_signals(), scratch_folder(root, "reproduce") as scratch:
            registry, found = find_version(open_registry(read_params().registry), version)
            at = None if commit is None else find_commit(root, commit)
            (recorded := scratch / "recorded").mkdir()
            recipe = read_recipe(registry, found, recorded, at)
            checkout = folder or scratch / "checkout"
            if dry_run:
                _plan(root, recipe, checkout, json=json)
            else:
                _rebuild(root, recipe, checkout, tolerance, json=json, kept=folder)
    except KeyboardInterrupt:
        say_error("interrupted; your project is as it was")
        raise typer.Exit(Exit.INTERRUPTED) from None


def _free(folder: Path) -> Path:
    """A folder that may be filled."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise typer.BadParameter(f"{folder} is there already, and not empty; name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _plan(root: Path, recipe: "Recipe", checkout: Path, *, json: bool) -> None:
    from dataclasses import asdict

    from flows.cli.exits import Exit
    from flows.cli.terminal import out, print_json
    from flows.rebuild.rebuild import plan

    found = plan(root, recipe, checkout)
    if json:
        print_json({"version": recipe.version.uri, "possible": found.possible, **asdict(found)})
    else:
        out().print(f"{recipe.version.uri} would be rebuilt at commit {found.commit[:12]}, from", soft_wrap=True)
        _say_plan(found)
        if found.possible:
            out().print("Everything that it takes is there.", style="green")
    raise typer.Exit(Exit.DONE if found.possible else Exit.MENDABLE)


def _say_plan(found: "Plan") -> None:
    from flows.cli.terminal import out, say_error

    for supply in found.supplies:
        out().print(f"  {supply.path}: {supply.origin}", soft_wrap=True, markup=False)
        for what, paths in (("gone", supply.gone), ("changed", supply.changed)):
            for path in paths:
                say_error(f"    {what}: {path}")
    for package in found.packages:
        out().print(f"  another version is installed: {package}", style="yellow", soft_wrap=True)
    if found.processors is not None:
        out().print(f"  made on {found.processors[0]}, this is {found.processors[1]}", style="yellow", soft_wrap=True)


def _rebuild(root: Path, recipe: "Recipe", checkout: Path, tolerance: float, *, json: bool, kept: Path | None) -> None:
    from flows.cli.exits import Exit
    from flows.cli.terminal import print_json
    from flows.cli.watching import Printed
    from flows.rebuild.rebuild import rebuild

    with Printed() as printed:
        found = rebuild(root, recipe, checkout, printed, tolerance)
    agreement = found.agreement
    if json:
        values = {"version": recipe.version.uri, "agrees": agreement.agrees, "folder": kept}
        print_json(values | {name: getattr(found, name) for name in ("plan", "agreement", "outputs", "seconds")})
    else:
        _tell(recipe, found)
        if kept is not None:
            from flows.cli.terminal import out

            out().print(f"Left in {kept}", style="dim", soft_wrap=True)
    raise typer.Exit(Exit.DONE if agreement.agrees else Exit.DIFFERS)


def _tell(recipe: "Recipe", found: "Rebuilt") -> None:
    from flows.cli.terminal import out

    screen, agreement = out(), found.agreement
    screen.print()
    screen.print(
        f"{recipe.version.uri} rebuilt at commit {found.plan.commit[:12]} in {found.seconds:.0f} s, from",
        soft_wrap=True,
    )
    _say_plan(found.plan)
    for name, said in _lines(found):
        screen.print(f"{name:<14} {said}", soft_wrap=True, markup=False)
    if agreement.agrees:
        screen.print(f"It agrees, within {agreement.tolerance:g}.", style="green")
    else:
        screen.print(f"It does not agree within {agreement.tolerance:g}.", style="red")
    if agreement.largest_difference > 0:
        screen.print(_WHY, style="dim")


_WHY = (
    "Another processor, number of threads or version of PyTorch adds the same numbers in another order and rounds otherwise, "
    "and training carries that on: so a tolerance stands in the place of equal bytes."
)


def _lines(found: "Rebuilt") -> Iterator[tuple[str, str]]:
    agreement = found.agreement
    yield "images", "the manifest is the same, image by image"
    others = f"; {agreement.missing} missing, {agreement.added} new" if agreement.missing or agreement.added else ""
    labels = "" if agreement.same_truth else "; they do not have the same labels"
    yield "test images", f"{agreement.rows} in common{others}{labels}"
    yield "labels", f"{agreement.labels_equal:.2%} equal"
    largest = agreement.largest_difference
    yield "probabilities", f"largest difference {largest:.2g}" if largest else "equal, bit for bit"
    for one in agreement.metrics:
        yield one.name.replace("_", " "), f"{one.recorded:.4f} as recorded, {one.rebuilt:.4f} rebuilt"
    same = [path for path, equal in found.outputs.items() if equal]
    if found.outputs:
        yield "same bytes", f"{len(same)} of {len(found.outputs)} outputs: {', '.join(same) or 'none'}"
