"""The life of a trigger on real recordings, stage after stage, to a registered champion that hears it in a folder."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from fastapi.testclient import TestClient
from registration import copy_empty_store, inside
from stage_runs import run_stage
from typer.testing import CliRunner

from flows.cli import serve
from flows.cli.app import app
from flows.serving import limits as serving_limits
from flows.serving.hosts import Hosts
from tasks.project.paths import MANIFEST
from tasks.registry.deployed_model import read_deployed, read_triggers
from tasks.registry.mlflow_store import explained
from tasks.registry.promotion import promote
from tasks.registry.registering import register
from tasks.registry.registry import open_registry
from tasks.registry.served_model import read_served_model
from tasks.requests import heard_review
from tasks.requests.hear import hear, read_listening, write_heard
from tasks.requests.rank import rank
from tasks.requests.review import apply, review
from tasks.requests.watch_heard import measure_heard, watches_recordings
from tasks.stages import advise, compare, extract, finetune, head, ingest, track
from tasks.stages.evaluate import stage as evaluate
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.dataset.corrections import CORRECTIONS
from thaw.dataset.manifest import read_manifest
from thaw.drift.reference import read_reference
from thaw.features.store.store import read_index
from thaw.foundation.errors import BadManifest, BadParameters, BadSource, HearsTriggers
from thaw.foundation.files.csv_tables import read_rows, write_rows
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.heads.trigger.storage import read_trigger_head
from thaw.kinds.kind import Limits
from thaw.models import serving_cost
from thaw.params.sections import WatchParams
from thaw.params.values.reading import read_params
from thaw.review.findings import COLUMNS
from thaw.strategies.triggers.record import read_trigger_advice
from thaw.targets.predictions import read_predictions
from thaw.targets.target import target_of
from thaw.targets.trigger.common_budget import read_heard_clips
from thaw.targets.trigger.target import TRIGGER

PARAMS = """\
dataset: {{source: sounds, listing: list.csv, target: trigger}}
trigger: {{words: [{words}], false_accepts_per_hour: 20, noise: noise}}
backbone: {{weights: speech.safetensors, architecture: {architecture}}}
strategy: {{kind: {strategy}}}
compare: {{strategies: [{compared}]}}
statistics: {{bootstrap: 50}}
promotion: {{margin: 0.3, min_rows: 10, max_near_copies: null}}
registry: {{name: alexa}}
"""
ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples/wake_word.yaml"
SPLITS = ("train", "train", "val", "test")
STAGES = (ingest, extract, advise, head, finetune, compare, evaluate, track)
Row = tuple[str, str, str, str]


def write_params(root: Path, **changed: str) -> None:
    usual = {"words": "alexa", "architecture": "speech_embedding-local", "strategy": "linear", "compared": ""}
    (root / "params.yaml").write_text(PARAMS.format(**usual | changed))


def copied(real_data: Path, folder: Path) -> list[Row]:
    """Recordings with the trigger, commands without it, and others without a label: path, label, split and group."""
    folder.mkdir()
    rows = []
    for source, label, count in (
        ("wakewords/alexa", "alexa", 32),
        ("commands", "command", 48),
        ("not_wake_words", "", 16),
    ):
        for number, path in enumerate(sorted((real_data / "sounds" / source).glob("*.flac"))[:count]):
            name = f"{path.parent.name}-{path.name}"
            shutil.copyfile(path, folder / name)
            rows.append((name, label, SPLITS[number % 4], name))
    (folder / "noise").mkdir()
    kitchen, rate = soundfile.read(next((real_data / "sounds/noise").glob("*.flac")), stop=20 * 16_000)
    for split, part in (("train", kitchen[: 12 * rate]), ("test", kitchen[12 * rate :])):
        soundfile.write(folder / f"noise/{split}.flac", part, rate)
        rows.append((f"noise/{split}.flac", "", split, split))
    return rows


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, real_data: Path, empty_store: Path) -> Path:
    root = copy_empty_store(empty_store, tmp_path_factory.mktemp("trigger"))
    with (root / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split", "group"), *copied(real_data, root / "sounds")])
    (root / "list.csv").rename(root / "sounds/list.csv")
    convert(Source(Path("speech-embedding")), root / "speech.safetensors")
    write_params(root)
    with inside(root), pytest.MonkeyPatch.context() as patch:
        for name in ("BATCH", "ALONE", "ROUNDS"):
            patch.setattr(serving_cost, name, 2)
        for stage in STAGES:
            run_stage(stage)
        register(read_params())
    return root


@pytest.fixture
def here(project: Path) -> Iterator[Path]:
    with inside(project):
        yield project
        write_params(project)


def test_what_judges_backbones_by_one_vector_refuses_a_trigger(here: Path) -> None:
    with pytest.raises(BadParameters, match=r"asked for; what learns from one vector .* the data set has triggers"):
        rank(["a.safetensors", "b.safetensors"])


def test_a_review_finds_wrong_labels_with_their_moments_and_takes_decisions_in(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = DetectorSettings(turns=1, negatives=600, hard=60)
    monkeypatch.setattr(heard_review, "settings_of", lambda *_: quick)
    listing = here / "sounds/list.csv"
    before = listing.read_text()
    clips, others = (
        sorted(path.name for path in (here / "sounds").glob(f"{name}-*")) for name in ("alexa", "commands")
    )
    wrong = {clips[0]: "command", clips[7]: "", others[4]: "alexa"}  # of train, of test, of train
    try:
        rows = list(csv.reader(before.splitlines()))
        with listing.open("w", newline="") as file:
            csv.writer(file).writerows([[row[0], wrong.get(row[0], row[1]), *row[2:]] for row in rows])
        run_stage(ingest)
        found = review(5)
        suspects = {row["path"]: row for row in read_rows(found.table, COLUMNS) if row["kind"] == "suspect"}
        assert set(wrong) <= set(suspects) and found.totals["unlabelled"] == 0
        assert {suspects[name]["suggested"] for name in clips if name in wrong} == {"alexa"}
        assert suspects[others[4]]["suggested"] == "|" and all(float(row["at_s"]) >= 0 for row in suspects.values())
        page = found.page.read_text()
        assert page.count("<audio") == page.count("<select") and "a false accept, or a wrong label" in page
        write_rows(Path("decided.csv"), ("digest", "corrected"), [(suspects[clips[0]]["digest"], "alexa")])
        assert [change.after for change in apply(Path("decided.csv"), new_classes=(), dry_run=False).changes] == [
            "alexa"
        ]
        run_stage(ingest)
        assert {row.path: row.names for row in read_manifest(MANIFEST).examples()}[clips[0]] == ("alexa",)
    finally:
        CORRECTIONS.unlink(missing_ok=True)
        listing.write_text(before)
        run_stage(ingest)


def test_every_stage_leaves_what_later_ones_and_people_read(project: Path) -> None:
    data = project / "data"
    manifest = read_manifest(data / "manifest.parquet")
    assert target_of(manifest) == TRIGGER and manifest.class_names == ("alexa",)
    index = read_index(data / "features.json")
    assert index.sequences is not None and len(index.stored) == 2 + 1 + 6 + 4, "clear, without a backbone, and in noise"
    assert read_trigger_advice(data / "advice.json").followed.kind == "linear"
    assert "one new layer" in (data / "advice/advice.html").read_text()
    (detector,) = read_trigger_head(data / "head").detectors
    assert (detector.word, detector.detector.places, detector.refractory) == ("alexa", 16, 25)
    assert detector.promise.groups == 16, "each validation recording without the trigger"


def test_the_figures_are_those_of_the_test_recordings(project: Path) -> None:
    metrics = json.loads((project / "data/report/metrics.json").read_text())["test"]
    predictions = read_predictions(project / "data/report/predictions.parquet")
    assert predictions.target == TRIGGER and len(predictions) == metrics["n"] == 25
    shown, named = predictions.shown[:, 0], predictions.named[:, 0]
    assert metrics["misses"] == pytest.approx(1 - named[shown].mean()) and metrics["misses"] <= 0.25
    assert metrics["misses_low"] <= metrics["misses"] <= metrics["misses_high"]
    assert metrics["false_accepts_per_hour"] >= named[~shown].sum() / metrics["hours"] - 1e-9
    assert metrics["clips"] == 8 and 0.01 < metrics["hours"] < 0.1
    in_noise = [metrics[f"misses_at_{snr}_db"] for snr in (20, 10, 5, 0)]
    assert in_noise == sorted(in_noise) and all(0 <= each <= 1 for each in in_noise)
    assert metrics["misses_without_network"] == pytest.approx(
        metrics["misses"] + metrics["misses_without_network_more"]
    )
    page = (project / "data/report/report.html").read_text()
    assert "Missed without the network" in page and page.count(" dB</td>") >= 4
    assert "These clips are of the test split" in page and "alexa" in page
    assert (project / "data/report/det.csv").read_text().startswith("word,false_accepts_per_hour,misses")


def test_the_second_run_of_the_extraction_hears_nothing(here: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (here / "data/features").rglob("part-*.parquet")}
    (here / ".thaw/extracted.json").unlink()
    run_stage(extract)
    assert {path: path.stat().st_mtime_ns for path in (here / "data/features").rglob("part-*.parquet")} == before


def test_the_version_is_promoted_and_answers_for_recordings(here: Path) -> None:
    import mlflow

    moved = promote(read_params())
    assert moved.promoted, str(moved)
    gates = {outcome.gate: str(outcome.verdict) for outcome in moved.gates}
    assert gates["false accepts"] == "pass" and gates["misses"] == "not asked"
    (heard,) = read_heard_clips(here / "data/report/heard_clips.json")
    metrics = json.loads((here / "data/report/metrics.json").read_text())["test"]
    assert len(heard.clips) == 8 and np.mean(list(heard.missed(20).values())) <= metrics["misses"]
    sounds = here / "sounds"
    clips = [str(sounds / name) for name in sorted(path.name for path in sounds.glob("alexa-*.flac"))[:4]]
    with explained():
        answered = mlflow.pyfunc.load_model("models:/alexa@champion").predict(
            [*clips, str(next(sounds.glob("commands-*")))]
        )
    assert list(answered.columns) == ["labels", "heard", "at_s", "p_alexa"]
    assert [list(labels) for labels in answered["labels"]].count(["alexa"]) >= 3 and answered["labels"][4] == []
    for labels, heard, at_s in zip(answered["labels"], answered["heard"], answered["at_s"], strict=True):
        assert len(heard) == len(at_s) and set(heard) == set(labels)
    predictor = read_triggers(open_registry(read_params().registry))
    own = predictor.predict([predictor.prepare(Path(path).read_bytes(), Limits(10**9)) for path in clips])
    assert own.labels == [list(labels) for labels in answered["labels"][:4]]


def test_a_folder_is_heard_file_by_file(here: Path, tmp_path: Path) -> None:
    promote(read_params())
    folder = tmp_path / "new"
    folder.mkdir()
    for path in (*sorted((here / "sounds").glob("alexa-*.flac"))[:2], sorted((here / "sounds").glob("commands-*"))[0]):
        shutil.copyfile(path, folder / path.name)
    (folder / "broken.wav").write_bytes(b"no sound")
    heard = {Path(each.path).name: each for each in hear([str(folder)])}
    assert len(heard) == 4 and "broken.wav" in heard["broken.wav"].reason
    predictor = read_triggers(open_registry(read_params().registry))
    for name, each in heard.items():
        if not each.reason:
            content = (folder / name).read_bytes()
            (events,) = predictor.predict([predictor.prepare(content, Limits(10**9))]).events or ((),)
            assert each.events == events, "in blocks as at once"
    (model,) = read_listening("models:/alexa@champion")
    assert model.word == "alexa" and model.promise == predictor.head.detectors[0].promise
    write_heard(list(heard.values()), tmp_path / "heard.parquet")
    rows = pq.read_table(tmp_path / "heard.parquet").to_pylist()
    assert {row["trigger"] for row in rows} == {"alexa", None}


def test_recordings_of_a_new_microphone_are_drift_and_others_are_not(here: Path, tmp_path: Path) -> None:
    promote(read_params())
    reference = read_reference(here / "data/report/reference.parquet")
    predictions = read_predictions(here / "data/report/predictions.parquet")
    assert reference.unseen.sum() == 25 and reference.rows.features.shape[1] == 96
    named = dict(zip(predictions.digests, predictions.named, strict=True))
    rows = zip(reference.rows.digests, reference.rows.named, strict=True)
    assert all((own == named[digest]).all() for digest, own in rows if digest in named)
    params = read_params()
    params = params.model_copy(update={"watch": WatchParams(false_alarms=0.05, permutations=200, min_rows=12)})
    assert watches_recordings(params)
    clips = [path for name in ("alexa", "commands") for path in sorted((here / "sounds").glob(f"{name}-*.flac"))[1::4]]
    for folder, heard_by in (("same", lambda wave: 0.999 * wave), ("other", of_another_microphone)):
        (tmp_path / folder).mkdir()
        for path in clips:
            wave, rate = soundfile.read(path)
            soundfile.write(tmp_path / folder / path.name, heard_by(wave), rate)
    (tmp_path / "same/broken.wav").write_bytes(b"no sound")
    calm, changed = (measure_heard([str(tmp_path / folder)], params).report for folder in ("same", "other"))
    assert (calm.rows, calm.left_out.unusable, calm.other_way) == (20, 1, False) and not calm.drifted
    assert "inputs" in [finding.what for finding in changed.drifted]
    assert open_registry(params.registry).by_alias("champion").tags["thaw.drift"].startswith(changed.origin.scored_at)
    with pytest.raises(BadSource, match=r"1 recordings given, and none can be used: .*broken\.wav"):
        measure_heard([str(tmp_path / "same/broken.wav")], params)


def of_another_microphone(wave: "np.ndarray") -> "np.ndarray":
    """Dull, and with a hiss."""
    dull = np.convolve(wave, np.ones(8) / 8, "same")
    return dull + 0.005 * np.random.default_rng(0).standard_normal(len(wave))


def test_it_is_exported_and_served_as_a_program_and_a_page_that_listen(here: Path, tmp_path: Path) -> None:
    promote(read_params())
    shutil.copyfile(ROOT / "dvc.yaml", here / "dvc.yaml")
    told = CliRunner().invoke(app, ["export", "--out", str(tmp_path / "exported")])
    assert told.exit_code == 0, told.output
    facts = json.loads((tmp_path / "exported/trigger.json").read_text())
    (model,) = read_listening()
    assert facts["word"] == "alexa" and facts["threshold"] == model.promise.threshold
    assert {path.name for path in (tmp_path / "exported").iterdir()} > {"listen.py", "trigger.onnx"}
    refused = CliRunner().invoke(app, ["export", "--format", "torch", "--out", str(tmp_path / "other")])
    assert refused.exit_code == 1 and "a trigger is exported as onnx" in refused.output.replace("\n", "")
    limits = serving_limits.Limits(1, Limits(10**9), 1, 1, 30, 0.003)
    listening, message_bytes = serve._app(None, "torch", 5, limits, Hosts(frozenset()), listeners=3)
    assert message_bytes == 2**16
    served = TestClient(listening, base_url="http://127.0.0.1").get("/trigger").json()
    assert [each["word"] for each in served["triggers"]] == ["alexa"] and served["listeners"] == 3


def test_what_needs_features_of_whole_examples_is_refused(here: Path) -> None:
    promote(read_params())
    registry = open_registry(read_params().registry)
    with pytest.raises(HearsTriggers, match="hears triggers in recordings"):
        read_deployed(registry)
    with pytest.raises(HearsTriggers, match="hears triggers in recordings"):
        read_served_model(registry, 1)


@pytest.mark.parametrize("strategy", ["knn", "full", "plain"])
def test_strategies_of_one_vector_are_refused(here: Path, strategy: str) -> None:
    write_params(here, strategy=strategy)
    with pytest.raises(
        BadParameters, match=f"strategy.kind: {strategy} given; .* a trigger has the strategies linear and mlp"
    ):
        run_stage(advise)


def test_the_example_asks_for_a_trigger() -> None:
    params = read_params(EXAMPLE)
    assert (
        params.dataset.target == "trigger" and params.trigger.words and params.backbone.architecture.endswith("-local")
    )


def test_a_comparison_is_refused(here: Path) -> None:
    write_params(here, compared="linear")
    with pytest.raises(BadParameters, match=r"compare.strategies: linear given"):
        run_stage(compare)


def test_a_network_that_hears_the_whole_sound_is_refused_before_any_pass(here: Path) -> None:
    write_params(here, architecture="speech_embedding")
    features = sorted((here / "data/features").rglob("*.parquet"))
    with pytest.raises(BadParameters, match="take speech_embedding-local"):
        run_stage(extract)
    assert sorted((here / "data/features").rglob("*.parquet")) == features


def test_a_test_without_the_trigger_is_refused(here: Path) -> None:
    listing = here / "sounds/list.csv"
    before = listing.read_text()
    try:
        lines = [line for line in before.splitlines() if not line.startswith("alexa-") or ",test," not in line]
        listing.write_text("\n".join(lines))
        run_stage(ingest)
        with pytest.raises(BadManifest, match="alexa: 0 of 17 test recordings show it"):
            run_stage(evaluate)
    finally:
        listing.write_text(before)
        run_stage(ingest)
