"""Heads of several triggers: fitted on sequences, tuned on other recordings, written and read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from listening_models import trigger_model

from thaw.foundation.errors import BadArtifact, BadManifest
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.heads.trigger.head import TriggerHead, WordDetector
from thaw.heads.trigger.storage import holds_trigger_head, read_trigger_head, write_trigger_head
from thaw.heads.trigger.tuning import HeardRecording, fit_word
from thaw.models.listening.storage import read_trigger, write_trigger
from thaw.targets.trigger.promise import Budget

WIDTH, PLACES = 6, 4
SETTINGS = DetectorSettings(places=PLACES, around=0, negatives=300, hard=30, turns=2, epochs=5)


def heard(seed: int, *words: str) -> HeardRecording:
    """Noise, and each word's pattern in it."""
    sequence = torch.randn(30, WIDTH, generator=torch.Generator().manual_seed(seed))
    for place, word in enumerate(words):
        sequence[10 * place + 5 : 10 * place + 9] += 12 * torch.eye(PLACES, WIDTH).roll(len(word), 1)
    return HeardRecording(sequence, 0.5, f"group {seed % 7}", words, 10 * len(words) - 2)


def rows(first: int, count: int = 40) -> list[HeardRecording]:
    shown = [("go",), ("halt",), (), ()]
    return [heard(first + number, *shown[number % 4]) for number in range(count)]


def fitted(word: str) -> WordDetector:
    return fit_word(word, rows(0, 160), rows(1000), settings=SETTINGS, refractory=5, budget=Budget(0.4))


def test_a_word_is_heard_where_it_is_and_another_word_is_none() -> None:
    head = TriggerHead((fitted("go"), fitted("halt")))
    assert head.class_names == ("go", "halt")
    for word, detector in zip(head.class_names, head.detectors, strict=True):
        assert detector.promise.hours == pytest.approx(15), "validation recordings without the word alone"
        assert detector.promise.groups == 7
        named = [len(detector.events(detector.scores(each.sequence))) > 0 for each in rows(2000)]
        assert np.mean([found == (word in each.words) for found, each in zip(named, rows(2000), strict=True)]) > 0.8
    assert len(head.scores(rows(2000)[0].sequence)) == 2 and head.thresholds.shape == (2,)


def test_a_side_that_is_missing_is_named() -> None:
    def fit(train: list[HeardRecording], val: list[HeardRecording]) -> WordDetector:
        return fit_word("go", train, val, settings=SETTINGS, refractory=5, budget=Budget(0.4))

    with pytest.raises(BadManifest, match="go: 0 training recordings show it, and 1 do not"):
        fit([heard(0)], rows(0))
    with pytest.raises(BadManifest, match=r"there are none; raise dataset\.splits\.val"):
        fit(rows(0), [heard(0, "go")])


def test_several_words_are_written_and_read(tmp_path: Path) -> None:
    model = trigger_model()
    one = WordDetector("view glass", model.detector, model.refractory, model.promise)
    head = TriggerHead((one, replace(one, word="|odd name/", refractory=9)))
    assert not holds_trigger_head(tmp_path)
    write_trigger_head(head, tmp_path)
    read = read_trigger_head(tmp_path)
    assert holds_trigger_head(tmp_path) and read.class_names == head.class_names
    assert [each.promise for each in read.detectors] == [model.promise] * 2 and read.detectors[1].refractory == 9
    sequence = torch.randn(20, 96)
    for before, after in zip(head.scores(sequence), read.scores(sequence), strict=True):
        np.testing.assert_array_equal(before, after)
    (tmp_path / "detector.1.safetensors").write_bytes(b"")
    with pytest.raises(BadArtifact, match=r"detector\.1\.safetensors is not the file"):
        read_trigger_head(tmp_path)


def test_a_folder_of_several_words_is_no_single_trigger(tmp_path: Path) -> None:
    model = trigger_model()
    write_trigger(model, tmp_path / "one")
    one = read_trigger_head(tmp_path / "one").detectors[0]
    write_trigger_head(TriggerHead((one, replace(one, word="more"))), tmp_path / "one")
    with pytest.raises(BadArtifact, match="has the triggers view glass, more"):
        read_trigger(tmp_path / "one")
