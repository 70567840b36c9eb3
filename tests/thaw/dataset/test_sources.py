"""What a kind makes of a source: warnings on missing groups, and groups that splits part."""

import sys
from pathlib import Path

import pytest
from made_up_sounds import tone, tones_in_classes, written

from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.dataset.sources import source_of_kind
from thaw.foundation.errors import BadParameters, BadSource
from thaw.kinds.registry import kind_named
from thaw.params.sections import DatasetParams

SOUNDS = kind_named("sounds")


def listing(root: Path, header: str, *rows: str) -> Path:
    for name in ("a.wav", "b.wav", "c.wav"):
        (root / name).write_bytes(written(tone(hertz=100 * ord(name[0]) - 9000)))
    (root / "list.csv").write_text("\n".join((header, *rows)) + "\n")
    return root


def test_sounds_without_groups_are_warned_of(tmp_path: Path) -> None:
    root = tones_in_classes(tmp_path / "tones", 2)
    (warning,) = source_of_kind(SOUNDS, root).warnings
    assert warning.startswith("No sound has a group. If several sounds share the speaker or the recording, name it")
    report = ingest(Places(root), DatasetParams(source=str(root)), SOUNDS).report
    assert warning in report.notes
    assert source_of_kind(kind_named("images"), root).warnings == ()


def test_a_group_answers_the_warning(tmp_path: Path) -> None:
    root = listing(tmp_path, "path,label,group", "a.wav,x,ann", "b.wav,y,ben", "c.wav,y,")
    assert source_of_kind(SOUNDS, root, "list.csv").warnings == ()


def test_splits_that_part_a_group_are_refused(tmp_path: Path) -> None:
    rows = ("a.wav,x,ann,train", "b.wav,y,ann,test", "c.wav,y,ben,train")
    root = listing(tmp_path, "path,label,group,split", *rows)
    with pytest.raises(
        BadSource, match="has groups in more than one split: `ann`; the model would be tested on the speaker or"
    ):
        source_of_kind(SOUNDS, root, "list.csv")
    assert source_of_kind(kind_named("images"), root, "list.csv").candidates, "a note for images"


def test_a_package_that_is_not_installed_is_asked_for_by_its_own_kind_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tones_in_classes(tmp_path / "tones", 2)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(
        BadParameters, match=r"the package soundfile, which is not installed; run `pip install 'thaw\[sounds\]'`"
    ):
        ingest(Places(root), DatasetParams(source=str(root)), SOUNDS)
    with pytest.raises(BadSource, match="has no labelled images"):
        ingest(Places(root), DatasetParams(source=str(root)), kind_named("images"))


def test_a_source_of_sounds_is_no_source_of_images(tmp_path: Path) -> None:
    root = tones_in_classes(tmp_path / "tones", 2)
    with pytest.raises(BadSource, match="holds sounds, and the backbone takes images"):
        ingest(Places(root), DatasetParams(source=str(root)), kind_named("images"))
