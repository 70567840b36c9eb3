"""Tokenizers as texts, and the files that they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from thaw.foundation.errors import BadParameters, BadWeights
from thaw.kinds.texts.pieces import special_pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PARSING = Lock()


def tokenizer_from(text: str) -> Tokenizer:
    """The tokenizer of a JSON text, parsed once; threads may share it.

    Raises:
        BadParameters: the package tokenizers is not installed, or too old for the text.
    """
    with _PARSING:
        return _parsed(text)


def tokenizer_text(folder: Path, settings: Mapping[str, Any], *, lowercase: bool) -> str:
    """The JSON text of the tokenizer in a folder, without its limits of length: of `tokenizer.json`, or else made of the pieces in `vocab.txt`.

    settings: of `tokenizer_config.json`, for a folder with `vocab.txt` alone. lowercase: whether texts are written in small letters before the tokenizer's
    own rules.

    Raises:
        BadParameters: the package tokenizers is not installed.
        BadWeights: there is no such file, or it is damaged, or the tokenizer has no special pieces.
    """
    library = _library()
    tokenizer = _read(folder, settings)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if lowercase:
        rules = library.normalizers
        own = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
        tokenizer.normalizer = rules.Sequence([rules.Lowercase(), *own])
    if not special_pieces(tokenizer)[0]:
        raise BadWeights(
            f"{folder}: the tokenizer sets no special piece before a text, as networks of BERT's family need it"
        )
    text: str = tokenizer.to_str()
    return text


def unigram_text(pieces: Sequence[tuple[str, float]], unknown: int, charsmap: bytes, ends: tuple[int, int]) -> str:
    """The JSON text of a Unigram tokenizer of SentencePiece: Kudo, "Subword Regularization", ACL 2018, section 3.2.

    pieces: with the logarithms of their probabilities. unknown: the number of the piece for a run of unknown characters. charsmap: the normalisation, in
    SentencePiece's own form. ends: the numbers of the pieces before and after every text.

    Texts are composed (Unicode's NFC) before that normalisation, because the package looks for a letter and its mark together only in short ones.

    Raises:
        BadParameters: the package tokenizers is not installed.
        BadWeights: the pieces or the normalisation are damaged.
    """
    library = _library()
    rules = library.normalizers
    try:
        tokenizer = library.Tokenizer(library.models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
        own = rules.Precompiled(charsmap)
    except Exception as error:  # the library raises nothing more special
        raise BadWeights(
            f"the tokenizer's model is damaged, or newer than tokenizers {library.__version__} ({error})"
        ) from error
    spaces = rules.Replace(library.Regex(" {2,}"), " ")
    tokenizer.normalizer = rules.Sequence([rules.NFC(), own, spaces, rules.Strip()])
    tokenizer.pre_tokenizer = library.pre_tokenizers.Metaspace(
        replacement="\u2581", prepend_scheme="always", split=True
    )
    tokenizer.post_processor = library.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", ends[0]), ("</s>", ends[1])]
    )
    text: str = tokenizer.to_str()
    return text


def _read(folder: Path, settings: Mapping[str, Any]) -> Tokenizer:
    file, words = folder / "tokenizer.json", folder / "vocab.txt"
    library = _library()
    if file.is_file():
        try:
            tokenizer: Tokenizer = library.Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing more special
            raise BadWeights(f"{file} is damaged, or newer than tokenizers {library.__version__} ({error})") from error
        return tokenizer
    if not words.is_file():
        raise BadWeights(
            f"{folder} has no tokenizer.json and no vocab.txt; fetch one of them from where the weights are"
        )
    return _of_words(words, settings)


def _of_words(words: Path, settings: Mapping[str, Any]) -> Tokenizer:
    """BERT's own tokenizer with the pieces of a file, one in a line."""
    from tokenizers.implementations import BertWordPieceTokenizer

    lowercase = bool(settings.get("do_lower_case", True))
    try:
        made = BertWordPieceTokenizer(
            str(words),
            lowercase=lowercase,
            strip_accents=settings.get("strip_accents"),
            handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        )
    except Exception as error:  # the library raises nothing more special
        raise BadWeights(f"{words} is no list of BERT's pieces ({error})") from error
    tokenizer: Tokenizer = made._tokenizer
    return tokenizer


@lru_cache(maxsize=8)
def _parsed(text: str) -> Tokenizer:
    library = _library()
    try:
        tokenizer: Tokenizer = library.Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing more special
        raise BadParameters(
            f"tokenizers {library.__version__} cannot read the backbone's tokenizer ({error}); install a newer one"
        ) from error
    return tokenizer


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise BadParameters(
            "texts are cut into the pieces of this backbone by the package tokenizers, which is not installed; run `pip install 'thaw[texts]'`"
        ) from error
    return tokenizers
