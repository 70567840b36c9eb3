"""`thaw notify`: the people who get a message when a flow run fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from flows.prefect_server.notification_events import Occasion

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

app = typer.Typer(
    help="Tell people when a flow run fails, is late or completes: by the Prefect server, as automations.",
    epilog="Example: thaw notify add team https://hooks.slack.com/services/...",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="The name of the notification, such as `team`.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


@app.command(epilog="Example: thaw notify add team https://hooks.slack.com/services/... --on failed --on late")
def add(
    name: Name,
    address: Annotated[
        str,
        typer.Argument(
            help="A web hook (https://...: Slack, Teams, or any service that takes JSON with `subject` and `body`), or an address "
            "of Apprise, such as mailtos://USER:PASSWORD@HOST?to=WHOM."
        ),
    ],
    on: Annotated[
        list[Occasion] | None, typer.Option(help="The state of a run to report; may be repeated; `failed` if left out.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Set up a notification, or change the one of that name. The address is kept as a secret on the Prefect server."""
    from flows.cli.terminal import out

    with _server() as client:
        from flows.prefect_server import notifications

        notice, block = notifications.plan(name, address, tuple(on or [Occasion.FAILED]))
        if dry_run:
            out().print(f"Dry run, nothing was changed. Would set up: {notice}", soft_wrap=True)
            return
        is_new = notifications.add(client, notice, block)
    out().print(f"{'Set up' if is_new else 'Changed'}: {notice}. `thaw notify test {name}` tries it.", soft_wrap=True)


@app.command(name="list", epilog="Example: thaw notify list --json")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """List the notifications."""
    from flows.cli.terminal import out, print_json, table

    with _server() as client:
        from flows.prefect_server import notifications

        notices = notifications.notices(client)
    if json:
        print_json(list(notices))
    elif notices:
        rows = ((notice.name, ", ".join(notice.on), notice.to) for notice in notices)
        out().print(table(("name", "reports runs that are", "to"), rows, whole=["name"]))
    else:
        out().print("There are no notifications; `thaw notify add NAME ADDRESS` sets one up.")


@app.command(epilog="Example: thaw notify remove team --dry-run")
def remove(name: Name, dry_run: DryRun = False) -> None:
    """Remove a notification, and its address."""
    from flows.cli.terminal import out

    with _server() as client:
        from flows.prefect_server import notifications

        notice = notifications.find_notice(client, name)
        if dry_run:
            out().print(f"Dry run, nothing was changed. Would remove: {notice}", soft_wrap=True)
            return
        notifications.remove(client, name)
    out().print(f"Removed: {notice}", soft_wrap=True)


@app.command(epilog="Example: thaw notify test team")
def test(name: Name) -> None:
    """Send a test message, from this machine."""
    from flows.cli.terminal import out

    with _server() as client:
        from flows.prefect_server import notifications

        notifications.send_test(client, name)
    out().print(f"Sent a test message to {name}.")


@contextmanager
def _server() -> "Iterator[SyncPrefectClient]":
    """A client of the Prefect server of `thaw up`, or of the server in PREFECT_API_URL."""
    from flows.prefect_server.running_server import need_prefect_server
    from flows.project.environment import enter_project, quiet_console

    root = enter_project()
    quiet_console()
    need_prefect_server(root)
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client
