"""The preparation of texts for an exported graph, for the README of exports: the very functions that Thaw uses."""

import inspect
from collections.abc import Callable, Mapping

from thaw.kinds.kind import Preprocessing, Recipe
from thaw.kinds.texts import (
    characters,
    fingerprints,
    moses_words,
    pieces,
    spaced_words,
    subwords,
    treebank,
    word_keys,
)
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing
from thaw.kinds.texts.moses_preprocessing import MosesPreprocessing
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.spaced_preprocessing import SpacedPreprocessing
from thaw.kinds.texts.subword_preprocessing import SubwordPreprocessing
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

_WORD_NOTE = """\
`tokens` holds a number for each word, and `mask` is false behind the end of a shorter text; T is the number of words of the longest text."""
_WORD_PATTERN = f"WORD = re.compile({word_keys.WORD.pattern!r})\n"
_WORD_IMPORTS = ("import hashlib", "import re", "import unicodedata", "from functools import lru_cache")
_WORD_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    return padded([keys_of(text, card["preprocessing"]["lowercase"]) for text in map(text_in, paths)])
'''
_SUBWORD_NOTE = f"""{_WORD_NOTE}
`grams` holds the numbers of the words' parts, and `owners` the place of the word of each."""
_SUBWORD_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    stated = card["preprocessing"]
    sizes = (stated["shortest"], stated["longest"], stated["buckets"])
    texts = [words_of(text_in(path), stated["lowercase"]) for path in paths]
    parts = [subwords_of(words, *sizes) for words in texts]
    longest = max(len(each) for each in parts)
    parts = np.stack([np.pad(each, ((0, longest - len(each)), (0, 0))) for each in parts])
    keys = [np.array([key_of(word) for word in words], np.int64) for words in texts]
    return {**padded(keys), "grams": parts[:, :, 0], "owners": parts[:, :, 1]}
'''
_PIECE_NOTE = """\
`tokens` holds the number of each piece of a word, and `mask` is false behind the end of a shorter text; T is the number of pieces of the longest text. A text
of more than `max_tokens` pieces is laid out in windows that share a quarter, one after another."""
_PIECE_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    stated = card["preprocessing"]
    tokenizer = Tokenizer.from_str(stated["tokenizer"])
    return padded([np.array(pieces_of(tokenizer, text, stated["max_tokens"]), np.int64) for text in map(text_in, paths)])
'''
_CHARACTER_NOTE = """\
`tokens` holds the characters of each word, as their bytes with marks around them, and `mask` is false behind the end of a shorter text; T is the number of
words of the longest text."""
_CHARACTER_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    longest = card["preprocessing"]["longest"]
    texts = [characters_of(words_of(text_in(path), False), longest) for path in paths]
    most = max(len(each) for each in texts)
    tokens = np.stack([np.pad(each, ((0, most - len(each)), (0, 0))) for each in texts])
    return {"tokens": tokens, "mask": np.stack([np.arange(most) < len(each) for each in texts])}
'''
_MOSES_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    texts = [moses_words_of(text_in(path)) for path in paths]
    return padded([np.array([key_of(word) for word in words], np.int64) for words in texts])
'''
_TREEBANK_BATCH = _WORD_BATCH.replace("keys_of", "treebank_keys")
_SPACED_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    stated = card["preprocessing"]
    return padded([fingerprints_of(text, stated["punctuation"], stated["empty"]) for text in map(text_in, paths)])
'''
_PADDED = '''\
def text_in(path):
    """The text of a file."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return file.read()


def padded(texts):
    """Arrays of numbers as one batch."""
    longest = max(len(each) for each in texts)
    tokens = np.stack([np.pad(each, (0, longest - len(each))) for each in texts])
    mask = np.stack([np.arange(longest) < len(each) for each in texts])
    return {"tokens": tokens, "mask": mask}

'''


def recipe_of(preprocessing: Preprocessing) -> Recipe:
    """The recipe of a preprocessing of texts."""
    return _RECIPES[type(preprocessing)]()


