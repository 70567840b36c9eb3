"""The application: its commands, its help, and the handling of errors in every command."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flows.cli import (
    advise,
    cache,
    check,
    compare,
    config,
    convert,
    doctor,
    export,
    follow,
    init,
    listen,
    models,
    notify,
    predict,
    pretrain,
    promotion,
    rank,
    register,
    reproduce,
    review,
    run,
    schedule,
    serve,
    status,
    trace,
    trigger,
    ui,
    up,
    watch,
)
from flows.cli.during import say_run
from flows.cli.exits import MEANINGS, Exit
from flows.cli.terminal import say_error
from flows.prefect_server.running_server import lost_server_message
from flows.processes.interruption import ended_at_once
from flows.project.errors import StageFailed
from tasks.project.entry import of_the_machine
from thaw.foundation.errors import ThawError

_FLOWS = frozenset({"run", "advise", "compare", "rank", "promote", "rollback", "predict", "watch"})
"""The commands that are a Prefect flow in this process."""
_READING = frozenset(
    {"status", "models", "check", "predict", "watch", "trace", "review", "export", "promote", "rollback"}
)
"""The commands that read what a run writes."""
GROUPS = {
    "Run": ("init", "check", "config", "run", "status"),
    "Decide": ("advise", "compare", "rank", "review", "models", "register", "promote", "rollback"),
    "Use": ("predict", "watch", "serve", "trigger", "listen", "export"),
    "Operate": (
        "up",
        "ui",
        "schedule",
        "follow",
        "notify",
        "cache",
        "trace",
        "reproduce",
        "convert",
        "pretrain",
        "doctor",
    ),
}
"""The groups of the help, and the commands of each in its order."""
_WORDS = "thaw.words"
"""The key of the command line's words in the context of Click."""


class Commands(TyperGroup):
    """Turns an error that the user can correct into one line and an exit code; other errors keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return self._invoke(ctx)
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
            _say_interrupted()
            raise typer.Exit(Exit.INTERRUPTED) from error
        except Exception as error:
            if not (line := lost_server_message(error)):
                raise
            say_error(line)
            raise typer.Exit(Exit.MENDABLE) from error

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(map(len, self.commands))
        limit = formatter.width - 6 - width
        for title, names in GROUPS.items():
            with formatter.section(title):
                rows = [(name.ljust(width), self.commands[name].get_short_help_str(limit)) for name in names]
                formatter.write_dl(rows)

    def _invoke(self, ctx: Any) -> Any:
        words = ctx.meta[_WORDS]
        command = next((word for word in words if word in self.commands), "")
        if command in _READING and not {"-h", "--help"}.intersection(words):
            say_run(Path.cwd())
        if command not in _FLOWS:
            return super().invoke(ctx)
        with ended_at_once(_say_interrupted):
            return super().invoke(ctx)


def _say_interrupted() -> None:
    say_error("interrupted; what is finished is kept, and the same command goes on from there")


_CODES = "\n".join(f"  {int(code):<4} {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    cls=Commands,
    name="thaw",
    help="Turn labelled examples into a registered, promoted model, and keep it fresh.",
    epilog=f"\b\nExit codes:\n{_CODES}\n\nExample: thaw run",
    rich_markup_mode=None,  # plain help starts in a third of the time
    no_args_is_help=True,
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


app.command(short_help="Make a new project, or bring one up to date.", epilog="Example: thaw init birds --example own")(
    init.init
)
app.command(
    short_help="Bring every stage up to date, then promote the new model.", epilog="Example: thaw run --stage head"
)(run.run)
app.command(
    short_help="Show each stage's state, the last metrics and the aliases.", epilog="Example: thaw status --json"
)(status.status)
app.command(
    short_help="Say which strategy pays, and what more labels would bring.", epilog="Example: thaw advise --json"
)(advise.advise)
app.command(
    short_help="Certify which strategy wins on the same test set.",
    epilog="Example: thaw compare --strategies linear,cut,full",
)(compare.compare)
app.command(
    short_help="Rank backbones for your data by linear probes.",
    epilog="Example: thaw rank --backbones resnet18,mobilenet_v2,resnet18.random",
)(rank.rank)
app.command(
    short_help="List suspect labels, near-copies, and what to label next.",
    epilog="Example: thaw review --apply review.csv --dry-run",
)(review.review)
app.command(short_help="Make a version of the last model, as the challenger.", epilog="Example: thaw register --json")(
    register.register
)
app.command(
    short_help="Make the challenger the champion, if no gate refuses it.", epilog="Example: thaw promote --dry-run"
)(promotion.promote)
app.command(
    short_help="Give the alias `champion` back to the version before.", epilog="Example: thaw rollback --to 3 --dry-run"
)(promotion.rollback)
app.add_typer(models.app, name="models", short_help="List the versions of the model, and every move of the champion.")
app.command(
    short_help="Label new files, any number of them.",
    epilog="Example: thaw predict new_photos s3://bucket/photos --out monday",
)(predict.predict)
app.command(
    short_help="Label new files, and say whether they have drifted.", epilog="Example: thaw watch new_photos --retrain"
)(watch.watch)
app.command(
    short_help="Train a trigger word from some clips of it.",
    epilog="Example: thaw trigger jarvis clips/jarvis --others recordings",
)(trigger.trigger)
app.command(
    short_help="Report a trigger word in a file, a pipe or the microphone.",
    epilog="Example: arecord -f S16_LE -r 16000 | thaw listen - --json",
)(listen.listen)
app.command(short_help="Answer over HTTP, with a page to try the model on.", epilog="Example: thaw serve --port 8080")(
    serve.serve
)
app.command(
    short_help="Write a model as one graph, for use without Thaw.",
    epilog="Example: thaw export --format torch --out digits",
)(export.export)
app.command(
    short_help="Say where a model version comes from.", epilog="Example: thaw trace champion --graph lineage.html"
)(trace.trace)
app.command(
    short_help="Rebuild a model version, and compare it with the original.",
    epilog="Example: thaw reproduce champion --dry-run",
)(reproduce.reproduce)
app.command(
    short_help="Serve every page and run every schedule, until Ctrl-C.", epilog="Example: thaw up --settle 300"
)(up.up)
app.command(short_help="Serve MLflow, Prefect and the report, until Ctrl-C.", epilog="Example: thaw ui")(ui.ui)
app.command(
    short_help="Put the deployments of prefect.yaml on the Prefect server.", epilog="Example: thaw schedule --dry-run"
)(schedule.schedule)
app.command(
    short_help="Start a run whenever the source's files have changed.", epilog="Example: thaw follow --settle 300"
)(follow.follow)
app.add_typer(notify.app, name="notify", short_help="Tell people of runs that fail, are late or complete.")
app.command(
    short_help="Make a backbone of another program's file.",
    epilog="Example: thaw convert glove.6B.50d.txt glove.safetensors",
)(convert.convert)
app.command(
    short_help="Pretrain an encoder on texts of your own.",
    epilog="Example: thaw pretrain --encoder quick_thought --corpus novels.txt.xz --out novels.safetensors",
)(pretrain.pretrain)
app.command(short_help="Check parameters, data, weights and environment.", epilog="Example: thaw check")(check.check)
app.command(short_help="Print what a report of a defect needs, without your data.", epilog="Example: thaw doctor")(
    doctor.doctor
)
app.add_typer(config.app, name="config")
app.add_typer(cache.app, name="cache")
