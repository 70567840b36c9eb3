"""The command line, `thaw COMMAND`. Start-up imports typer alone; each command imports what it needs."""

from flows.cli.app import app


def main() -> None:
    """The console command `thaw`."""
    app(prog_name="thaw")
