"""A whole recording as a network hears it, with quiet around it, and the times of its places."""

from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.features.sequences.network import sequence
from thaw.features.sequences.speech_end import end_of_speech, place_behind
from thaw.features.sequences.surroundings import BEFORE, surrounded
from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, SAMPLES


def sequence_of(backbone: Backbone, span: Span, example: Batch) -> Tensor:
    """The features of a prepared recording's places, float32 [P, D]; span: of the last layer."""
    return sequence(backbone, span, surrounded(mapping_of(example)[SAMPLES]))


def end_in(example: Batch, span: Span) -> int:
    """The place at which the speech of a prepared recording ends, with what stands around it."""
    return place_behind(BEFORE + end_of_speech(mapping_of(example)[SAMPLES]), span)


def mean_within(sequence: Tensor, frames: int, span: Span) -> Tensor:
    """The mean of the places that hear a recording alone, float32 [D], without the quiet around it; of a recording that is shorter than a place's sound the
    place around its middle. sequence: float32 [P, D]; frames: the recording's length."""
    first, last = -(-BEFORE // span.stride), (BEFORE + frames - span.window) // span.stride
    if last < first:
        first = last = max(0, (first + last) // 2)
    return sequence[first : last + 1].mean(0)


def end_s(span: Span, place: int) -> float:
    """Where the sound of a place ends, in seconds of the recording without what is around it."""
    return round((place * span.stride + span.window - BEFORE) / FRAMES_A_SECOND, 3)
