"""The material of a trigger, and what is known of it: no clip is scored by a detector that learned from it or from its group."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from listening_models import embedding, noise
from whistles import whistle

from thaw.evaluation.trigger.measures import misses
from thaw.features.sequences.mixing import MEASURED_SNRS, mixed, power_of
from thaw.heads.trigger import fitting
from thaw.heads.trigger.detector import Detector
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.models.listening import cross_validation
from thaw.models.listening.cross_validation import FOLDS, cross_validate, folds_of
from thaw.models.listening.material import Material, Sound, hear
from thaw.models.listening.training import train_trigger
from thaw.targets.trigger.evidence import CLEAN, Evidence
from thaw.targets.trigger.promise import Budget

SETTINGS = DetectorSettings(places=4, negatives=100, hard=20, turns=1)


@pytest.fixture(scope="module")
def material() -> Material:
    """Ten whistles of five people, and six recordings of three places."""
    clips = [Sound(whistle(seed), f"person {seed % 5}", f"{seed}.wav", Path(f"{seed}.wav")) for seed in range(10)]
    others = [Sound(noise(3, seed), f"place {seed % 3}", f"o{seed}.wav") for seed in range(6)]
    return hear("whistle", embedding(), clips=clips, others=others, noise=noise(5, 50), settings=SETTINGS)


def measured(material: Material, steps: Callable[[int, int], None] = lambda done, total: None) -> Evidence:
    model = train_trigger("whistle", embedding(), material, budget=Budget(60), settings=SETTINGS)
    return cross_validate(model, material, settings=SETTINGS, progress=steps)


def test_each_clip_is_heard_in_quiet_and_in_each_noise(material: Material) -> None:
    assert len(material.clips) == 10
    for clip in material.clips:
        assert tuple(clip.measured) == (CLEAN, *MEASURED_SNRS)
        assert clip.measured[CLEAN] is clip.training[0] and len(clip.training) == 4
        assert len({each.shape for each in (*clip.training, *clip.measured.values())}) == 1
    assert {each.sound.group for each in material.tuning} in ({"place 0", "place 1"}, {"place 1", "place 2"}, {"place 0", "place 2"})  # fmt: skip
    assert len(material.negatives) == 2 * 2, "one place, in quiet and in noise"


def test_the_noise_that_measures_trains_nothing() -> None:
    """The last third is a loud tone: in training it is not heard."""
    tone = torch.sin(torch.arange(16_000) / 5)
    quiet = torch.zeros(32_000)
    clips, others = [Sound(whistle(0), "a")], [Sound(noise(2, seed), str(seed)) for seed in range(2)]
    heard = hear("w", embedding(), clips=clips, others=others, noise=torch.cat([quiet, tone]), settings=SETTINGS)
    (clip,) = heard.clips
    assert all(torch.equal(clip.training[0], version) for version in clip.training)
    assert not torch.allclose(clip.measured[CLEAN], clip.measured[0.0], atol=1.0)


def test_clips_are_scored_by_detectors_without_their_group(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fold's training holds no clip of the groups that it scores."""
    trained = list[list[int]]()
    numbers = {id(clip.training): place for place, clip in enumerate(material.clips)}

    def fit(clips: list[fitting.Clip], *arguments: object) -> Detector:
        trained.append([numbers[id(clip)] for clip in clips])
        return fitting.fit_detector(clips, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cross_validation, "fit_detector", fit)
    steps = list[tuple[int, int]]()
    evidence = measured(material, lambda done, total: steps.append((done, total)))
    assert steps == [(number, FOLDS) for number in range(1, FOLDS + 1)]
    assert (evidence.parted, evidence.unheard, len(evidence.trials)) == ("groups", False, FOLDS)
    for places, trial in zip(trained, evidence.trials, strict=True):
        learned = {material.clips[place].sound.group for place in places}
        assert trial.clips and learned.isdisjoint(clip.group for clip in trial.clips)
    clean = sorted(clip.path for clip in evidence.clips if clip.snr == CLEAN)
    assert clean == [f"{number}.wav" for number in range(10)], "each clip once"
    assert [row.clips for row in misses(evidence)] == [10] * 5
    assert misses(evidence)[0].missed <= 1, "whistles are easy to tell from noise"
    assert 0.2 < next(iter(evidence.clips)).at_s(int(evidence.clips[0].scores.argmax())) < 1.5, "about where it ends"


@pytest.mark.parametrize(("groups", "parted", "folds"), [(["a"] * 10, "clips", FOLDS), (["a", "b"] * 5, "groups", 2)])
def test_folds_hold_each_clip_once(material: Material, groups: list[str], parted: str, folds: int) -> None:
    own = tuple(
        replace(clip, sound=replace(clip.sound, group=group))
        for clip, group in zip(material.clips, groups, strict=True)
    )
    held = folds_of(replace(material, clips=own), parted, 0)  # type: ignore[arg-type]
    assert len(held) == folds and sorted(place for fold in held for place in fold) == list(range(10))


def test_a_single_clip_is_not_measured(material: Material) -> None:
    evidence = measured(replace(material, clips=material.clips[:1]))
    assert evidence.trials == () and evidence.others


def test_noise_has_the_ratio_that_is_asked_for() -> None:
    wave = whistle(0)
    added = mixed(wave, noise(3), power_of(wave), 10.0, torch.Generator().manual_seed(0)) - wave
    assert 10 * torch.log10(wave.square().mean() / added.square().mean()) == pytest.approx(10.0, abs=0.01)
