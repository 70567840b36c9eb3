"""The SMS Spam Collection: an archive of its form, laid where the download would be kept."""

import csv
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from thaw.dataset import builtin, sms_spam
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.downloads import has_sha256
from thaw.kinds.texts.kind import KIND
from thaw.params.sections import DatasetParams

LINES = (
    ("ham", 'Ok lar... "Joking" wif u oni, \'kay?'),
    ("spam", "WINNER!! Claim £900, call 09061701461\tnow"),
    ("ham", '"unbalanced, and a sign \x85 that is no end of a line \u2028 here'),
    ("ham", "I\u2019m gonna be home soon &lt;#&gt;"),
)
TABLE = "".join(f"{label}\t{message}\n" for label, message in LINES).encode()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive would be kept; its address leads to a closed port."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(sms_spam, "ARCHIVE", replace(sms_spam.ARCHIVE, url="http://127.0.0.1:9/sms.zip"))
    return tmp_path / "torch" / "hub" / "datasets" / "sms_spam_collection.zip"


def lay(
    archive: Path, monkeypatch: pytest.MonkeyPatch, content: bytes = TABLE, name: str = "SMSSpamCollection"
) -> None:
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
        made.writestr("readme", "SMS Spam Collection v.1")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(sms_spam, "ARCHIVE", replace(sms_spam.ARCHIVE, sha256=digest))


def test_an_archive_laid_by_hand_becomes_a_table_with_every_message_as_it_was(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(archive, monkeypatch)
    folder = tmp_path / "sources" / "sms_spam"
    write_builtin(folder)
    assert [path.name for path in folder.iterdir()] == ["sms_spam.csv"]
    with (folder / "sms_spam.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["label", "text"], *map(list, LINES)]
    found = ingest(Places(folder / "sms_spam.csv"), DatasetParams(source="x", max_rejected=0), KIND)
    assert [example.label for example in found.manifest.examples()] == [label for label, _ in LINES]


def test_lines_may_end_as_on_windows_and_the_last_one_need_not_end() -> None:
    assert sms_spam.rows_in(b"ham\ta\r\nspam\tb", Path("x")) == [("ham", "a"), ("spam", "b")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"label\ttext\nham\tx\n", "line 1 of `SMSSpamCollection` is no `ham` or `spam`"),
        (b"ham\tx\nspam\n", "line 2"),
        (b"ham\t\xff\n", "is no UTF-8"),
    ],
)
def test_another_table_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    lay(archive, monkeypatch, content)
    with pytest.raises(BadArtifact, match=why):
        write_builtin(tmp_path / "sms_spam")
    assert not (tmp_path / "sms_spam").exists()


def test_another_archive_is_refused(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(archive, monkeypatch, name="../SMSSpamCollection")
    with pytest.raises(BadArtifact, match="it has no `SMSSpamCollection`"):
        write_builtin(tmp_path / "sms_spam")
    archive.write_bytes(b"PK another")
    with pytest.raises(BadArtifact, match="damaged or another file than"):
        write_builtin(tmp_path / "sms_spam")


def test_without_network_it_says_where_to_lay_the_file(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="lay the file at") as raised:
        write_builtin(tmp_path / "sms_spam")
    assert str(archive) in str(raised.value)


def test_licence_and_size_are_told() -> None:
    told = str(builtin.DOWNLOADS["sms_spam"])
    assert told == "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip (licence: CC BY 4.0, 203 kB)"
    assert builtin.DOWNLOADS.keys() <= builtin.BUILTIN.keys()
    sha256 = builtin.DOWNLOADS["sms_spam"].sha256
    assert sha256 is not None and len(sha256) == 64 and not has_sha256(sha256)(Path(__file__))
