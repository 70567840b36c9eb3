"""`thaw review`: list suspect labels, near-copies across splits and examples to label next; apply the corrections."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.requests.review import Applied, Reviewed


def review(
    *,
    apply: Annotated[
        Path | None,
        typer.Option(
            "--apply", metavar="FILE.csv", help="Write the corrections of a reviewed table into data/corrections.csv."
        ),
    ] = None,
    new_class: Annotated[
        list[str] | None,
        typer.Option("--new-class", metavar="NAME", help="With --apply: a class that did not exist before."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --apply: show the changes, and change nothing.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="The largest number of findings listed of each sort.")] = 50,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """List labels that look wrong, near-copies across splits and what to label next, as a table and as a page to choose labels on."""
    if apply is None:
        if dry_run or new_class:
            raise typer.BadParameter("--dry-run and --new-class go with --apply FILE.csv")
        _review(limit, open_page=open_page, json=json)
    else:
        _apply(apply.absolute(), new_class or [], dry_run=dry_run, json=json)


def _review(limit: int, *, open_page: bool, json: bool) -> None:
    from flows.cli.terminal import print_json
    from flows.project.environment import enter_project

    root = enter_project()
    from tasks.project.progress import counted
    from tasks.requests.review import review as find

    with counted("compare", "examples") as progress:
        reviewed = find(limit, progress)
    if json:
        print_json(
            {"found": reviewed.totals, "listed": reviewed.listed, "page": reviewed.page, "table": reviewed.table}
        )
    else:
        _say(reviewed)
    if open_page:
        import webbrowser

        webbrowser.open((root / reviewed.page).as_uri())


def _say(reviewed: "Reviewed") -> None:
    from flows.cli.terminal import out, table

    titles = {
        "suspect": "labels that look wrong",
        "duplicate": "pairs of near-copies across splits",
        "unlabelled": "training examples without a label",
    }
    rows = [(titles[kind], str(reviewed.totals[kind]), str(reviewed.listed[kind])) for kind in reviewed.totals]
    out().print(table(("", "found", "listed"), rows, whole=("", "found", "listed")))
    if not any(reviewed.totals.values()):
        out().print("Nothing to review.", style="green")
        return
    out().print(
        f"{reviewed.page}: choose the right labels there and save them as CSV, or fill in {reviewed.table};",
        soft_wrap=True,
    )
    out().print("`thaw review --apply FILE.csv` applies them.", style="dim")


def _apply(file: Path, new_classes: list[str], *, dry_run: bool, json: bool) -> None:
    from contextlib import nullcontext

    from flows.cli.terminal import print_json
    from flows.dvc.run_lock import run_lock
    from flows.project.environment import enter_project

    root = enter_project()
    from tasks.requests.review import apply

    with nullcontext() if dry_run else run_lock(root, wait=False):
        applied = apply(file, new_classes=new_classes, dry_run=dry_run)
    if json:
        print_json({"changes": applied.changes, "file": applied.file, "written": not dry_run})
    else:
        _tell(applied, dry_run=dry_run)


def _tell(applied: "Applied", *, dry_run: bool) -> None:
    from flows.cli.terminal import out, table

    if not applied.changes:
        out().print("Nothing to apply: the column `corrected` holds no new label.")
        return
    rows = ((change.path, change.before or "-", change.after) for change in applied.changes)
    out().print(table(("path", "label", "corrected"), rows, whole=("label", "corrected")))
    would = "Dry run, nothing was written:" if dry_run else f"Written to {applied.file}, which belongs into Git:"
    count = len(applied.changes)
    out().print(
        f"{would} {count} correction{'s' if count > 1 else ''}. `thaw run` trains on them."
        if not dry_run
        else f"{would} {count} correction{'s' if count > 1 else ''}."
    )
