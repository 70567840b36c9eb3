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
        bool,
        typer.Option("--force", help="Record a refusal again, even if nothing has changed since the last refusal."),
    ] = False,
    json: Json = False,
) -> None:
    """Make the challenger the champion, if no gate in params.yaml refuses it. Ends with 4 if one does.

    The table shows the finding of each gate; data/promotion/promotion.html shows the same table.
    """
    from flows.cli.exits import Exit

    _enter()
    from flows.runs.promote import promote as flow

    promotion = flow(dry_run=dry_run, force=force)
    _say(promotion, dry_run=dry_run, json=json)
    raise typer.Exit(Exit.DONE if promotion.promoted else Exit.REFUSED)


def rollback(
    to: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", help="The former champion that gets the alias.", min=1)
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
    if promotion.page is not None:
        out().print(f"The same as a page: {promotion.page}", style="dim", soft_wrap=True)
