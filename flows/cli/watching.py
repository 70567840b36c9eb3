"""The progress of a run on the terminal: a line for each stage that starts or ends, and the stage's output in between."""

import threading
import time
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from flows.cli.terminal import err
from flows.dvc.output_parser import Outcome
from flows.dvc.reproduce import Result
from flows.dvc.run_lock import Holder
from flows.processes.interruption import on_interruption

_STYLES = {
    Outcome.RAN: ("✓", "green"),
    Outcome.RESTORED: ("✓", "green"),
    Outcome.UP_TO_DATE: ("·", "dim"),
    Outcome.BUSY: ("…", "yellow"),
    Outcome.TRANSIENT: ("…", "yellow"),
}


def say_wait(holder: Holder) -> None:
    """Print the holder of the lock that this run waits for."""
    err().print(Text(f"{holder}; waiting for it (Ctrl-C to give up)", style="yellow"), soft_wrap=True)


class Printed:
    """A watcher that prints to standard error.

    On a terminal the running stages are at the bottom, each with its time and latest line. Elsewhere each line of
    a stage is printed as it arrives.
    """

    def __init__(self) -> None:
        self._spinners: dict[str, Spinner] = {}
        self._since: dict[str, float] = {}
        self._latest: dict[str, str] = {}
        self._any = False
        self._preparing = ""
        self._guard = threading.Lock()
        self._live = Live(console=err(), get_renderable=self._bottom, transient=True, refresh_per_second=8)

    def __enter__(self) -> "Printed":
        if err().is_terminal:
            on_interruption(self._live.stop, first=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if err().is_terminal:
            self._live.stop()

    def prepares(self, what: str) -> None:
        """Say what the run does before its first stage, in a few words."""
        with self._guard:
            self._preparing = what
        if not err().is_terminal:
            self._print(Text(f"  {what}", style="dim"))

    def waits(self, holder: Holder) -> None:
        say_wait(holder)

    def starts(self, stage: str) -> None:
        with self._guard:
            self._any = True
            self._since[stage] = time.monotonic()
            self._spinners[stage] = Spinner("dots")
        if not err().is_terminal:
            self._print(Text(f"  {stage} starts"))

    def says(self, stage: str, line: str) -> None:
        with self._guard:
            self._latest[stage] = line.strip() or self._latest.get(stage, "")
        if not err().is_terminal:
            self._print(Text(f"    {line}", style="dim"))

    def ends(self, result: Result) -> None:
        with self._guard:
            self._any = True
            self._since.pop(result.stage, None)
        mark, style = _STYLES.get(result.outcome, ("✗", "red"))
        line = Text.assemble((f"{mark} ", style), f"{result.stage:<12}", (f"{result.outcome:<11}", style))
        line.append(f"{result.seconds:7.1f} s" if result.seconds else "")
        self._print(line)
        if result.outcome.may_pass:  # the reason of a lasting failure is in the run's last line
            self._print(Text(f"    {result.reason}; trying again soon", style=style))

    def _print(self, line: Text) -> None:
        err().print(line, soft_wrap=True)

    def _bottom(self) -> Group:
        with self._guard:
            if not self._any:
                return Group(Spinner("dots", Text(self._preparing, style="dim")))
            return Group(*(self._row(stage, since) for stage, since in self._since.items()))

    def _row(self, stage: str, since: float) -> Spinner:
        spinner = self._spinners[stage]
        spinner.text = Text.assemble(
            f"{stage:<12}",
            f"{time.monotonic() - since:6.0f} s  ",
            (self._latest.get(stage, ""), "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )
        return spinner
