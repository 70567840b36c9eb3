"""The pipeline of the embedded sound network: what it writes is a backbone, and the shipped one is what its record tells of."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from project import ROOT
from safetensors import safe_open

from tasks.stages import pretrain_sounds, sound_card, sound_lessons, sound_speech, spoken_digits
from tasks.stages.pretrain_sounds import PARTS, TRAINING, TRANSCRIBER, WEIGHTS
from tasks.stages.sound_card import CARD, METRICS
from tasks.stages.sound_speech import PARAMS, read_sound_params
from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import read_backbone
from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadParameters, BadSource
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.batches import stacked
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.pages.layout import percent
from thaw.params.sections import BackboneParams
from thaw.strategies.baselines.from_scratch import ScratchSettings

QUICK = """\
corpora:
  - {{name: Novels, path: novels.txt, from: "https://example.org", licence: CC BY 4.0, digest: {novels}}}
teacher: {{name: Teacher, path: teacher.safetensors, from: "https://example.org", licence: Apache-2.0, digest: {teacher}}}
speech: {{words: 3, utterances: 12}}
training: {{bands: 16, dim: 8, blocks: 1, steps: 3, batch_size: 4}}
digits: digits
"""
SOURCES = {"novels": Path("novels.txt"), "teacher": Path("teacher.safetensors")}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("novels.txt").write_text("The house of the tree\nthe seven trees\nthe house\n")
    Path("digits").mkdir()
    time = np.arange(2400) / 8000
    for digit in range(10):
        for speaker, pitch in (("ann", 1.0), ("bob", 1.1)):
            for number in range(3):
                wave = 0.2 * np.sin(2 * np.pi * 200 * (1 + digit) ** 1.2 * pitch * (1 + 0.01 * number) * time)
                soundfile.write(f"digits/{digit}_{speaker}_{number}.flac", wave, 8000)
    PARAMS.parent.mkdir(parents=True)
    teacher = build_seeded("speech_embedding", 1, 0)
    write_weights(Path("teacher.safetensors"), teacher.state_dict(), {"architecture": "speech_embedding"})
    digests = {name: digest_file(path).hex() for name, path in SOURCES.items()}
    PARAMS.write_text(QUICK.format(**digests))
    return tmp_path


def test_the_stages_make_a_backbone_and_its_card(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound_speech.main()
    sound_lessons.main()
    pretrain_sounds.main()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == "phones-16x8x1x192" and backbone.layers == ("summary",)
    training = json.loads(TRAINING.read_text())
    assert training["weights"] == digest_file(WEIGHTS).hex() and training["speech"]["words"] == "house of the"
    before = WEIGHTS.read_bytes()
    pretrain_sounds.main()
    assert WEIGHTS.read_bytes() == before, "steps that are done are not done again"
    monkeypatch.setattr(sound_card, "LABELS", (2,))
    monkeypatch.setattr(sound_card, "SCRATCH", ScratchSettings(steps=2, batch_size=4))
    monkeypatch.setattr(sound_card.measure, "__defaults__", ((2,), (1, 1)))
    sound_card.main()
    found = json.loads(METRICS.read_text())
    (measured,) = found["digits"]
    assert found["heard"]["recordings"] == 60
    assert min(measured["own"]) > 0.3 and len(measured["scratch"]) == 2, "chance is a tenth"
    assert f"| 2 | {percent(statistics.mean(measured['own']))} |" in CARD.read_text()


def test_a_killed_pretraining_goes_on_to_the_same_bytes(project: Path) -> None:
    sound_speech.main()
    sound_lessons.main()
    pretrain_sounds.main()
    whole = [path.read_bytes() for path in (WEIGHTS, TRANSCRIBER)]
    shutil.rmtree(PARTS / "unfinished")
    WEIGHTS.unlink()
    program = [sys.executable, str(ROOT / "tests/support/killed_sound_pretraining.py"), "2"]
    killed = subprocess.run(program, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    (state,) = (PARTS / "unfinished").glob("*/state.safetensors")
    with safe_open(state, "np") as file:
        assert json.loads(file.metadata()["account"])["done"] == 2
    assert killed.returncode == -9 and not WEIGHTS.exists()
    pretrain_sounds.main()
    assert [path.read_bytes() for path in (WEIGHTS, TRANSCRIBER)] == whole


def test_a_held_out_speaker_is_never_learnt_from(project: Path) -> None:
    digits = spoken_digits.read_digits(project / "digits", WaveformPreprocessing())
    for draw in spoken_digits.draws(digits, 2, 2):
        assert {digits.speakers[row] for row in draw.test} == {draw.speaker} and len(draw.test) == 30
        assert draw.speaker not in {digits.speakers[row] for row in draw.train}
        assert digits.targets[draw.train].bincount().tolist() == [2] * 10


def test_the_lead_is_of_pairs_and_its_interval_of_speakers() -> None:
    for own in ([0.5, 0.9, 0.7], [0.4, 0.6, 0.8, 1.0, 0.6, 0.8]):
        other = [0.4, 0.8, 0.6] if len(own) == 3 else [0.4, 0.4, 0.8, 0.8, 0.6, 0.6]
        found = sound_card.lead(own, other, 3)
        assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_what_is_missing_or_not_allowed_is_told(project: Path) -> None:
    with pytest.raises(BadSource, match="no recordings DIGIT_SPEAKER_NUMBER"):
        spoken_digits.read_digits(project, WaveformPreprocessing())
    Path("novels.txt").write_text("changed\n")
    with pytest.raises(BadSource, match=r"novels\.txt has the digest \w+"):
        sound_speech.main()
    SOURCES["teacher"].unlink()
    with pytest.raises(BadSource, match=r"teacher\.safetensors is missing; Teacher \(Apache-2\.0\) is from https"):
        sound_lessons.main()
    PARAMS.write_text("training: {blocks: 0}")
    with pytest.raises(BadParameters, match=r"params\.yaml"):
        read_sound_params()


def test_the_shipped_weights_are_those_that_the_shipped_record_tells_of() -> None:
    training = json.loads(TRAINING.read_text())
    assert (
        training["weights"] == digest_file(WEIGHTS).hex() and training["transcriber"] == digest_file(TRANSCRIBER).hex()
    )
    assert WEIGHTS.stat().st_size <= 2_000_000
    assert training["params"] == read_sound_params().model_dump(mode="json", by_alias=True)
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == training["architecture"] and backbone.layers == ("summary",)
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    found = backbone.features(stacked([framed(wave, 16_000), framed(torch.zeros(4000), 16_000)]))["summary"]
    assert torch.isfinite(found).all() and found[0].abs().sum() > 0


def test_the_shipped_card_shows_the_measurements() -> None:
    shown, found = CARD.read_text(), json.loads(METRICS.read_text())
    assert percent(found["heard"]["phone_error_rate"]) in shown
    assert [each["labels"] for each in found["digits"]] == [5, 10, 20]
    for each in found["digits"]:
        own, plain, scratch = (statistics.mean(each[name]) for name in ("own", "plain", "scratch"))
        assert f"| {each['labels']} | {percent(own)} | {percent(plain)} |" in shown
        assert own > plain + 0.15 and own > scratch + 0.04
    assert statistics.mean(found["digits"][-1]["own"]) >= 0.75
