"""`thaw promote` and `thaw rollback`: the flows of the same names."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.registry.promotion import Promotion

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def promote(
    dry_run: DryRun = False,
    force: Annotated[
        bool, typer.Option("--force", help="Record a refusal again, even if nothing has changed since.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the challenger the champion, if no gate in params.yaml refuses it. Ends with 4 if one does.

    The table says what each gate found; data/promotion/promotion.html shows the same.
    """
    from flows.cli.exits import Exit

    _enter()
    from flows.runs.promote import promote as flow

    found = flow(dry_run=dry_run, force=force)
    _say(found, dry_run=dry_run, json=json)
    raise typer.Exit(Exit.DONE if found.promoted else Exit.REFUSED)


def rollback(
    to: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", help="The former champion that gets it.", min=1)
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Give the alias `champion` back to the version that had it before."""
    _enter()
    from flows.runs.promote import rollback as flow

    _say(flow(to=to, dry_run=dry_run), dry_run=dry_run, json=json)


def _enter() -> None:
    from flows.prefect_server.running_server import use_running_server
    from flows.project.environment import enter_project, quiet_console

    root = enter_project()
    quiet_console()
    use_running_server(root)


def _say(found: "Promotion", *, dry_run: bool, json: bool) -> None:
    from flows.cli.terminal import out, print_json, table

    if json:
        print_json(found)
        return
    if found.gates:
        rows = ((one.gate, one.title, one.words) for one in found.gates)
        out().print(table(("gate", "outcome", "what it found"), rows, whole=("gate", "outcome")))
    would = "Dry run, nothing was changed: " if dry_run else ""
    out().print(
        f"{would}{found.name}: {found}", style="green" if found.promoted else "yellow", soft_wrap=True, markup=False
    )
    if found.page is not None:
        out().print(f"The same as a page: {found.page}", style="dim", soft_wrap=True)
