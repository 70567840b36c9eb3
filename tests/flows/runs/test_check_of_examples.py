"""What `thaw check` says of a source: the real cause, and doubts as warnings."""

from pathlib import Path

import pytest
from made_up_sounds import tones_in_classes
from PIL import Image

from flows.runs.data_findings import check_examples
from flows.runs.findings import Finding, Verdict
from thaw.params.sections import Params

NUMBERS = tuple(map(str, range(40)))
FOLDS = tuple(f"fold{number % 2}/{'ab'[number // 2 % 2]}/{number}" for number in range(40))


def checked(root: Path, *names: str, listing: str | None = None) -> Finding:
    for number, name in enumerate(names):
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), number).save(root / "data" / name, "PNG")
    if listing is not None:
        (root / "data/list.csv").write_text(listing)
    dataset = {"source": "data", "max_rejected": 1, "listing": listing and "list.csv"}
    params = Params.model_validate({"dataset": dataset, "backbone": {"weights": "w.pth"}})
    return next(finding for finding in check_examples(root, params) if finding.check == "examples")


def test_splits_by_other_names_pass(tmp_path: Path) -> None:
    finding = checked(tmp_path, "Training/a/1", "Training/b/2", "Testing/a/3", "Testing/b/4")
    assert (finding.verdict, finding.says) == (Verdict.PASS, "4 examples in 2 classes")


@pytest.mark.parametrize(
    ("names", "listing", "words"),
    [
        (FOLDS, None, "top folders hold the same folders inside"),
        (
            NUMBERS,
            "path,label\n" + "".join(f"{name},{'cat' if int(name) % 2 else 'nan'}\n" for name in NUMBERS),
            "are read as classes: `nan` (20 files)",
        ),
    ],
)
def test_doubts_are_warnings(tmp_path: Path, names: tuple[str, ...], listing: str | None, words: str) -> None:
    finding = checked(tmp_path, *names, listing=listing)
    assert finding.verdict is Verdict.WARN
    assert words in finding.says


def checked_sounds(root: Path, listing: str | None) -> Finding:
    tones_in_classes(root / "data", 4)
    if listing is not None:
        (root / "data/list.csv").write_text(listing)
    dataset = {"source": "data", "kind": "sounds", "listing": listing and "list.csv"}
    params = Params.model_validate({"dataset": dataset, "backbone": {"weights": "w.safetensors"}})
    return next(finding for finding in check_examples(root, params) if finding.check == "examples")


def test_sounds_without_groups_are_a_warning(tmp_path: Path) -> None:
    finding = checked_sounds(tmp_path, None)
    assert finding.verdict is Verdict.WARN and "12 examples in 3 classes. No sound has a group." in finding.says


def test_splits_that_part_a_speaker_fail(tmp_path: Path) -> None:
    rows = ("low/00.wav,x,ann,train", "low/01.wav,y,ann,test", "high/00.wav,y,ben,train", "high/01.wav,x,ben,train")
    finding = checked_sounds(tmp_path, "\n".join(("path,label,group,split", *rows)))
    assert finding.verdict is Verdict.FAIL and "groups in more than one split: `ann`" in finding.says


@pytest.mark.parametrize(
    ("names", "listing", "words"),
    [
        (
            ("a/1.png", "b/2.png"),
            "path,label\na/1,x\nb/2,y\n",
            "`a/1` is in the listing, but does not exist; the nearest file is `a/1.png`",
        ),
        (
            ("1", "2", "3", "4"),
            "path,label\n1,x\n2,y\n3x,x\n4x,y\n",
            "2 files cannot be used, and dataset.max_rejected allows 1: `3x`",
        ),
        (("train/1", "train/2", "metadata.csv"), None, "set dataset.listing=metadata.csv"),
    ],
)
def test_failures_name_the_real_cause(tmp_path: Path, names: tuple[str, ...], listing: str | None, words: str) -> None:
    finding = checked(tmp_path, *names, listing=listing)
    assert finding.verdict is Verdict.FAIL
    assert words in finding.says
