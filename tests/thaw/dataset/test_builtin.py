"""The built-in sets as files: digits from scikit-learn, ants and bees from PyTorch's archive."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from thaw.dataset import builtin
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.foundation.errors import BadArtifact, BadSource, Unreachable
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive of ants and bees would be kept; its address leads to a closed port."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(builtin, "HYMENOPTERA_URL", "http://127.0.0.1:9/hymenoptera_data.zip")
    return tmp_path / "torch" / "hub" / "datasets" / "hymenoptera_data.zip"


def photograph(seed: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(content, "JPEG")
    return content.getvalue()


def lay(archive: Path, names: list[str]) -> None:
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as content:
        for seed, name in enumerate(names):
            content.writestr(name, photograph(seed))


WHOLE = [
    f"hymenoptera_data/{split}/{label}/{i}.jpg"
    for split in ("train", "val")
    for label in ("ants", "bees")
    for i in (1, 2)
]


def test_digits_are_scikit_learns_pixels(tmp_path: Path) -> None:
    write_builtin(tmp_path / "digits")
    images, targets = load_digits(return_X_y=True)
    files = sorted((tmp_path / "digits").glob("*/*.png"), key=lambda path: path.name)
    assert len(files) == 1797
    assert [int(path.parent.name) for path in files] == targets.tolist()
    for index in (0, 42, 1796):
        pixels = np.asarray(Image.open(files[index]))
        assert np.array_equal(pixels, np.rint(images[index].reshape(8, 8) * 255 / 16))
    # The digests choose which labels are used, so they may never move: see `dataset.labels_per_class`.
    assert digest_file(tmp_path / "digits" / "0" / "digit-0000.png").hex()[:16] == "a23e82a7462bfcb8"


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    write_builtin(tmp_path / "digits")
    assert list((tmp_path / "digits").iterdir()) == []


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "0").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setitem(builtin.BUILTIN, "digits", interrupted)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        write_builtin(tmp_path / "sources" / "digits")
    assert list((tmp_path / "sources").iterdir()) == []


def test_unknown_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="the built-in sets are digits, hymenoptera"):
        write_builtin(tmp_path / "cats")


def test_an_archive_laid_by_hand_needs_no_network(archive: Path, tmp_path: Path) -> None:
    lay(archive, [*WHOLE, "hymenoptera_data/train/ants/imageNotFound.gif", "hymenoptera_data/.DS_Store"])
    folder = tmp_path / "sources" / "hymenoptera"
    write_builtin(folder)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {name.removeprefix("hymenoptera_data/") for name in WHOLE}
    report = ingest(Places(folder), DatasetParams(source="hymenoptera", max_rejected=0), KIND).report
    assert report.splits == {"train": 4, "val": 0, "test": 4}


def test_no_member_can_leave_the_folder(archive: Path, tmp_path: Path) -> None:
    lay(
        archive,
        [
            *WHOLE,
            "../escaped.jpg",
            "/escaped.jpg",
            "hymenoptera_data/train/ants/../../../../escaped.jpg",
            "hymenoptera_data/train/ants/..\\x.jpg",
        ],
    )
    write_builtin(tmp_path / "sources" / "hymenoptera")
    assert len([path for path in (tmp_path / "sources").rglob("*") if path.is_file()]) == len(WHOLE)
    assert not list(tmp_path.rglob("escaped*"))


def test_without_network_it_says_where_to_lay_the_file(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="lay the file at") as raised:
        write_builtin(tmp_path / "sources" / "hymenoptera")
    assert str(archive) in str(raised.value)
    assert not list((tmp_path / "sources").iterdir())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn"])
def test_a_damaged_archive_is_named(archive: Path, tmp_path: Path, content: bytes) -> None:
    archive.parent.mkdir(parents=True)
    archive.write_bytes(content)
    with pytest.raises(BadArtifact, match=r"is damaged.*remove it"):
        write_builtin(tmp_path / "sources" / "hymenoptera")


def test_a_damaged_member_is_named(archive: Path, tmp_path: Path) -> None:
    lay(archive, WHOLE)
    content = bytearray(archive.read_bytes())
    content[200] ^= 0xFF
    archive.write_bytes(bytes(content))
    with pytest.raises(BadArtifact, match="is damaged"):
        write_builtin(tmp_path / "sources" / "hymenoptera")
    assert not list((tmp_path / "sources").iterdir())


def test_another_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    lay(archive, ["cats/1.jpg"])
    with pytest.raises(BadArtifact, match="lacks photographs"):
        write_builtin(tmp_path / "sources" / "hymenoptera")
