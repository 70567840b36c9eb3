"""From files to the manifest: the same bytes give the same rows, and bad files never pass unseen."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from thaw.dataset.corrections import Correction, merge
from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.manifest import write_manifest
from thaw.dataset.places import Places
from thaw.foundation.errors import BadSource, TooManyRejected
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams, SplitParams

Draw = Callable[[Path, int], Path]
PARAMS = DatasetParams(source="source")


def written(ingested: Ingested, path: Path) -> bytes:
    write_manifest(ingested.manifest, path)
    return path.read_bytes()


def test_one_row_a_file(picture_folder: Path) -> None:
    ingested = ingest(Places(picture_folder), PARAMS, KIND)
    rows = ingested.manifest.examples()
    assert [row.path for row in rows] == sorted(row.path for row in rows)
    assert len(rows) == 12
    assert {row.shape for row in rows} == {(24, 32, 3)}
    assert rows[0].size == (picture_folder / rows[0].path).stat().st_size
    assert ingested.rejected == ()
    assert ingested.report.kinds == {"JPEG": 6, "PNG": 6}
    assert ingested.report.split_by == "hash"


def test_the_same_bytes_give_the_same_file_whatever_the_workers_and_the_disk_s_order(
    picture_folder: Path, tmp_path: Path
) -> None:
    (picture_folder / "ants" / "bad.jpg").write_bytes(b"")
    first = ingest(Places(picture_folder), PARAMS, KIND, workers=1)
    copy = tmp_path / "copy"
    for path in sorted(picture_folder.rglob("*.*"), reverse=True):
        (copy / path.relative_to(picture_folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / path.relative_to(picture_folder))
    for workers in (2, 7):
        again = ingest(Places(copy), PARAMS, KIND, workers=workers)
        assert written(again, tmp_path / "again.parquet") == written(first, tmp_path / "first.parquet")
        assert again.report.to_json() == first.report.to_json()
        assert again.rejected == first.rejected


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.sets(st.integers(0, 11), min_size=2, max_size=11))
def test_no_example_changes_its_split_as_the_data_grow(picture_folder: Path, kept: set[int]) -> None:
    whole = {row.path: row for row in ingest(Places(picture_folder), PARAMS, KIND, workers=1).manifest.examples()}
    part = picture_folder.parent / "part"
    shutil.rmtree(part, ignore_errors=True)
    paths = sorted(whole)
    for index in kept | {0, 11}:
        (part / paths[index]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture_folder / paths[index], part / paths[index])
    for row in ingest(Places(part), PARAMS, KIND, workers=2).manifest.examples():
        assert row == whole[row.path]


def test_a_renamed_picture_keeps_its_split(picture_folder: Path) -> None:
    before = {row.digest: row.split for row in ingest(Places(picture_folder), PARAMS, KIND).manifest.examples()}
    for path in picture_folder.glob("ants/*"):
        path.rename(path.with_name(f"renamed {path.name}"))
    after = {row.digest: row.split for row in ingest(Places(picture_folder), PARAMS, KIND).manifest.examples()}
    assert after == before


def test_train_and_val_only_reports_val_as_test(picture_folder: Path, draw: Draw) -> None:
    root = picture_folder.parent / "split"
    for split in ("train", "val"):
        for label in ("a", "b"):
            draw(root / split / label / "1.png", hash((split, label)) % 1000)
    ingested = ingest(Places(root), PARAMS, KIND)
    assert {row.path.split("/")[0]: row.split for row in ingested.manifest.examples()} == {
        "train": "train",
        "val": "test",
    }
    assert any("val is reported as the test" in note for note in ingested.report.notes)
    assert ingested.report.split_by == "source"


def test_bad_files_are_listed_with_their_reasons(picture_folder: Path) -> None:
    ants = picture_folder / "ants"
    good = (ants / "ant-0.jpg").read_bytes()
    (ants / "cut.jpg").write_bytes(good[: len(good) // 2])
    (ants / "empty.jpg").touch()
    (ants / "notes.txt").write_text("not a picture")
    (ants / "loop").symlink_to("..")
    Image.new("1", (300, 400)).save(ants / "large.png")
    params = DatasetParams(source="source", max_megapixels=0.1)
    ingested = ingest(Places(picture_folder), params, KIND)
    reasons = {one.path: one.reason for one in ingested.rejected}
    assert list(reasons) == [f"ants/{name}" for name in ("cut.jpg", "empty.jpg", "large.png", "loop", "notes.txt")]
    assert "truncated" in reasons["ants/cut.jpg"]
    assert reasons["ants/empty.jpg"] == "is empty (zero bytes)"
    assert "300 x 400" in reasons["ants/large.png"]
    assert len(ingested.manifest) == 12
    assert ingested.report.rejected == 5


def test_too_many_rejected_stops_before_anything_and_names_the_first(picture_folder: Path) -> None:
    for index in range(8):
        (picture_folder / "ants" / f"{index}.jpg").write_text("no")
    with pytest.raises(TooManyRejected) as raised:
        ingest(Places(picture_folder), DatasetParams(source="source", max_rejected=7), KIND)
    assert "8 files" in str(raised.value)
    assert "allows 7: `ants/0.jpg` is not an image" in str(raised.value)
    assert "and 3 more" in str(raised.value)
    assert len(raised.value.rejected) == 8
    assert ingest(Places(picture_folder), DatasetParams(source="source", max_rejected=8), KIND).report.rejected == 8


def test_a_wrong_ending_is_read_by_its_content(picture_folder: Path) -> None:
    (picture_folder / "ants" / "ant-0.jpg").rename(picture_folder / "ants" / "ant-0.png")
    (picture_folder / "bees" / "bee-0.png").rename(picture_folder / "bees" / "bee-0")
    report = ingest(Places(picture_folder), PARAMS, KIND).report
    assert report.wrong_endings == 2
    assert report.kinds == {"JPEG": 6, "PNG": 6}
    assert any(note.startswith("Images whose ending does not fit: 2.") for note in report.notes)


@pytest.mark.parametrize(("folders", "reason"), [(["ants"], "one class only, `ants`"), ([], "no labelled images")])
def test_fewer_than_two_classes_are_refused(tmp_path: Path, draw: Draw, folders: list[str], reason: str) -> None:
    for folder in folders or ["."]:
        draw(tmp_path / folder / "1.png", 1)
    with pytest.raises(BadSource, match=reason):
        ingest(Places(tmp_path), PARAMS, KIND)


def test_copies_share_their_split_and_a_group_wins(picture_folder: Path) -> None:
    shutil.copyfile(picture_folder / "ants" / "ant-0.jpg", picture_folder / "bees" / "copy.jpg")
    rows = {row.path: row for row in ingest(Places(picture_folder), PARAMS, KIND).manifest.examples()}
    assert rows["ants/ant-0.jpg"].split == rows["bees/copy.jpg"].split
    lines = [f"{path},{row.label},{i % 3}" for i, (path, row) in enumerate(rows.items())]
    (picture_folder / "list.csv").write_text("\n".join(["path,label,group", *lines]))
    params = DatasetParams(source="source", listing="list.csv", splits=SplitParams(val=0.3, test=0.3))
    splits: dict[str | None, set[str]] = {}
    for row in ingest(Places(picture_folder), params, KIND).manifest.examples():
        splits.setdefault(row.group, set()).add(row.split)
    assert set(splits) == {"0", "1", "2"}
    assert all(len(held) == 1 for held in splits.values())


def test_what_the_content_of_a_set_asks_for_is_in_the_manifest_and_the_report(picture_folder: Path) -> None:
    usual = ingest(Places(picture_folder), PARAMS, KIND)
    for number in range(2):
        values = np.full((8, 8), 2000 + 2000 * number + 95, np.uint16)
        Image.fromarray(values).save(picture_folder / "ants" / f"deep-{number}.png")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(picture_folder / "bees" / "moving.gif", save_all=True, append_images=frames[1:])
    ingested = ingest(Places(picture_folder), PARAMS, KIND)
    assert usual.manifest.decoding is None
    assert usual.manifest.table.schema.metadata is None
    assert ingested.manifest.decoding == '{"span": null, "top": 4095}'
    assert any("hold 12 bits in this set" in note for note in ingested.report.notes)
    assert ingested.report.notes[0].startswith(
        "Files that are read without all frames but one: 1, such as `bees/moving.gif`."
    )


def test_progress_is_told_of_every_file(picture_folder: Path) -> None:
    told: list[tuple[int, int]] = []
    ingest(Places(picture_folder), PARAMS, KIND, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 12) for done in range(1, 13)]


def test_an_interruption_ends_the_threads(picture_folder: Path) -> None:
    import threading

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(Places(picture_folder), PARAMS, KIND, workers=2, progress=interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ingest")]


def test_a_file_too_large_to_be_an_image_is_not_read(picture_folder: Path) -> None:
    with (picture_folder / "ants" / "film.mp4").open("wb") as film:
        os.truncate(film.fileno(), 10**12)  # a hole: it takes no space, and reading it would take all memory
    (rejected,) = ingest(Places(picture_folder), PARAMS, KIND).rejected
    assert rejected.reason.startswith("has 1000.0 GB")


def test_hymenoptera(real_data: Path) -> None:
    ingested = ingest(Places(real_data / "hymenoptera"), DatasetParams(source="hymenoptera", max_rejected=0), KIND)
    assert ingested.report.classes == {
        "ants": {"train": 123, "val": 0, "test": 70},
        "bees": {"train": 121, "val": 0, "test": 83},
    }
    assert ingested.report.kinds == {"JPEG": 397}


def test_corrections_hold_whatever_the_source_says(picture_folder: Path) -> None:
    rows = {row.path: row for row in ingest(Places(picture_folder), PARAMS, KIND).manifest.examples()}
    shutil.copy(picture_folder / "ants/ant-1.jpg", picture_folder / "ants/copy of ant-1.jpg")
    shutil.copy(picture_folder / "bees/bee-3.png", picture_folder / "nobody knows.png")
    said = [
        Correction(rows["ants/ant-1.jpg"].digest, "bees", ""),
        Correction(rows["ants/ant-2.jpg"].digest, None, ""),
        Correction(rows["bees/bee-3.png"].digest, "bees", "a label that was right, and so is that of the copy"),
        Correction(b"x" * 32, "bees", "an example that is not here"),
    ]
    ingested = ingest(Places(picture_folder), PARAMS, KIND, corrections=merge({}, said))
    after = {row.path: row for row in ingested.manifest.examples()}
    assert after["ants/ant-1.jpg"] == replace(rows["ants/ant-1.jpg"], label="bees"), "its split and digest stay"
    assert after["ants/copy of ant-1.jpg"].label == after["nobody knows.png"].label == "bees"
    assert rows.keys() - after.keys() == {"ants/ant-2.jpg"}
    assert [(change.path, change.before, change.after) for change in ingested.changes] == [
        ("ants/ant-1.jpg", "ants", "bees"),
        ("ants/ant-2.jpg", "ants", None),
        ("ants/copy of ant-1.jpg", "ants", "bees"),
        ("nobody knows.png", None, "bees"),
    ]
    report = ingested.report
    assert (report.relabelled, report.left_out, report.unused_corrections, report.unlabelled) == (3, 1, 1, 0)
    assert sum("corrections" in note.casefold() for note in report.notes) == 3


def test_corrections_cannot_leave_one_class_or_two_names_of_one(picture_folder: Path) -> None:
    rows = ingest(Places(picture_folder), PARAMS, KIND).manifest.examples()
    with pytest.raises(BadSource, match="images of one class only"):
        ingest(
            Places(picture_folder),
            PARAMS,
            KIND,
            corrections={row.digest: Correction(row.digest, "ants", "") for row in rows},
        )
    with pytest.raises(BadSource, match="differ only by case"):
        ingest(
            Places(picture_folder), PARAMS, KIND, corrections={rows[0].digest: Correction(rows[0].digest, "Bees", "")}
        )


def test_sets_of_labels_are_counted_copied_and_corrected(picture_folder: Path) -> None:
    paths = sorted(path.relative_to(picture_folder).as_posix() for path in picture_folder.rglob("*.*"))
    shutil.copyfile(picture_folder / paths[0], picture_folder / "copy.png")
    lines = ["path,labels,split", "copy.png,ant,train", f"{paths[0]},ant|bee,train", f"{paths[1]},|,test"]
    lines += [f"{path},{'ant|bee' if number % 2 else 'bee'},train" for number, path in enumerate(paths[2:-1])]
    (picture_folder / "list.csv").write_text("\n".join([*lines, f"{paths[-1]},,train"]))
    params = replace_listing("list.csv")
    found = ingest(Places(picture_folder), params, KIND)
    rows = {row.path: row for row in found.manifest.examples()}
    assert found.manifest.multilabel
    assert rows[paths[1]].labels == ()
    assert rows[paths[-1]].labels is None
    assert found.report.unlabelled == 1
    assert found.report.classes["bee"]["train"] == len(paths) - 2
    assert (found.report.copies_conflicting, found.report.copies[0].labels) == (1, ("ant", "ant|bee"))

    fixes = merge({}, [Correction(rows[paths[1]].digest, "bee|ant", ""), Correction(rows[paths[2]].digest, None, "")])
    corrected = ingest(Places(picture_folder), params, KIND, corrections=fixes)
    assert {row.path: row.labels for row in corrected.manifest.examples()}[paths[1]] == ("ant", "bee")
    assert [(one.before, one.after) for one in corrected.changes] == [("|", "ant|bee"), ("bee", None)]


def replace_listing(name: str) -> DatasetParams:
    return PARAMS.model_copy(update={"listing": name})