def _word_recipe() -> Recipe:
    code = "\n\n".join(
        [_WORD_PATTERN, *_sources(word_keys.words_of, word_keys.key_of, word_keys.keys_of), _PADDED, _WORD_BATCH]
    )
    return Recipe(_WORD_NOTE, (), _WORD_IMPORTS, code.replace(" -> NDArray[np.int64]", ""))


def _subword_recipe() -> Recipe:
    functions = (word_keys.words_of, word_keys.key_of, subwords.bucket_of, subwords.grams_of, subwords.subwords_of)
    code = "\n\n".join([_WORD_PATTERN, *_sources(*functions), _PADDED, _SUBWORD_BATCH])
    imports = (*_WORD_IMPORTS, "from collections.abc import Sequence")
    return Recipe(_SUBWORD_NOTE, (), imports, code.replace(" -> NDArray[np.int64]", ""))


def _character_recipe() -> Recipe:
    code = "\n\n".join(
        [_WORD_PATTERN, *_sources(word_keys.words_of, characters.characters_of), _PADDED, _CHARACTER_BATCH]
    )
    imports = ("import re", "import unicodedata", "from collections.abc import Sequence")
    return Recipe(_CHARACTER_NOTE, (), imports, code.replace(" -> NDArray[np.int16]", ""))


def _moses_recipe() -> Recipe:
    functions = (word_keys.words_of, word_keys.key_of, moses_words.moses_words_of)
    code = "\n\n".join([_WORD_PATTERN, *_sources(*functions), _PADDED, _MOSES_BATCH])
    return Recipe(_WORD_NOTE, (), _WORD_IMPORTS, code)


def _sources(*functions: Callable[..., object]) -> list[str]:
    return [inspect.getsource(each) for each in functions]


def _piece_recipe() -> Recipe:
    code = "\n\n".join([*_sources(pieces.pieces_of, pieces.special_pieces), _PADDED, _PIECE_BATCH])
    return Recipe(_PIECE_NOTE, ("tokenizers",), ("from tokenizers import Tokenizer",), code)


def _treebank_recipe() -> Recipe:
    patterns = {name: getattr(treebank, name) for name in ("ABBREVIATION", "END", "SPLIT", "JOINED")}
    named = "".join(f"{name} = re.compile({each.pattern!r}, {each.flags})\n" for name, each in patterns.items())
    functions = (
        treebank.treebank_words,
        treebank.sentences_of,
        treebank.words_in,
        word_keys.key_of,
        treebank.treebank_keys,
    )
    code = "\n\n".join([named, *_sources(*functions), _PADDED, _TREEBANK_BATCH])
    return Recipe(_WORD_NOTE, (), _WORD_IMPORTS, code.replace(" -> NDArray[np.int64]", ""))


def _spaced_recipe() -> Recipe:
    constants = f"BITS = {fingerprints.BITS:#x}\nK0, K1, K2 = {fingerprints.K0:#x}, {fingerprints.K1:#x}, {fingerprints.K2:#x}\n"
    hashes = (
        fingerprints.fetch,
        fingerprints.turned,
        fingerprints.mixed,
        fingerprints.pair_hash,
        fingerprints.weak_hash,
    )
    sizes = (fingerprints.short_hash, fingerprints.middle_hash, fingerprints.long_hash, fingerprints.fingerprint_of)
    functions = (*hashes, *sizes, spaced_words.spaced_words, spaced_words.fingerprints_of)
    code = "\n\n".join([constants, *_sources(*functions), _PADDED, _SPACED_BATCH])
    imports = ("import re", "import unicodedata", "from functools import lru_cache")
    return Recipe(_WORD_NOTE, (), imports, code.replace(" -> NDArray[np.int64]", ""))


_RECIPES: Mapping[type, Callable[[], Recipe]] = {
    WordPreprocessing: _word_recipe,
    SubwordPreprocessing: _subword_recipe,
    PiecePreprocessing: _piece_recipe,
    CharacterPreprocessing: _character_recipe,
    MosesPreprocessing: _moses_recipe,
    TreebankPreprocessing: _treebank_recipe,
    SpacedPreprocessing: _spaced_recipe,
}
