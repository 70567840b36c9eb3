"""The command line: `thaw COMMAND`. Start-up imports typer and nothing heavier; each command imports what it needs."""

from flows.cli.app import app


def main() -> None:
    """The console command `thaw`."""
    app()
