"""The pipeline of the embedded sound network: what it writes is a backbone, and the shipped one is what its record tells of."""

import json
import statistics
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tasks.stages import pretrain_sounds, sound_card, sound_speech, spoken_digits
from tasks.stages.pretrain_sounds import TRAINING, TRANSCRIBER, WEIGHTS
from tasks.stages.sound_card import CARD, METRICS
from tasks.stages.sound_speech import PARAMS, read_sound_params
from thaw.backbones.backbone import read_backbone
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
speech: {{words: 3, utterances: 12}}
training: {{bands: 16, dim: 8, blocks: 1, steps: 3, batch_size: 4}}
digits: digits
"""


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
    PARAMS.write_text(QUICK.format(novels=digest_file(Path("novels.txt")).hex()))
    return tmp_path


def test_the_stages_make_a_backbone_and_its_card(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound_speech.main()
    pretrain_sounds.main()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == "phones-16x8x1" and backbone.layers == ("pooled",)
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


def test_a_held_out_speaker_is_never_learnt_from(project: Path) -> None:
    digits = spoken_digits.read_digits(project / "digits", WaveformPreprocessing())
    for draw in spoken_digits.draws(digits, 2, 2):
        assert {digits.speakers[row] for row in draw.test} == {draw.speaker} and len(draw.test) == 30
        assert draw.speaker not in {digits.speakers[row] for row in draw.train}
        assert digits.targets[draw.train].bincount().tolist() == [2] * 10


def test_the_lead_is_of_pairs() -> None:
    found = sound_card.lead([0.5, 0.9, 0.7], [0.4, 0.8, 0.6])
    assert found.value == pytest.approx(0.1) and found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)


def test_what_is_missing_or_not_allowed_is_told(project: Path) -> None:
    with pytest.raises(BadSource, match="no recordings DIGIT_SPEAKER_NUMBER"):
        spoken_digits.read_digits(project, WaveformPreprocessing())
    Path("novels.txt").write_text("changed\n")
    with pytest.raises(BadSource, match=r"novels\.txt has the digest \w+"):
        sound_speech.main()
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
    assert backbone.architecture == training["architecture"] and backbone.layers == ("pooled",)
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    found = backbone.features(stacked([framed(wave, 16_000), framed(torch.zeros(4000), 16_000)]))["pooled"]
    assert torch.isfinite(found).all() and found[0].abs().sum() > 0


def test_the_shipped_card_shows_the_measurements() -> None:
    shown, found = CARD.read_text(), json.loads(METRICS.read_text())
    assert percent(found["heard"]["phone_error_rate"]) in shown
    assert [each["labels"] for each in found["digits"]] == [5, 10, 20]
    for each in found["digits"]:
        own, plain = (statistics.mean(each[name]) for name in ("own", "plain"))
        assert f"| {each['labels']} | {percent(own)} | {percent(plain)} |" in shown
        assert own > plain + 0.05
    assert statistics.mean(found["digits"][-1]["own"]) >= 0.75
