"""The preparation of texts for an exported graph, for the README of exports: the very functions that Thaw uses."""

import inspect

from thaw.kinds.kind import Preprocessing, Recipe
from thaw.kinds.texts import pieces, word_keys
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing

_WORD_NOTE = """\
`tokens` holds a number for each word, and `mask` is false behind the end of a shorter text; T is the number of words of the longest text."""
_WORD_IMPORTS = ("import hashlib", "import re", "import unicodedata", "from functools import lru_cache")
_WORD_BATCH = '''\
def batch_of(paths):
    """The inputs of the graph."""
    return padded([keys_of(text, card["preprocessing"]["lowercase"]) for text in map(text_in, paths)])
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
    return _piece_recipe() if isinstance(preprocessing, PiecePreprocessing) else _word_recipe()


def _word_recipe() -> Recipe:
    functions = (inspect.getsource(each) for each in (word_keys.words_of, word_keys.key_of, word_keys.keys_of))
    pattern = f"WORD = re.compile({word_keys.WORD.pattern!r})\n"
    code = "\n\n".join([pattern, *functions, _PADDED, _WORD_BATCH])
    return Recipe(_WORD_NOTE, (), _WORD_IMPORTS, code.replace(" -> NDArray[np.int64]", ""))


def _piece_recipe() -> Recipe:
    functions = (inspect.getsource(each) for each in (pieces.pieces_of, pieces.special_pieces))
    code = "\n\n".join([*functions, _PADDED, _PIECE_BATCH])
    return Recipe(_PIECE_NOTE, ("tokenizers",), ("from tokenizers import Tokenizer",), code)
