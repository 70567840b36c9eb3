"""A corpus as numbers of words, in files that are mapped into memory, so that its size does not matter."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import write_text
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.texts.word_keys import words_of
from thaw.pretraining.texts.corpus import Corpus, lines_of

Lines = Callable[[Corpus, Progress], Iterator[str]]
"""The lines of a corpus; an empty line ends a paragraph."""

FEWEST = 100
"""The fewest sentences from which anything can be learnt and measured."""
_HELD_OUT_EVERY, _BLOCK = 50, 32
"""Of so many blocks of neighbouring sentences one is held out."""
_FACTS = "corpus.json"


@dataclass(frozen=True)
class Vocabulary:
    """The words that are learnt, the most frequent first, and how often the corpus has each of them; words of equal counts stand in the order of their first
    places. all_words: of the corpus, with those that are too rare."""

    words: tuple[str, ...]
    counts: tuple[int, ...]
    all_words: int


@dataclass(frozen=True)
class Facts:
    """What the card says of a corpus. digest: BLAKE3, hex, of its lines in UTF-8, whatever the files' packing. words: running words."""

    digest: str
    sentences: int
    words: int


@dataclass(frozen=True, eq=False)
class Numbered:
    """A corpus. words: int32 [N], places in the vocabulary, without other words. starts: int64 [S + 1], the first word of each sentence. follows: bool [S],
    whether a sentence and the one before it are neighbours in a paragraph. Sentences without a known word stay, empty."""

    vocabulary: Vocabulary
    facts: Facts
    words: NDArray[np.int32]
    starts: NDArray[np.int64]
    follows: NDArray[np.bool_]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of known words of each sentence: int64 [S]."""
        return np.diff(self.starts)

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Sentences that measure the result and are not learnt from: bool [S], whole blocks of neighbours, about 2 %."""
        sentences = len(self.follows)
        block = min(max(sentences // 200, 2), _BLOCK)
        held_out: NDArray[np.bool_] = np.arange(sentences) // block % _HELD_OUT_EVERY == _HELD_OUT_EVERY // 2
        return held_out

    def sentence(self, number: int) -> NDArray[np.int32]:
        """The words of a sentence: int32 [T]."""
        return self.words[self.starts[number] : self.starts[number + 1]]

    def joined(self, sentences: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The words of sentences one after another, int64 [N], and the first place of each sentence, int64 [B]."""
        starts, lengths = self.starts[sentences], self.lengths[sentences]
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        words = self.words[np.repeat(starts - first, lengths) + np.arange(lengths.sum())].astype(np.int64)
        return words, first

    def padded(self, sentences: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The words of sentences, int64 [B, T], 0 behind the last one, and whether there is one, bool [B, T]."""
        words, _ = self.joined(sentences)
        lengths = self.lengths[sentences]
        there = np.arange(max(lengths.max(), 1)) < lengths[:, None]
        rows = np.zeros(there.shape, np.int64)
        rows[there] = words
        return rows, there

    def learnt_neighbours(self, window: int) -> NDArray[np.int64]:
        """Those pairs of `neighbours` of which no sentence is held out: int64 [P, 2]."""
        pairs = self.neighbours(window)
        return pairs[~self.held_out[pairs].any(1)]

    def neighbours(self, window: int) -> NDArray[np.int64]:
        """Pairs of sentences at most `window` apart in a paragraph, the earlier one first: int64 [P, 2]. Each has a known word."""
        filled = self.lengths > 0
        found = []
        reached = np.ones(len(self.follows), bool)
        for distance in range(1, min(window, len(self.follows) - 1) + 1):
            # The sentence `distance` later is in the same paragraph if every sentence on the way follows the one before it.
            reached = reached[:-1] & self.follows[distance:]
            first = np.flatnonzero(reached & filled[:-distance] & filled[distance:])
            found.append(np.stack([first, first + distance], 1))
        return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def count_words(
    corpus: Corpus, *, lowercase: bool, progress: Progress = untold, lines: Lines = lines_of
) -> tuple[Counter[str], Facts]:
    """How often each word occurs, in the order of first places.

    Raises:
        BadSource: see `lines_of`; or the corpus has too few sentences.
    """
    counts: Counter[str] = Counter()
    hasher, sentences = blake3(), 0
    for line in lines(corpus, progress):
        hasher.update(f"{line}\n".encode())
        found = words_of(line, lowercase)
        counts.update(found)
        sentences += bool(found)
    if sentences < FEWEST:
        raise BadSource(
            f"the corpus has {sentences} sentences, and pretraining needs {FEWEST} or more, one on each line"
        )
    return counts, Facts(hasher.hexdigest(), sentences, counts.total())


def vocabulary_of(counts: Counter[str], *, min_count: int, max_words: int) -> Vocabulary:
    """The most frequent words.

    Raises:
        BadSource: fewer than two words occur often enough.
    """
    kept = [(word, count) for word, count in counts.most_common(max_words) if count >= min_count]
    if len(kept) < 2:
        raise BadSource(
            f"{len(kept)} words of the corpus occur {min_count} times or more; give more text, or set min_count lower"
        )
    words, numbers = zip(*kept, strict=True)
    return Vocabulary(words, numbers, len(counts))


def number_corpus(
    corpus: Corpus,
    vocabulary: Vocabulary,
    facts: Facts,
    folder: Path,
    *,
    lowercase: bool,
    progress: Progress = untold,
    lines: Lines = lines_of,
) -> Numbered:
    """Write the numbered corpus to a folder, and open it. A kill leaves a folder that `read_numbered` takes for none."""
    (folder / _FACTS).unlink(missing_ok=True)
    places = {word: place for place, word in enumerate(vocabulary.words)}
    with (
        (folder / "words").open("wb") as words,
        (folder / "starts").open("wb") as starts,
        (folder / "follows").open("wb") as follows,
    ):
        end, inside = 0, False
        np.zeros(1, np.int64).tofile(starts)
        for line in lines(corpus, progress):
            if not (found := words_of(line, lowercase)):
                inside = False
                continue
            known = np.array([places[word] for word in found if word in places], np.int32)
            end += len(known)
            words.write(known.tobytes())
            starts.write(end.to_bytes(8, "little"))
            follows.write(bytes([inside]))
            inside = True
    stated = {"vocabulary": vars(vocabulary), "facts": vars(facts)}
    write_text(folder / _FACTS, json.dumps(stated) + "\n")
    numbered = read_numbered(folder)
    assert numbered is not None
    return numbered


def read_numbered(folder: Path) -> Numbered | None:
    """Open the files of `number_corpus`; None: they are not there, or not whole."""
    try:
        stated = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except OSError:
        return None
    given = stated["vocabulary"]
    vocabulary = Vocabulary(tuple(given["words"]), tuple(given["counts"]), given["all_words"])
    words, starts, follows = (
        _mapped(folder / name, kind) for name, kind in (("words", "<i4"), ("starts", "<i8"), ("follows", "?"))
    )
    return Numbered(vocabulary, Facts(**stated["facts"]), words, starts, follows)


def _mapped(path: Path, kind: str) -> NDArray[Any]:
    return np.memmap(path, kind, "r") if path.stat().st_size else np.empty(0, kind)


def sentences_of(numbered: Numbered) -> Iterator[list[str]]:
    """The sentences that are learnt from, as words; sentences without a known word are left out."""
    words, held_out = numbered.vocabulary.words, numbered.held_out
    for number in np.flatnonzero((numbered.lengths > 0) & ~held_out):
        yield [words[place] for place in numbered.sentence(int(number))]
