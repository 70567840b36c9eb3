"""`thaw reproduce`: rebuild a version in a clean checkout at its commit, and compare it with the recorded version."""

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
        Path | None, typer.Option(metavar="FOLDER", help="Rebuild the version in this folder, and keep the folder.")
    ] = None,
    commit: Annotated[
        str | None,
        typer.Option(
            help="The commit to rebuild at, for a version from uncommitted changes that have been committed since."
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="The largest difference of a probability or metric that still agrees.")
    ] = 0.01,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check whether all inputs of the rebuild are available.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rebuild a model version from its commit and its data, and say whether metrics and predictions agree. Ends with 6 if not.

    The rebuild happens in its own clone: your files, the registry and the champion stay as they are. Examples come from DVC's remote or cache,
    or from their original place, if each still has the recorded digest.
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
    from thaw.params.values.reading import read_params

    try:
        with ended_by_signals(), scratch_folder(root, "reproduce") as scratch:
            registry, recorded_version = find_version(open_registry(read_params().registry), version)
            at = None if commit is None else find_commit(root, commit)
            (recorded := scratch / "recorded").mkdir()
            recipe = read_recipe(registry, recorded_version, recorded, at)
            checkout = folder or scratch / "checkout"
            if dry_run:
                _plan(root, recipe, checkout, json=json)
            else:
                _rebuild(root, recipe, checkout, tolerance, json=json, folder=folder)
    except KeyboardInterrupt:
        say_error("interrupted; your project is as it was")
        raise typer.Exit(Exit.INTERRUPTED) from None


def _free(folder: Path) -> Path:
    """The folder, with its parents made; raises BadParameter if the folder exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise typer.BadParameter(f"{folder} exists and is not empty; name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _plan(root: Path, recipe: "Recipe", checkout: Path, *, json: bool) -> None:
    from dataclasses import asdict

    from flows.cli.exits import Exit
    from flows.cli.terminal import out, print_json
    from flows.rebuild.rebuild import plan

    rebuild_plan = plan(root, recipe, checkout)
    if json:
        print_json({"version": recipe.version.uri, "possible": rebuild_plan.possible, **asdict(rebuild_plan)})
    else:
        out().print(f"{recipe.version.uri} would be rebuilt at commit {rebuild_plan.commit[:12]}, from", soft_wrap=True)
        _say_plan(rebuild_plan)
        if rebuild_plan.possible:
            out().print("All inputs are available.", style="green")
    raise typer.Exit(Exit.DONE if rebuild_plan.possible else Exit.MENDABLE)


def _say_plan(plan: "Plan") -> None:
    from flows.cli.terminal import out, say_error

    for supply in plan.supplies:
        out().print(f"  {supply.path}: {supply.origin}", soft_wrap=True, markup=False)
        for state, paths in (("gone", supply.gone), ("changed", supply.changed)):
            for path in paths:
                say_error(f"    {state}: {path}")
    for package in plan.packages:
        out().print(f"  another version is installed: {package}", style="yellow", soft_wrap=True)
    if plan.processors is not None:
        out().print(f"  made on {plan.processors[0]}, this is {plan.processors[1]}", style="yellow", soft_wrap=True)


def _rebuild(
    root: Path, recipe: "Recipe", checkout: Path, tolerance: float, *, json: bool, folder: Path | None
) -> None:
    from flows.cli.exits import Exit
    from flows.cli.terminal import print_json
    from flows.cli.watching import Printed
    from flows.rebuild.rebuild import rebuild

    with Printed() as printed:
        rebuilt = rebuild(root, recipe, checkout, printed, tolerance)
    agreement = rebuilt.agreement
    if json:
        values = {"version": recipe.version.uri, "agrees": agreement.agrees, "folder": folder}
        print_json(values | {name: getattr(rebuilt, name) for name in ("plan", "agreement", "outputs", "seconds")})
    else:
        _tell(recipe, rebuilt)
        if folder is not None:
            from flows.cli.terminal import out

            out().print(f"Left in {folder}", style="dim", soft_wrap=True)
    raise typer.Exit(Exit.DONE if agreement.agrees else Exit.DIFFERS)


def _tell(recipe: "Recipe", rebuilt: "Rebuilt") -> None:
    from flows.cli.terminal import out

    screen, agreement = out(), rebuilt.agreement
    screen.print()
    screen.print(
        f"{recipe.version.uri} rebuilt at commit {rebuilt.plan.commit[:12]} in {rebuilt.seconds:.0f} s, from",
        soft_wrap=True,
    )
    _say_plan(rebuilt.plan)
    for name, value in _lines(rebuilt):
        screen.print(f"{name:<14} {value}", soft_wrap=True, markup=False)
    if agreement.agrees:
        screen.print(f"It agrees, within {agreement.tolerance:g}.", style="green")
    else:
        screen.print(f"It does not agree within {agreement.tolerance:g}.", style="red")
    if agreement.largest_difference > 0:
        screen.print(_WHY, style="dim")


_WHY = (
    "Another processor, number of threads or version of PyTorch adds the same numbers in another order and rounds them otherwise. "
    "Training carries the difference on, so the comparison uses a tolerance instead of equal bytes."
)


def _lines(rebuilt: "Rebuilt") -> Iterator[tuple[str, str]]:
    agreement = rebuilt.agreement
    yield "manifest", "the same, example by example"
    unpaired = f"; {agreement.missing} missing, {agreement.added} new" if agreement.missing or agreement.added else ""
    labels = "" if agreement.same_truth else "; they do not have the same labels"
    yield "test examples", f"{agreement.rows} in common{unpaired}{labels}"
    yield "labels", f"{agreement.labels_equal:.2%} equal"
    largest = agreement.largest_difference
    yield "probabilities", f"largest difference {largest:.2g}" if largest else "equal, bit for bit"
    for metric in agreement.metrics:
        yield metric.name.replace("_", " "), f"{metric.recorded:.4f} as recorded, {metric.rebuilt:.4f} rebuilt"
    same = [path for path, equal in rebuilt.outputs.items() if equal]
    if rebuilt.outputs:
        yield "same bytes", f"{len(same)} of {len(rebuilt.outputs)} outputs: {', '.join(same) or 'none'}"
