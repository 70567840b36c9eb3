"""Test recordings of triggers, where they can be heard."""

from pathlib import Path

import torch

from tasks.stages.evaluate.trigger import placed
from thaw.dataset.places import Places
from thaw.heads.trigger.tuning import HeardRecording

HEARD = HeardRecording(torch.zeros(0, 96), 0.1, "a", (), 0)


def test_a_piece_is_heard_in_its_recording_and_a_row_of_a_table_nowhere(tmp_path: Path) -> None:
    for name in ("a.flac", "b.csv"):
        (tmp_path / name).touch()
    found = [placed(path, HEARD, Places(tmp_path).at(path)) for path in ("a.flac", "a.flac#t=15,25", "b.csv#1")]
    heard_at = [(each.path, each.file, each.start_s) for each in found]
    assert heard_at == [
        ("a.flac", tmp_path / "a.flac", 0.0),
        ("a.flac#t=15,25", tmp_path / "a.flac", 15.0),
        ("b.csv#1", None, 0.0),
    ]
