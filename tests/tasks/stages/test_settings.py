"""The stage `settings`."""

from pathlib import Path

import pytest

from tasks.project.paths import SETTINGS
from tasks.stages import settings
from thaw.foundation.errors import BadParameters
from thaw.params.values.reading import PARAMS, read_params, read_settings


def test_every_value_is_written_and_the_order_of_the_file_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    PARAMS.write_text("head: {folds: 3}\ndataset: {source: photos}\n")
    settings.main()
    written = SETTINGS.read_bytes()
    assert read_settings(SETTINGS) == read_params() and read_settings(SETTINGS).head.folds == 3
    PARAMS.write_text("dataset:\n  source: photos   # mine\nhead:\n  folds: 3\n")
    settings.main()
    assert SETTINGS.read_bytes() == written


def test_what_is_not_allowed_is_refused_whole_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    PARAMS.write_text("head: {folds: 1}\nwatch: {confidence: 0.9}\n")
    with pytest.raises(
        BadParameters, match=r"head\.folds: 1 given(.|\n)*watch\.confidence: this is statistics\.confidence"
    ):
        settings.main()
    assert not SETTINGS.exists()
