"""The training of the sound network: it learns the phones of synthetic speech, their places, and the words.

The phones are learnt from transcripts: Graves et al., "Connectionist Temporal Classification", ICML 2006. espeak-ng also says when each phone begins, so the
phone of each place is learnt too, and the word of a single one. Beside that it learns to say what a teacher makes of the clean sound
(`thaw.pretraining.sounds.lessons`): at each of the teacher's places, and in the mean and the maximum of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.phones import PARTS, STRIDE, PhoneNetwork, architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.sounds.framed import hop_of
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.params.sections.section import Section
from thaw.pretraining.sounds.lessons import EVERY, FIRST, Lessons
from thaw.pretraining.sounds.phones import BLANK, LETTERS, PHONES
from thaw.pretraining.sounds.rooms import heard
from thaw.pretraining.sounds.speech import MARGIN_S, RATE, Speech

_NEIGHBOURS = 1024
"""A batch is drawn from so many utterances of similar length."""
_SILENCE_S = 0.2
_CLIPPED = 1.0


class SoundSettings(Section):
    """The settings of the training."""

    bands: Annotated[int, Field(ge=4, multiple_of=4, description="of the mel spectrum")] = 48
    dim: Annotated[int, Field(ge=8, description="of a place")] = 160
    blocks: Annotated[int, Field(ge=1)] = 6
    steps: Annotated[int, Field(ge=1)] = 2500
    batch_size: Annotated[int, Field(ge=2)] = 64
    learning_rate: Annotated[
        float, Field(gt=0, description="of AdamW; it rises in a tenth of the steps, and falls as a cosine")
    ] = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    places: Annotated[
        float, Field(ge=0, description="the weight of the loss of the phones' places, beside 1 of their order")
    ] = 1.0
    words: Annotated[float, Field(ge=0, description="the weight of the loss of the words")] = 1.0
    lessons: Annotated[
        float, Field(ge=0, description="the weight of the squared distances to the teacher's standardised features")
    ] = 1.0
    seed: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=1, description="of torch; the numbers depend on it in the last digits")] = 1


@dataclass(frozen=True)
class Examples:
    """A batch. samples: float32 [B, F, hop]; mask: bool [B, F]; phones: int64 [P] of all rows, `counts` of each; places: int64 [B, T], the phone of each place
    of 20 ms, `BLANK` where there is none; words: int64 [B]; lesson: what the teacher says of it."""

    samples: Tensor
    mask: Tensor
    phones: Tensor
    counts: Tensor
    places: Tensor
    words: Tensor
    lesson: "Lesson"


@dataclass(frozen=True)
class Lesson:
    """The teacher's standardised features of a batch. features: float32 [B, L, D]; at: int64 [B, L], the network's place in the middle of each; there: bool
    [B, L]; summary: float32 [B, 2 D], their mean and maximum over all places."""

    features: Tensor
    at: Tensor
    there: Tensor
    summary: Tensor


class Heads(nn.Module):
    """What reads the network during the training: phones of places for both losses, words, and the teacher's features of places."""

    def __init__(self, dim: int, words: int, taught: int) -> None:
        super().__init__()
        self.order, self.place = nn.Linear(dim, PHONES), nn.Linear(dim, PHONES)
        self.word_norm, self.word = nn.LayerNorm(PARTS * dim), nn.Linear(PARTS * dim, words)
        self.taught = nn.Linear(dim, taught)


