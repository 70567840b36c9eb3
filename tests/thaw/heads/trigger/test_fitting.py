"""Detectors find a short pattern that clips hold somewhere, though no one says where."""

import numpy as np
import pytest
import torch
from torch import Tensor

from thaw.heads.trigger.detector import Detector
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.targets.trigger.events import events

WIDTH, PLACES = 6, 4
PATTERN = 5 * torch.eye(PLACES, WIDTH)
SMALL = {"places": PLACES, "negatives": 400, "hard": 50, "turns": 3, "around": 0, "epochs": 10}


def sound(generator: torch.Generator, places: int) -> Tensor:
    return torch.randn(places, WIDTH, generator=generator)


def clip(generator: torch.Generator, place: int) -> list[Tensor]:
    """A clip and a version of it in noise, with the pattern from `place` on."""
    clean = sound(generator, 24)
    clean[place : place + PLACES] += PATTERN
    return [clean, clean + 0.5 * sound(generator, 24)]


def near_pattern(generator: torch.Generator) -> Tensor:
    """Sound with the pattern in the wrong order, which is what a detector takes for it first."""
    wrong = sound(generator, 24)
    wrong[5 : 5 + PLACES] += PATTERN.flip(0)
    return wrong


def fitted(layers: str) -> Detector:
    generator = torch.Generator().manual_seed(0)
    clips = [clip(generator, 3 * number % 19) for number in range(20)]
    quiet = [sound(generator, 300) for _ in range(4)] + [near_pattern(generator) for _ in range(20)]
    return fit_detector(clips, quiet, DetectorSettings(layers=layers, **SMALL))


@pytest.mark.parametrize("layers", ["one", "several"])
def test_the_pattern_is_found_at_the_same_place_of_it_and_its_mirror_image_is_not(layers: str) -> None:
    detector = fitted(layers)
    generator = torch.Generator().manual_seed(1)
    heard = [clip(generator, number % 19)[0] for number in range(40)]
    peaks = torch.stack([detector.scores(each).max() for each in heard])
    others = torch.stack([detector.scores(near_pattern(generator)).max() for _ in range(40)])
    assert (peaks > others.quantile(0.95)).float().mean() >= 0.95
    offsets = [int(detector.scores(each).argmax()) - number % 19 for number, each in enumerate(heard)]
    assert np.mean(np.abs(offsets - np.median(offsets)) <= 1) >= 0.9


def test_the_search_begins_where_the_speech_of_a_clip_ends() -> None:
    """Of two patterns that all clips have, the later one is found, or the place of either if nobody says where to begin."""
    generator = torch.Generator().manual_seed(4)
    clips, ends = [], []
    for number in range(12):
        versions, place = clip(generator, number % 6), 12 + number % 7
        for version in versions:
            version[place : place + PLACES] += PATTERN.flip(1)
        clips.append(versions)
        ends.append(place + PLACES - 1)
    quiet = [sound(generator, 300) for _ in range(4)]
    late = {}
    for asked in (None, ends):
        detector = fit_detector(clips, quiet, DetectorSettings(layers="one", **{**SMALL, "turns": 0}), asked)
        best = [int(detector.scores(versions[0]).argmax()) + PLACES - 1 for versions in clips]
        late[asked is not None] = np.mean([0 <= place - end <= 2 for place, end in zip(best, ends, strict=True)])
    assert late[True] >= 0.9 > late[False]


def test_the_same_seed_gives_the_same_detector() -> None:
    sequence = sound(torch.Generator().manual_seed(2), 50)
    assert torch.equal(fitted("one").scores(sequence), fitted("one").scores(sequence))


def test_a_score_depends_on_its_own_window_alone_and_there_is_one_for_each() -> None:
    detector = fitted("one")
    sequence = sound(torch.Generator().manual_seed(3), 50)
    scores = detector.scores(sequence)
    assert scores.shape == (50 - PLACES + 1,)
    torch.testing.assert_close(detector.scores(sequence[10:30]), scores[10 : 30 - PLACES + 1])
    assert len(detector.scores(sequence[: PLACES - 1])) == 0
    assert len(events(scores.numpy(), float(scores.max()), 5)) == 0


def test_clips_shorter_than_a_window_are_refused() -> None:
    short = torch.zeros(PLACES - 1, WIDTH)
    with pytest.raises(ValueError, match="a window has 4 places"):
        fit_detector([[short]], [torch.zeros(50, WIDTH)], DetectorSettings(**SMALL))
