"""The table of what was tried."""

from pathlib import Path

import pandas as pd

from thaw.heads import fit_head
from thaw.heads.trial_table import write_trials
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures


def test_the_table_says_what_the_trials_say(few: LabelledFeatures, tmp_path: Path) -> None:
    head = fit_head(few, None, HeadParams())
    write_trials(head.trials, tmp_path / "trials.csv")
    table = pd.read_csv(tmp_path / "trials.csv")
    assert table["l2"].tolist() == [trial.setting.l2 for trial in head.trials]
    assert table["log_loss"].tolist() == [trial.log_loss for trial in head.trials]
    assert table["chosen"].sum() == 1
    assert table["neighbours"].isna().all()
