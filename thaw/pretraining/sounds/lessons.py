"""What a teacher makes of synthetic speech, which a smaller network then learns to say: knowledge distillation by features.

Sources: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015; Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015. The
teacher is the speech embedding (`thaw.backbones.encoders.speech_embedding`), and hears clean speech; the learner hears it in a room.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from thaw.backbones.architectures import build_with_weights
from thaw.backbones.encoders.speech_embedding import SpeechEmbedding
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import atomic, digest_file, write_text
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.sounds.framed import MASK, SAMPLES, hop_of
from thaw.pretraining.sounds.speech import PLAN, RATE, Speech, part_file, read_part, read_plan

EVERY, WINDOW = 8, 79
"""Frames from one place of the teacher to the next, and frames that a place is computed from."""
AROUND = 47
"""Frames of silence before an utterance and behind it."""
FIRST = (WINDOW - 1) / 2 - AROUND
"""The frame of the utterance in the middle of the first place's window."""
_TOGETHER = 4
"""Utterances of a pass: their maps fit into the cache."""


@dataclass(frozen=True)
class Lessons:
    """The teacher's features of utterances, one after another. places: float16 [P, D]. ends: int64 [U]."""

    places: NDArray[np.float16]
    ends: NDArray[np.int64]


def read_teacher(path: Path) -> SpeechEmbedding:
    """The teacher.

    Raises:
        BadParameters: the file holds another network.
        BadWeights: it cannot be read.
    """
    given = read_weights(path)
    network = build_with_weights(given.metadata["architecture"], given.tensors)
    if not isinstance(network, SpeechEmbedding):
        raise BadParameters(
            f"teacher: {path} is `{given.metadata['architecture']}`; give a speech embedding: thaw convert speech-embedding {path}"
        )
    return network.eval()


def make_lessons(teacher: Path, speech: Path, folder: Path, progress: Progress = untold) -> None:
    """Teach the parts of speech that have no lessons in `folder`, all of them if those there are of another teacher or plan; progress: of parts."""
    folder.mkdir(parents=True, exist_ok=True)
    network = read_teacher(teacher)
    _keep_own(json.dumps([digest_file(teacher).hex(), (speech / PLAN).read_text(encoding="utf-8")]), folder)
    parts = read_plan(speech).parts
    for number in range(parts):
        if not lessons_file(folder, number).is_file():
            with atomic(lessons_file(folder, number)) as temporary:
                save_file(vars(taught(network, read_part(part_file(speech, number)))), temporary)
        progress(number + 1, parts)


def _keep_own(stated: str, folder: Path) -> None:
    """Remove lessons of another teacher or other speech, and write down these."""
    written = folder / PLAN
    if written.is_file() and written.read_text(encoding="utf-8") == stated:
        return
    for part in folder.glob("lessons-*.safetensors"):
        part.unlink()
    write_text(written, stated)


def lessons_file(folder: Path, number: int) -> Path:
    """Where the lessons of a part lie."""
    return folder / f"lessons-{number:04}.safetensors"


def read_lessons(folder: Path, parts: int) -> Lessons:
    """The lessons of all parts, one after another."""
    found = [load_file(lessons_file(folder, number)) for number in range(parts)]
    before = np.cumsum([0, *(len(part["places"]) for part in found[:-1])])
    return Lessons(
        np.concatenate([part["places"] for part in found]),
        np.concatenate([part["ends"] + start for part, start in zip(found, before, strict=True)]),
    )


def taught(teacher: SpeechEmbedding, speech: Speech) -> Lessons:
    """The teacher's features of each utterance, `EVERY` frames, of windows that begin `AROUND` frames before it and end as far behind it."""
    starts = np.concatenate([[0], speech.ends[:-1]])
    frames = -(-(speech.ends - starts) // hop_of(RATE))
    numbers = places_of(frames)
    found: list[NDArray[np.float16]] = [np.empty(0, np.float16)] * len(frames)
    for rows in _together(frames):
        waves = [speech.wave[starts[row] : speech.ends[row]] for row in rows]
        for row, places in zip(rows, _features(teacher, waves, frames[rows]), strict=True):
            found[row] = places[: numbers[row]].astype(np.float16)
    # safetensors writes the bytes as they lie, and the teacher's lie by dimension.
    return Lessons(np.ascontiguousarray(np.concatenate(found)), np.cumsum(numbers))


def places_of(frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of places of utterances of so many frames."""
    return (frames + 2 * AROUND - WINDOW) // EVERY + 1


def _together(frames: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows of similar length."""
    order = np.argsort(frames, kind="stable")
    for begin in range(0, len(order), _TOGETHER):
        yield order[begin : begin + _TOGETHER]


def _features(
    teacher: SpeechEmbedding, waves: list[NDArray[np.int16]], frames: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Float32 [B, T, D] of waves with silence around them."""
    hop, longest = hop_of(RATE), int(frames.max())
    samples = torch.zeros(len(waves), longest * hop)
    for row, wave in zip(samples, waves, strict=True):
        row[: len(wave)] = torch.from_numpy(wave) / 2**15
    mask = torch.arange(longest + 2 * AROUND) < torch.from_numpy(frames + 2 * AROUND)[:, None]
    framed = F.pad(samples.view(len(waves), longest, hop), (0, 0, AROUND, AROUND))
    with torch.inference_mode():
        found: NDArray[np.float32] = teacher.places({SAMPLES: framed, MASK: mask}).numpy()
    return found
