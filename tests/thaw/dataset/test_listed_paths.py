"""A path that names no file is answered with the file that it most likely means."""

from pathlib import Path

import pytest

from thaw.dataset.listed_paths import ListedPaths


@pytest.fixture
def paths(tmp_path: Path) -> ListedPaths:
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "train/dog/holiday.jpeg", "lists/list.csv", "lists/own.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return ListedPaths(tmp_path, "lists/list.csv")


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("train/cat/1", "train/cat/1.jpg"),
        ("train/dog/1.png", "train/dog/1.jpg"),
        ("mydata/train/dog/1.jpg", "train/dog/1.jpg"),
        ("/home/me/data/train/cat/1.jpg", "train/cat/1.jpg"),
        ("C:\\data\\dog\\1.jpg", "train/dog/1.jpg"),
        ("holiday.jpeg", "train/dog/holiday.jpeg"),
        ("HOLIDAY.JPG", "train/dog/holiday.jpeg"),
        ("holidai.jpeg", "train/dog/holiday.jpeg"),
        ("/data/upload/1/6e9f8f4a-holiday.jpeg", "train/dog/holiday.jpeg"),
        ("~/x/holiday.jpeg", "train/dog/holiday.jpeg"),
    ],
)
def test_the_nearest_file_is_named(paths: ListedPaths, written: str, nearest: str) -> None:
    assert paths.find(written) is None
    assert paths.why_not(written).endswith(f"; the nearest file is `{nearest}`")


def test_addresses_name_the_file_to_write(paths: ListedPaths) -> None:
    said = paths.why_not("https://example.org/photos/holiday%2Ejpeg?size=large")
    assert said == "is an address; write the path of the file inside the source, such as `train/dog/holiday.jpeg`"
    assert "after downloading it into the source" in paths.why_not("s3://bucket/zebra.png")


def test_nothing_near_is_not_guessed(paths: ListedPaths) -> None:
    assert paths.why_not("zebra.png") == "does not exist"
    assert "`..`" in paths.why_not("../1.jpg")


def test_a_path_relative_to_the_listing(paths: ListedPaths) -> None:
    assert paths.find("own.png") == "lists/own.png"
    assert paths.find("train/cat/1.jpg") == "train/cat/1.jpg"
    assert paths.find("train\\cat\\1.jpg") == "train/cat/1.jpg"