class SoundTraining:
    """A `Training`; a step is a batch."""

    def __init__(self, speech: Speech, words: int, lessons: Lessons, settings: SoundSettings) -> None:
        self._speech, self._settings = speech, settings
        self._taught = _Taught(lessons)
        starts = np.concatenate([[0], speech.ends[:-1]])
        self._starts, self._lengths = starts, speech.ends - starts
        self._phone_starts = np.concatenate([[0], speech.phone_ends[:-1]])
        self._by_length = np.argsort(self._lengths, kind="stable")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = PhoneNetwork(
                settings.bands, settings.dim, settings.blocks, PHONES, summary=2 * self._taught.dim
            )
            self.heads = Heads(settings.dim, words, self._taught.dim)
        self._modules = nn.ModuleDict({"network": self.network, "heads": self.heads})
        self._named = [
            (name, each) for name, each in self._modules.named_parameters() if not name.startswith("network.fc.")
        ]
        decayed = [each for _, each in self._named if each.dim() > 1]
        others = [each for _, each in self._named if each.dim() == 1]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self._optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)

    @property
    def steps(self) -> int:
        """See `Training`."""
        return self._settings.steps

    def step(self, number: int) -> float:
        """See `Training`."""
        chance = np.random.default_rng((self._settings.seed, 1, number))
        examples = self.examples(self._rows(chance), chance)
        bands = heard(
            examples.samples,
            examples.mask,
            self._settings.bands,
            torch.Generator().manual_seed(int(chance.integers(2**31))),
        )
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.learning_rate * _share(number / self.steps)
        loss = self.loss(bands, examples)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([each for _, each in self._named], _CLIPPED)
        self._optimiser.step()
        return float(loss.detach())

    def loss(self, bands: Tensor, examples: Examples) -> Tensor:
        """The loss of a batch, a number; bands: float32 [B, F, bands]."""
        settings, heads = self._settings, self.heads
        places = self.network.after_stem(self.network.stem.of_bands(bands, examples.mask))
        lengths = examples.mask[:, ::STRIDE].sum(1)
        order = heads.order(places).log_softmax(2).transpose(0, 1)
        loss = F.ctc_loss(order, examples.phones, lengths, examples.counts, BLANK, zero_infinity=True)
        if settings.places:
            there = examples.mask[:, ::STRIDE]
            present = self.network.pool.presence(places)
            loss = loss + settings.places * (
                F.cross_entropy(heads.place(places)[there], examples.places[there])
                + F.binary_cross_entropy_with_logits(present[there], (examples.places[there] != BLANK).float())
            )
        pooled, single = self.network.pool(places), examples.words >= 0
        if settings.words and bool(single.any()):
            loss = loss + settings.words * F.cross_entropy(
                heads.word(heads.word_norm(pooled[single])), examples.words[single], label_smoothing=0.1
            )
        if settings.lessons:
            loss = loss + settings.lessons * self._distance(places, pooled, examples.lesson)
        return loss

    def _distance(self, places: Tensor, pooled: Tensor, lesson: Lesson) -> Tensor:
        """The mean squared distances to the teacher, of places and of the whole."""
        read = places.gather(1, lesson.at[:, :, None].expand(-1, -1, places.shape[2]))
        return F.mse_loss(self.heads.taught(read)[lesson.there], lesson.features[lesson.there]) + F.mse_loss(
            self.network.summarised(pooled), lesson.summary
        )

    def _rows(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """Utterances of similar length, so that little of a batch is padding."""
        count = len(self._by_length)
        width = min(_NEIGHBOURS, count)
        begin = min(max(int(chance.integers(-width // 2, count - width // 2)), 0), count - width)
        return self._by_length[begin + chance.choice(width, min(self._settings.batch_size, width), replace=False)]

    def examples(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Examples:
        """The batch of some utterances, each with random silence around it."""
        hop, speech = hop_of(RATE), self._speech
        before = chance.integers(0, round(_SILENCE_S * RATE), len(rows))
        after = chance.integers(0, round(_SILENCE_S * RATE), len(rows))
        frames = -(-(before + self._lengths[rows] + after) // hop)
        longest = int(frames.max())
        wave = np.zeros((len(rows), longest * hop), np.float32)
        places = np.zeros((len(rows), -(-longest // STRIDE)), np.int64)
        phones = []
        for place, row in enumerate(rows):
            begin, length, silence = self._starts[row], self._lengths[row], int(before[place])
            wave[place, silence : silence + length] = speech.wave[begin : begin + length]
            own = slice(self._phone_starts[row], speech.phone_ends[row])
            phones.append(speech.phones[own])
            edges = np.append(speech.begins[own], length - round(MARGIN_S * RATE)) + silence
            for phone, first, last in zip(
                phones[-1], edges[:-1] / (STRIDE * hop), edges[1:] / (STRIDE * hop), strict=True
            ):
                places[place, round(first) : max(round(last), round(first))] = phone
        return Examples(
            torch.from_numpy(wave).div_(2**15).view(len(rows), longest, hop),
            torch.arange(longest) < torch.from_numpy(frames)[:, None],
            torch.from_numpy(np.concatenate(phones)),
            torch.tensor([len(each) for each in phones]),
            torch.from_numpy(places),
            torch.from_numpy(speech.words[rows]),
            self._taught.lesson(rows, before / hop, places.shape[1]),
        )

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        tensors: dict[str, Tensor] = dict(self._modules.state_dict())
        for name, parameter in self._named:
            for key, value in self._optimiser.state[parameter].items():
                tensors[f"adam/{name}/{key}"] = torch.as_tensor(value)
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        self._modules.load_state_dict({name: state[name] for name in self._modules.state_dict()})
        for name, parameter in self._named:
            begun = f"adam/{name}/"
            own = {key.removeprefix(begun): value.clone() for key, value in state.items() if key.startswith(begun)}
            if own:
                self._optimiser.state[parameter] = own

    def weights(self) -> Weights:
        """See `Training`; the classifier is not trained."""
        settings, summary = self._settings, 2 * self._taught.dim
        metadata = {
            "architecture": architecture_of(settings.bands, settings.dim, settings.blocks, summary),
            "preprocessing": WaveformPreprocessing(RATE).to_json(),
        }
        kept = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        blank = {"fc.weight": torch.zeros(1, summary), "fc.bias": torch.zeros(1)}
        return Weights({**kept, **blank}, metadata)

    def transcriber(self) -> Weights:
        """What reads phones from the last layer: the tensors of a linear map."""
        kept = {name: tensor.detach().clone() for name, tensor in self.heads.order.state_dict().items()}
        return Weights(kept, {"phones": LETTERS})


class _Taught:
    """Lessons, standardised by dimension."""

    def __init__(self, lessons: Lessons) -> None:
        self._places, self._ends = lessons.places, lessons.ends
        self._starts = np.concatenate([[0], lessons.ends[:-1]])
        self.dim = lessons.places.shape[1]
        known = lessons.places.astype(np.float32)
        self._mean, self._spread = known.mean(0), known.std(0) + 1e-6
        wholes = self._wholes(known)
        self._summaries = (wholes - wholes.mean(0)) / (wholes.std(0) + 1e-6)

    def _wholes(self, known: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean and the maximum of each utterance's places, float32 [U, 2 D]."""
        means = np.add.reduceat(known, self._starts) / (self._ends - self._starts)[:, None]
        return np.concatenate([means, np.maximum.reduceat(known, self._starts)], 1).astype(np.float32)

    def lesson(self, rows: NDArray[np.int64], before: NDArray[np.float64], places: int) -> Lesson:
        """The lesson of utterances. before: frames of silence before each; places: of the network."""
        starts = self._starts[rows]
        counts = self._ends[rows] - starts
        number = np.arange(counts.max())
        taken = starts[:, None] + np.minimum(number, counts[:, None] - 1)
        at = np.rint((before[:, None] + FIRST + EVERY * number) / STRIDE).astype(np.int64)
        features = (self._places[taken].astype(np.float32) - self._mean) / self._spread
        return Lesson(
            torch.from_numpy(features),
            torch.from_numpy(at.clip(0, places - 1)),
            torch.from_numpy((number < counts[:, None]) & (at >= 0) & (at < places)),
            torch.from_numpy(self._summaries[rows]),
        )


def _share(done: float) -> float:
    """The learning rate's share of its highest value."""
    return done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
