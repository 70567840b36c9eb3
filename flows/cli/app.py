"""The application: its commands, its help, and what every command does with an error."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flows.cli import (
    advise,
    cache,
    check,
    compare,
    config,
    export,
    follow,
    models,
    notify,
    predict,
    promotion,
    rank,
    reproduce,
    review,
    run,
    schedule,
    serve,
    status,
    trace,
    ui,
    up,
    watch,
)
from flows.cli.exits import MEANINGS, Exit
from flows.cli.terminal import say_error
from flows.prefect_server.running_server import has_gone
from flows.project.errors import StageFailed
from tasks.project.entry import of_the_machine
from thaw.foundation.errors import ThawError


class Commands(TyperGroup):
    """Turns what a user can mend into one line and an exit code; anything else keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ThawError as error:
            say_error(str(error))
            failed = isinstance(error, StageFailed)
            raise typer.Exit(Exit.STAGE_FAILED if failed else Exit.MENDABLE) from error
        except OSError as error:
            if not (line := of_the_machine(error)):
                raise
            say_error(line)
            raise typer.Exit(Exit.MENDABLE) from error
        except KeyboardInterrupt as error:
            say_error("interrupted; what is done stays done, and the next run goes on from there")
            raise typer.Exit(Exit.INTERRUPTED) from error
        except Exception as error:
            if not (line := has_gone(error)):
                raise
            say_error(line)
            raise typer.Exit(Exit.MENDABLE) from error


_CODES = "\n".join(f"  {int(code):<4} {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    cls=Commands,
    name="thaw",
    help="Turn labelled images into a registered, promoted model, and keep it fresh.",
    epilog=f"\b\nExit codes:\n{_CODES}\n\nExample: thaw run",
    rich_markup_mode=None,  # plain help starts in a third of the time
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"thaw {version('thaw')}")
        raise typer.Exit()


@app.callback()
def _thaw(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command(epilog="Example: thaw run --stage head")(run.run)
app.command(epilog="Example: thaw status --json")(status.status)
app.command(epilog="Example: thaw advise --json")(advise.advise)
app.command(epilog="Example: thaw compare --strategies linear,cut,full")(compare.compare)
app.command(epilog="Example: thaw rank --backbones resnet18,mobilenet_v2,resnet18.random")(rank.rank)
app.command(epilog="Example: thaw review --apply review.csv --dry-run")(review.review)
app.command(epilog="Example: thaw promote --dry-run")(promotion.promote)
app.command(epilog="Example: thaw rollback --to 3 --dry-run")(promotion.rollback)
app.add_typer(models.app, name="models")
app.command(epilog="Example: thaw predict new_photos s3://bucket/photos --out monday")(predict.predict)
app.command(epilog="Example: thaw watch new_photos --retrain")(watch.watch)
app.command(epilog="Example: thaw serve --port 8080")(serve.serve)
app.command(epilog="Example: thaw export --format torch --out digits")(export.export)
app.command(epilog="Example: thaw trace champion --graph lineage.html")(trace.trace)
app.command(epilog="Example: thaw reproduce champion --dry-run")(reproduce.reproduce)
app.command(epilog="Example: thaw up --settle 300")(up.up)
app.command(epilog="Example: thaw ui")(ui.ui)
app.command(epilog="Example: thaw schedule --dry-run")(schedule.schedule)
app.command(epilog="Example: thaw follow --settle 300")(follow.follow)
app.add_typer(notify.app, name="notify")
app.command(epilog="Example: thaw check")(check.check)
app.add_typer(config.app, name="config")
app.add_typer(cache.app, name="cache")
