"""The training of the sound network: it learns the phones of synthetic speech, their places, and the words.

The phones are learnt from transcripts: Graves et al., "Connectionist Temporal Classification", ICML 2006. espeak-ng also says when each phone begins, so the
phone of each place is learnt too, and the word of a single one.
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
    seed: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=1, description="of torch; the numbers depend on it in the last digits")] = 1


@dataclass(frozen=True)
class Examples:
    """A batch. samples: float32 [B, F, hop]; mask: bool [B, F]; phones: int64 [P] of all rows, `counts` of each; places: int64 [B, T], the phone of each place
    of 20 ms, `BLANK` where there is none; words: int64 [B]."""

    samples: Tensor
    mask: Tensor
    phones: Tensor
    counts: Tensor
    places: Tensor
    words: Tensor


class Heads(nn.Module):
    """What reads the network during the training: phones of places for both losses, and words."""

    def __init__(self, dim: int, words: int) -> None:
        super().__init__()
        self.order, self.place = nn.Linear(dim, PHONES), nn.Linear(dim, PHONES)
        self.word_norm, self.word = nn.LayerNorm(PARTS * dim), nn.Linear(PARTS * dim, words)


class SoundTraining:
    """A `Training`; a step is a batch."""

    def __init__(self, speech: Speech, words: int, settings: SoundSettings) -> None:
        self._speech, self._settings = speech, settings
        starts = np.concatenate([[0], speech.ends[:-1]])
        self._starts, self._lengths = starts, speech.ends - starts
        self._phone_starts = np.concatenate([[0], speech.phone_ends[:-1]])
        self._by_length = np.argsort(self._lengths, kind="stable")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = PhoneNetwork(settings.bands, settings.dim, settings.blocks, PHONES)
            self.heads = Heads(settings.dim, words)
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
        single = examples.words >= 0
        if settings.words and bool(single.any()):
            vectors = heads.word_norm(self.network.pool(places[single]))
            loss = loss + settings.words * F.cross_entropy(
                heads.word(vectors), examples.words[single], label_smoothing=0.1
            )
        return loss

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
        settings = self._settings
        metadata = {
            "architecture": architecture_of(settings.bands, settings.dim, settings.blocks),
            "preprocessing": WaveformPreprocessing(RATE).to_json(),
        }
        kept = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        blank = {"fc.weight": torch.zeros(1, PARTS * settings.dim), "fc.bias": torch.zeros(1)}
        return Weights({**kept, **blank}, metadata)

    def transcriber(self) -> Weights:
        """What reads phones from the last layer: the tensors of a linear map."""
        kept = {name: tensor.detach().clone() for name, tensor in self.heads.order.state_dict().items()}
        return Weights(kept, {"phones": LETTERS})


def _share(done: float) -> float:
    """The learning rate's share of its highest value."""
    return done / 0.1 if done < 0.1 else 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
