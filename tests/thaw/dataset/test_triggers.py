"""Labels as the target takes them: the triggers among them, and everything else as sound without a trigger."""

import json
from pathlib import Path

import pytest
from made_up_sounds import tone, tones_in_classes, written

from thaw.dataset.corrections import Correction
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TRIGGER, read_manifest, write_manifest
from thaw.dataset.places import places_of
from thaw.dataset.selection import class_names_of, training_examples
from thaw.dataset.triggers import Aim
from thaw.foundation.errors import BadParameters, BadSource, ThawError
from thaw.kinds.registry import kind_named
from thaw.params.sections import DatasetParams, SplitParams
from thaw.targets.target import target_of
from thaw.targets.trigger.target import TRIGGER as TARGET

HIGH = Aim(TRIGGER, ("high",))


def dataset(folder: Path, listing: str | None = None) -> DatasetParams:
    return DatasetParams(source=str(folder), listing=listing, splits=SplitParams(val=0.3, test=0.3))


def test_every_other_label_and_none_is_sound_without_the_trigger(tmp_path: Path) -> None:
    source = tones_in_classes(tmp_path / "tones")
    params = dataset(source)
    found = ingest(places_of(params), params, kind_named("sounds"), aim=HIGH)
    write_manifest(found.manifest, tmp_path / "manifest.parquet")
    manifest = read_manifest(tmp_path / "manifest.parquet")
    assert target_of(manifest) == TARGET and manifest.class_names == ("high",)
    shown = {row.path.split("/")[0]: row.names for row in manifest.examples()}
    assert shown == {"high": ("high",), "low": (), "middle": ()}
    notes = " ".join(found.report.notes)
    assert "Triggers: `high`. Without a trigger count the labels `low`, `middle`." in notes
    assert "Hours without a trigger: 0.0" in notes and found.report.classes.keys() == {"high"}
    assert found.report.unlabelled == 0


def test_a_budget_of_labels_keeps_all_sound_without_the_trigger(tmp_path: Path) -> None:
    params = dataset(tones_in_classes(tmp_path / "tones"))
    manifest = ingest(places_of(params), params, kind_named("sounds"), aim=HIGH).manifest
    rows, all_rows = training_examples(manifest, 2), training_examples(manifest, None)
    assert class_names_of(rows) == ("high",)
    assert sum(row.names == ("high",) for row in rows) == 2
    assert sum(not row.names for row in rows) == sum(not row.names for row in all_rows) > 2


def test_a_corrected_label_counts_as_the_source_s_own(tmp_path: Path) -> None:
    params = dataset(tones_in_classes(tmp_path / "tones", 4))
    before = ingest(places_of(params), params, kind_named("sounds"), aim=HIGH).manifest.examples()
    low = next(row for row in before if row.path == "low/00.wav")
    high = next(row for row in before if row.path == "high/00.wav")
    corrections = {
        low.digest: Correction(low.digest, "high", low.path),
        high.digest: Correction(high.digest, "middle", high.path),
    }
    after = ingest(places_of(params), params, kind_named("sounds"), corrections=corrections, aim=HIGH).manifest
    names = {row.path: row.names for row in after.examples()}
    assert names["low/00.wav"] == ("high",) and names["high/00.wav"] == ()


@pytest.mark.parametrize(
    ("aim", "reason"),
    [
        (Aim(TRIGGER), r"trigger.words: none given; name the labels that are triggers, of `high` \(2\), `low` \(2\)"),
        (Aim(TRIGGER, ("alexa",)), r"trigger.words: alexa given, and the source has the labels `high` \(2\)"),
        (Aim(TRIGGER, ("high", "low", "middle")), "every recording shows a trigger"),
        (Aim("label_sets"), "dataset.target: label_sets given"),
    ],
)
def test_what_cannot_be_a_trigger_is_refused_before_a_file_is_opened(tmp_path: Path, aim: Aim, reason: str) -> None:
    source = tones_in_classes(tmp_path / "tones", 2)
    for path in source.rglob("*.wav"):
        path.write_bytes(b"no sound")
    params = dataset(source)
    with pytest.raises(ThawError, match=reason):
        ingest(places_of(params), params, kind_named("sounds"), aim=aim)


def test_images_and_texts_have_no_triggers(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text,label\nstop,high\ngo,low\n")
    params = DatasetParams(source=str(tmp_path / "texts.csv"))
    with pytest.raises(BadParameters, match="heard in recordings, while the data set holds texts"):
        ingest(places_of(params), params, kind_named("texts"), aim=HIGH)


def test_sets_of_labels_are_no_single_labels(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(written(tone(seed=ord(name[0]))))
    (tmp_path / "list.csv").write_text("path,labels\na.wav,high|low\nb.wav,low\n")
    params = dataset(tmp_path, "list.csv")
    with pytest.raises(BadSource, match=r"set dataset\.target to auto or label_sets"):
        ingest(places_of(params), params, kind_named("sounds"), aim=Aim("one_label"))
    found = ingest(places_of(params), params, kind_named("sounds"), aim=HIGH)
    assert {row.path: row.names for row in found.manifest.examples()} == {"a.wav": ("high",), "b.wav": ()}
    assert json.loads(found.report.to_json())["examples"] == 2
