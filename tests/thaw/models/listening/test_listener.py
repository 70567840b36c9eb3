"""A stream has the scores and the events of the whole recording, however it is cut into blocks."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from listening_models import PLACES, RATE, embedding, noise, trigger_model
from torch import Tensor

from thaw.backbones.encoders.speech_embedding import FAMILY
from thaw.backbones.places import Span
from thaw.features.sequences.network import refuse_unless_local, sequence
from thaw.foundation.errors import BadParameters
from thaw.kinds.sounds.framed import SAMPLES, framed
from thaw.models.listening.listener import Event, Listener
from thaw.models.listening.sequences import FeatureStream
from thaw.targets.trigger.events import events

SPAN = Span(79, 8, 79, 151)
BLOCKS = st.lists(st.integers(300, 3 * RATE), min_size=1, max_size=6)


def heard(wave: Tensor, sizes: list[int], layers: int = 1) -> tuple[Tensor, list[Event]]:
    """Scores and events of a wave in blocks of these sizes, again and again."""
    listener = Listener(trigger_model(layers=layers))
    scores, found, start, turn = [], [], 0, 0
    while start < len(wave):
        one = listener.feed(wave[start : start + sizes[turn % len(sizes)]])
        scores.append(one.scores)
        found += one.events
        start, turn = start + sizes[turn % len(sizes)], turn + 1
    rest = listener.end()
    return torch.cat([*scores, rest.scores])[:, 0], [*found, *rest.events]


@settings(max_examples=6, deadline=None)
@given(st.floats(0.5, 5), BLOCKS)
def test_blocks_of_any_size_give_the_scores_of_the_whole(seconds: float, sizes: list[int]) -> None:
    wave, model = noise(seconds), trigger_model()
    frames = framed(wave, RATE)[SAMPLES]
    whole = torch.zeros(0)
    if len(frames) >= 79:
        whole = model.detector.scores(sequence(model.backbone, SPAN, frames))
    scores, found = heard(wave, sizes)
    torch.testing.assert_close(scores, whole, atol=1e-4, rtol=0)
    places = events(scores.numpy(), model.promise.threshold, model.refractory)
    assert [event.score for event in found] == scores[places].tolist()


@pytest.mark.parametrize("size", [1280, 777, 100_000])
def test_blocks_of_80_ms_and_others(size: int) -> None:
    scores, found = heard(noise(6), [size], layers=2)
    whole, all_found = heard(noise(6), [10**6], layers=2)
    torch.testing.assert_close(scores, whole, atol=1e-4, rtol=0)
    assert [event.at_s for event in found] == [event.at_s for event in all_found]
    assert found


def test_a_score_comes_with_the_sound_that_it_needs_and_says_when() -> None:
    listener, wave = Listener(trigger_model(threshold=-100.0, refractory=1)), noise(3)
    first = 0.79 + (PLACES - 1) * 0.08
    assert not len(listener.feed(wave[: round(first * RATE) - 1]).scores)
    (event,) = listener.feed(wave[round(first * RATE) - 1 : round(first * RATE)]).events
    assert event.at_s == pytest.approx(first)
    (second,) = listener.feed(wave[round(first * RATE) : round((first + 0.08) * RATE)]).events
    assert second.at_s == pytest.approx(first + 0.08)


def test_several_triggers_are_heard_in_one_stream_as_each_alone() -> None:
    low, high = trigger_model(threshold=0.2), replace(trigger_model(layers=2, threshold=0.0), word="mirror")
    wave = noise(4)
    together = Listener(low, high).feed(wave)
    alone = [Listener(model).feed(wave) for model in (low, high)]
    torch.testing.assert_close(together.scores, torch.cat([each.scores for each in alone], 1))
    expected = sorted((event for each in alone for event in each.events), key=lambda event: event.at_s)
    assert list(together.events) == expected and {event.word for event in expected} == {"view glass", "mirror"}
    longer = replace(low, detector=replace(low.detector, places=PLACES + 1))
    with pytest.raises(ValueError, match="windows of one length"):
        Listener(low, longer)


def test_a_stream_keeps_no_more_than_its_windows() -> None:
    stream = FeatureStream(embedding())
    stream.feed(noise(10))
    kept = [stream._chain._first._kept, *(stage._kept for stage in stream._chain._others)]
    assert sum(each.numel() for each in kept) * 4 < 2**18
    assert all(each.untyped_storage().nbytes() < 2**21 for each in kept)


def test_a_network_that_looks_ahead_is_refused() -> None:
    assert refuse_unless_local(embedding()).stride == 8
    with pytest.raises(BadParameters, match="what comes later changes the features"):
        refuse_unless_local(embedding(FAMILY))
