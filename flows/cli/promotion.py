"""`thaw promote` and `thaw rollback`: the flows of the same names."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.registry.attempt import Promotion

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def promote(  # noqa: PLR0917  # one parameter an option
    dry_run: DryRun = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Record a refusal again, even if nothing has changed since the last refusal."),
    ] = False,
    override: Annotated[
        str | None,
        typer.Option("--override", metavar="WHY", help="Promote although gates refuse; the reason is kept for good."),
    ] = None,
    release: Annotated[
        int | None,
        typer.Option(
            "--release", metavar="VERSION", min=1, help="Only lift the bar of a version that was rolled back from."
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason of a release.")] = "",
    json: Json = False,
) -> None:
    """Make the challenger the champion, if no gate in params.yaml refuses it. Ends with 4 if one does.

    The table shows the finding of each gate; data/promotion/promotion.html shows the same table.
    """
    from flows.cli.exits import Exit

    if release is not None:
        if override is not None or force or dry_run:
            raise typer.BadParameter("--release only lifts a bar, and takes no option but --why and --json")
        _release(release, why, json=json)
        return
    if why:
        raise typer.BadParameter("--why is the reason of --release; --override takes its own")
    if override is not None and not override.strip():
        raise typer.BadParameter('give the reason: --override "the new camera"')
    ready = _enter()
    from flows.runs import promote as flows

    ready()
    promotion = (
        flows.promote(dry_run=dry_run, force=force)
        if override is None
        else flows.override(override.strip(), dry_run=dry_run)
    )
    _say(promotion, dry_run=dry_run, json=json)
    raise typer.Exit(Exit.DONE if promotion.promoted else Exit.REFUSED)


def rollback(
    to: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", help="The former champion that gets the alias.", min=1)
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for later readers.")] = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Give the alias `champion` back to the version that had it before, and bar the version that it leaves.

    A barred version is not promoted again until `thaw promote --release` lifts the bar.
    """
    ready = _enter()
    from flows.runs.promote import rollback as flow

    ready()
    _say(flow(to=to, why=why, dry_run=dry_run), dry_run=dry_run, json=json)


def _release(version: int, why: str, *, json: bool) -> None:
    from flows.cli.terminal import out, print_json
    from flows.project.environment import enter_project
    from tasks.registry.bars import release
    from thaw.params.values.reading import read_params

    enter_project()
    words = release(read_params(), version, why=why)
    if json:
        print_json({"version": version, "released": True, "says": words})
    else:
        out().print(words, style="green", soft_wrap=True, markup=False)


def _enter() -> "Callable[[], None]":
    """Go to the project, and begin its Prefect server; returns a function that waits until it answers."""
    from flows.prefect_server.run_server import begin
    from flows.project.environment import enter_project, quiet_console

    root = enter_project()
    quiet_console()
    return begin(root)


def _say(promotion: "Promotion", *, dry_run: bool, json: bool) -> None:
    from flows.cli.terminal import out, print_json, table

    if json:
        print_json(promotion)
        return
    if promotion.gates:
        rows = ((outcome.gate, outcome.title, outcome.words) for outcome in promotion.gates)
        out().print(table(("gate", "outcome", "finding"), rows, whole=("gate", "outcome")))
    prefix = "Dry run, nothing was changed: " if dry_run else ""
    out().print(
        f"{prefix}{promotion.name}: {promotion}",
        style="green" if promotion.promoted else "yellow",
        soft_wrap=True,
        markup=False,
    )
    if promotion.test_rows:
        out().print(promotion.test_rows, style="dim", soft_wrap=True, markup=False)
    if promotion.page is not None:
        out().print(f"The same as a page: {promotion.page}", style="dim", soft_wrap=True)
