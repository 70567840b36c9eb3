"""The trials as a table for plots."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from thaw.foundation.files.atomic import write_text
from thaw.heads.fitted import Trial

COLUMNS = ("l2", "neighbours", "epochs", "log_loss", "accuracy", "chosen")


def write_trials(trials: Sequence[Trial], path: Path) -> None:
    """Write one row a trial as CSV, atomically; a setting that the kind does not have is empty, and `chosen` is 0 or 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for trial in trials:
        setting = trial.setting
        row = (
            setting.l2,
            setting.neighbours,
            setting.epochs,
            trial.log_loss,
            trial.accuracy,
            int(trial.chosen),
        )
        writer.writerow("" if value is None else value for value in row)
    write_text(path, text.getvalue())
