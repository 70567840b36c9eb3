"""Tables and folders as other tools and archives lay them out: they are read, or one sentence says what to write."""

from pathlib import Path

import pandas as pd
import pytest

from thaw.dataset.candidates import Source
from thaw.dataset.folders import read_source
from thaw.foundation.errors import BadSource


def source_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(root: Path, content: str, name: str = "list.csv") -> Source:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(content)
    return read_source(root, name)


def labels_of(source: Source) -> dict[str, object]:
    return {one.path: one.label if one.labels is None else one.labels for one in source.candidates}


def test_metadata_of_hugging_face_relative_to_its_own_folder(tmp_path: Path) -> None:
    source_of(tmp_path, "train/1", "train/2")
    source = listed(tmp_path, "file_name,label\n1,cat\n2,dog\n", "train/metadata.csv")
    assert labels_of(source) == {"train/1": "cat", "train/2": "dog"}
    assert source.notes == ("The listing's column file_name is read as path.",)


def test_a_column_that_names_files_is_the_path_whatever_its_name(tmp_path: Path) -> None:
    source = listed(source_of(tmp_path, "a/1", "b/2"), "photo,class,note\na/1,cat,x\nb/2,dog,y\n")
    assert labels_of(source) == {"a/1": "cat", "b/2": "dog"}
    assert source.notes[:2] == (
        "The listing's column photo is read as path.",
        "The listing's column class is read as label.",
    )


@pytest.mark.parametrize("header", ["", "Unnamed: 0", "index"])
def test_an_index_of_pandas_is_ignored(tmp_path: Path, header: str) -> None:
    source = listed(source_of(tmp_path, "1", "2"), f"{header},path,label\n0,1,a\n1,2,b\n")
    assert (labels_of(source), source.notes) == ({"1": "a", "2": "b"}, ())


def test_two_indexes_of_pandas_and_a_parquet_file_with_one(tmp_path: Path) -> None:
    source_of(tmp_path, "1", "2")
    assert labels_of(listed(tmp_path, ",,path,label\n0,0,1,a\n1,1,2,b\n")) == {"1": "a", "2": "b"}
    table = pd.DataFrame({"file_name": ["1", "2"], "category": ["a", "b"], "bytes": [b"x", b"y"]}, index=[5, 6])
    table.to_parquet(tmp_path / "list.parquet")
    source = read_source(tmp_path, "list.parquet")
    assert labels_of(source) == {"1": "a", "2": "b"}
    assert source.notes[-1] == "The listing's columns bytes are not used."


NIH = "Image Index,Finding Labels,Patient ID\n1.png,Mass|Effusion,1\n2.png,No Finding,2\n3.png,Mass,2\n"


def test_the_table_of_nih_has_the_empty_set_in_the_place_of_no_finding(tmp_path: Path) -> None:
    source = listed(source_of(tmp_path, "1.png", "2.png", "3.png"), NIH)
    assert labels_of(source) == {"1.png": ("Effusion", "Mass"), "2.png": (), "3.png": ("Mass",)}
    assert "`No Finding` is read as the empty set: 1 files show none of the classes." in source.notes
    assert source.warnings[0].startswith("The column patient id of the listing is not used.")
    assert "name it group" in source.warnings[0]


def test_files_that_a_table_names_without_their_folder_are_found_for_the_message(tmp_path: Path) -> None:
    source_of(tmp_path, "part_1/1.png", "part_2/2.png")
    with pytest.raises(BadSource, match=r"such as `part_1/1.png` for `1.png` in the column image index"):
        listed(tmp_path, NIH)


def test_no_finding_beside_a_disease_is_a_contradiction(tmp_path: Path) -> None:
    source = listed(source_of(tmp_path, "1", "2"), "path,labels\n1,No Finding|Mass\n2,No Finding\n")
    assert labels_of(source)["2"] == ("No Finding",)
    assert any("`1` has `No Finding` beside other labels" in note for note in source.notes)


CHEXPERT = "Path,Sex,No Finding,Edema,Mass\nCheXpert/train/1.jpg,F,1.0,,-1.0\n"
STUDIO = "photo,id,choice,annotator,annotation_id,lead_time\n/data/upload/1/6e9f8f4a-1.jpg,1,cat,1,1,3.2\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "list.csv",
            CHEXPERT,
            "3 columns of 0 and 1, such as no finding and edema; name those that are labels: dataset.columns=",
        ),
        ("list.csv", STUDIO, "export of Label Studio; write a table with the columns path"),
        (
            "list.json",
            '{"annotations": [], "categories": []}',
            "export of COCO, not a table; write a CSV file.* labels",
        ),
        (
            "list.json",
            '[{"data": {}, "annotations": []}]',
            "export of Label Studio, not a table; write a CSV file.* label",
        ),
        ("metadata.jsonl", '{"file_name": "1.jpg"}\n', "has no column label, only file_name; name the column label"),
        ("1.xml", "<annotation></annotation>", "is XML, not a table; write a CSV file"),
        (
            "list.csv",
            "train/1.jpg,cat\ntrain/1.jpg,cat\n",
            "has no header, because `train/1.jpg` stands in its first line",
        ),
        ("list.csv", "path,text\ntrain/1.jpg,x\n", "no column label, only path, text; name the column label"),
    ],
)
def test_what_is_not_read_says_what_to_write(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        listed(source_of(tmp_path, "train/1.jpg"), content, name)


@pytest.mark.parametrize(
    "names",
    [
        ("images/train/1.jpg", "labels/train/1.txt", "images/val/2.jpg", "labels/val/2.txt", "data.yaml"),
        ("train/images/1.jpg", "train/labels/1.txt", "val/images/2.jpg", "val/labels/2.txt"),
        ("JPEGImages/1.jpg", "labels/1.xml", "ImageSets/Main/train.txt"),
    ],
    ids=["yolo", "yolo by split", "pascal voc"],
)
def test_annotations_of_detectors_are_no_class(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(BadSource, match=r"the folder `labels` .* holds annotations of the other files, such as"):
        read_source(source_of(tmp_path, *names))


def test_texts_of_two_classes_with_the_same_names_are_classes(tmp_path: Path) -> None:
    source = read_source(source_of(tmp_path, "pos/1.txt", "pos/2.txt", "neg/1.txt", "neg/2.txt"))
    assert {one.label for one in source.candidates} == {"pos", "neg"}


def test_a_table_that_lies_in_a_folder_unread_is_named(tmp_path: Path) -> None:
    (warning,) = read_source(source_of(tmp_path, "train/1", "metadata.csv")).warnings
    assert "set dataset.listing=metadata.csv" in warning
