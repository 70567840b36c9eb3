"""What people said of images."""

from dataclasses import replace
from pathlib import Path

import pytest

from thaw.dataset.corrections import LEAVE_OUT, Correction, correct, merge, read_corrections, write_corrections
from thaw.dataset.manifest import Example
from thaw.foundation.errors import BadTable

ANT = Example(b"a" * 32, "ants/1.png", "ants", "train", None, (1, 1, 3), 9)
BEE = Correction(b"a" * 32, "bees", "ants/1.png")
GONE = Correction(b"b" * 32, None, 'odd, "name".png')


def test_they_come_back_as_they_were_and_in_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write_corrections(merge({}, [BEE, GONE]), first)
    write_corrections(merge({}, [GONE, BEE]), second)
    assert read_corrections(first) == {BEE.digest: BEE, GONE.digest: GONE}
    assert first.read_bytes() == second.read_bytes()
    assert first.read_text().splitlines()[0] == "digest,label,path"
    assert LEAVE_OUT in first.read_text()


def test_a_label_a_confirmation_and_a_removal() -> None:
    corrections = merge({}, [BEE, GONE])
    assert correct(ANT, corrections) == replace(ANT, label="bees")
    assert correct(replace(ANT, digest=GONE.digest), corrections) is None
    other = replace(ANT, digest=b"c" * 32)
    assert correct(other, corrections) is other
    assert correct(replace(ANT, label=None), corrections) == replace(ANT, label="bees"), "an unlabelled one gets one"


def test_the_later_one_holds() -> None:
    again = replace(BEE, label="wasps")
    assert merge({BEE.digest: BEE}, [again]) == {BEE.digest: again}


def test_a_missing_file_holds_none_and_so_does_the_one_in_the_repository(tmp_path: Path) -> None:
    assert read_corrections(tmp_path / "none.csv") == {}
    assert read_corrections(Path("data/corrections.csv")) == {}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (f"{'a' * 64},,ants/1.png", "ants/1.png has no label"),
        (f"{'a' * 63},bees,x", "is no digest"),
        (f"{'x' * 64},bees,x", "is no digest"),
        (f"{'a' * 64},bees,x\n{'a' * 64},ants,x", "has two labels for x"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, rows: str, says: str) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(f"digest,label,path\n{rows}\n")
    with pytest.raises(BadTable, match=says):
        read_corrections(path)


def test_the_same_said_twice_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(f"digest,label,path\n{'a' * 64},bees,x\n{'A' * 64},bees,x\n")
    assert len(read_corrections(path)) == 1
