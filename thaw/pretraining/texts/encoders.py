"""The encoders that are pretrained here, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from thaw.foundation.errors import BadParameters
from thaw.pretraining.texts.cooccurrence import Cooccurrence, CooccurrenceTraining
from thaw.pretraining.texts.corpus import Corpus, lines_of
from thaw.pretraining.texts.distilled import Distilled, DistilledTraining
from thaw.pretraining.texts.doc2vec import Doc2Vec, Doc2VecTraining
from thaw.pretraining.texts.elmo import Elmo, elmo_training
from thaw.pretraining.texts.fasttext import FastText, FastTextTraining
from thaw.pretraining.texts.infersent import InferSent, infersent_training
from thaw.pretraining.texts.lstm import Lstm, lstm_training
from thaw.pretraining.texts.nnlm import Nnlm, nnlm_training
from thaw.pretraining.texts.numbering import Lines, Numbered
from thaw.pretraining.texts.pairs import pair_lines
from thaw.pretraining.texts.quick_thought import QuickThought, quick_thought_training
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.texts.skip_thought import SkipThought, skip_thought_training
from thaw.pretraining.texts.word2vec import Word2Vec, Word2VecTraining
from thaw.pretraining.training import Training


@dataclass(frozen=True)
class Encoder:
    """An encoder. settings: their type. training: from a corpus in numbers, settings of that type, and the corpus itself. sentence: what it is and learns, for
    the card. lines: how its corpus is read."""

    settings: type[EncoderSettings]
    training: Callable[[Numbered, Any, Corpus], Training]
    sentence: str
    lines: Lines = lines_of


def _of_numbers(training: Callable[[Numbered, Any], Training]) -> Callable[[Numbered, Any, Corpus], Training]:
    """A training that needs no more than the numbers of a corpus."""

    def begin(numbered: Numbered, settings: Any, corpus: Corpus) -> Training:
        return training(numbered, settings)

    return begin


ENCODERS: Mapping[str, Encoder] = {
    "quick_thought": Encoder(
        QuickThought,
        _of_numbers(quick_thought_training),
        "Quick-Thought with bags of words (Logeswaran and Lee, ICLR 2018): means of word vectors of two encoders, side by side, which learnt to find a "
        "sentence's neighbour among others.",
    ),
    "cooccurrence": Encoder(
        Cooccurrence,
        _of_numbers(CooccurrenceTraining),
        "Counts of words near each other (Levy, Goldberg and Dagan, TACL 2015): means of word vectors, which are singular vectors of their mutual information.",
    ),
    "distilled": Encoder(
        Distilled,
        _of_numbers(DistilledTraining),
        "Distilled (Tulkens and van Dongen, Model2Vec, 2024): means of word vectors, which are the principal components of a larger encoder's features of "
        "single words.",
    ),
    "word2vec": Encoder(
        Word2Vec,
        _of_numbers(Word2VecTraining),
        "Word2Vec (Mikolov et al., NeurIPS 2013): means of word vectors, which learnt to foretell the words around a word.",
    ),
    "fasttext": Encoder(
        FastText,
        _of_numbers(FastTextTraining),
        "FastText (Bojanowski et al., TACL 2017): means of word vectors, which foretell the words around a word; an unknown word is made of its parts.",
    ),
    "doc2vec": Encoder(
        Doc2Vec,
        _of_numbers(Doc2VecTraining),
        "Doc2Vec (Le and Mikolov, ICML 2014): the vector that foretells a text's words best, found by a fixed number of gradient steps.",
    ),
    "nnlm": Encoder(
        Nnlm,
        _of_numbers(nnlm_training),
        "A neural language model (Bengio et al., JMLR 2003): sums of word vectors by the root of their number, which learnt to foretell the next word.",
    ),
    "lstm": Encoder(
        Lstm,
        _of_numbers(lstm_training),
        "A language model with long short-term memory (Sundermeyer et al., Interspeech 2012): the states after the words of a text, which learnt to foretell "
        "the next word.",
    ),
    "skip_thought": Encoder(
        SkipThought,
        _of_numbers(skip_thought_training),
        "Skip-Thought (Kiros et al., NIPS 2015): the last state of a gated recurrent unit, which learnt to foretell the sentences around a sentence.",
    ),
    "elmo": Encoder(
        Elmo,
        _of_numbers(elmo_training),
        "ELMo (Peters et al., NAACL 2018): the layers of a language model in both directions over the characters of words.",
    ),
    "infersent": Encoder(
        InferSent,
        infersent_training,
        "InferSent (Conneau et al., EMNLP 2017): the largest values of a recurrent network's states, which learnt what one sentence says of another.",
        pair_lines,
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
        told = "; ".join(
            f"{each['loc'][0]} is missing"
            if each["type"] == "missing"
            else _told(each["loc"], each["msg"], each["input"])
            for each in error.errors()
        )
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
