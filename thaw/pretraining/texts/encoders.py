"""The encoders that are pretrained here, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from thaw.foundation.errors import BadParameters
from thaw.pretraining.texts.cooccurrence import Cooccurrence, CooccurrenceTraining
from thaw.pretraining.texts.doc2vec import Doc2Vec, Doc2VecTraining
from thaw.pretraining.texts.fasttext import FastText, FastTextTraining
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.quick_thought import QuickThought, QuickThoughtTraining
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.texts.training import Training
from thaw.pretraining.texts.word2vec import Word2Vec, Word2VecTraining


@dataclass(frozen=True)
class Encoder:
    """An encoder. settings: their type. training: from a corpus and settings of that type. sentence: what it is and learns, for the card."""

    settings: type[EncoderSettings]
    training: Callable[[Numbered, Any], Training]
    sentence: str


ENCODERS: Mapping[str, Encoder] = {
    "quick_thought": Encoder(
        QuickThought,
        QuickThoughtTraining,
        "Quick-Thought with bags of words (Logeswaran and Lee, ICLR 2018): means of word vectors of two encoders, side by side, which learnt to find a "
        "sentence's neighbour among others.",
    ),
    "cooccurrence": Encoder(
        Cooccurrence,
        CooccurrenceTraining,
        "Counts of words near each other (Levy, Goldberg and Dagan, TACL 2015): means of word vectors, which are singular vectors of their mutual information.",
    ),
    "word2vec": Encoder(
        Word2Vec,
        Word2VecTraining,
        "Word2Vec (Mikolov et al., NeurIPS 2013): means of word vectors, which learnt to foretell the words around a word.",
    ),
    "fasttext": Encoder(
        FastText,
        FastTextTraining,
        "FastText (Bojanowski et al., TACL 2017): means of word vectors, which foretell the words around a word; an unknown word is made of its parts.",
    ),
    "doc2vec": Encoder(
        Doc2Vec,
        Doc2VecTraining,
        "Doc2Vec (Le and Mikolov, ICML 2014): the vector that foretells a text's words best, found by a fixed number of gradient steps.",
    ),
}


def encoder_named(name: str) -> Encoder:
    """The encoder of that name.

    Raises:
        BadParameters: there is none.
    """
    if name not in ENCODERS:
        raise BadParameters(f"--encoder: {name} is none that is pretrained here; there are {', '.join(ENCODERS)}")
    return ENCODERS[name]


def settings_of(name: str, given: Mapping[str, object]) -> EncoderSettings:
    """The settings of an encoder; those that are not given have their defaults.

    Raises:
        BadParameters: the encoder has no such setting, or a value is not allowed.
    """
    kind = encoder_named(name).settings
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        told = "; ".join(_told(each["loc"], each["msg"], each["input"]) for each in error.errors())
        raise BadParameters(f"--set: {told}; {name} has {', '.join(kind.model_fields)}") from error


def settings_given(pairs: Sequence[str]) -> dict[str, object]:
    """Settings of texts such as `dim=100`.

    Raises:
        BadParameters: a text has no `=`, or names a setting twice.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in found:
            raise BadParameters(f"--set: {pair} given; give each setting once, as NAME=VALUE, such as dim=100")
        found[name] = value
    return found


def _told(place: tuple[int | str, ...], message: str, value: object) -> str:
    return f"{'.'.join(map(str, place)) or 'settings'}: {value} given ({message})"
