"""Labelled pairs of sentences: rows of CSV, TSV, JSON lines and Parquet, plain or packed as `.xz` or `.gz`."""

import csv
import io
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO, cast

import pyarrow.parquet as pq

from thaw.foundation.errors import BadSource
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.texts.word_keys import words_of
from thaw.pretraining.texts.corpus import DAMAGED, Corpus, checked, size_of, unpacked

log = logging.getLogger(__name__)
SENTENCES = ("sentence1", "sentence2")
LABELS = ("gold_label", "label")
"""Names of the column of labels; where both are there, the first counts, as in SNLI and MultiNLI."""
NO_LABEL = ("", "-")
"""What stands where the annotators did not agree (Bowman et al., EMNLP 2015)."""
_TOLD_EVERY = 1000


@dataclass(frozen=True)
class Pair:
    """Two sentences, and what the first says of the second, such as `entailment`."""

    first: str
    second: str
    label: str


def pair_lines(corpus: Corpus, progress: Progress = untold) -> Iterator[str]:
    """The pairs as lines: two sentences and an empty line, so that they are the neighbours of a paragraph. See `pairs_in`."""
    for pair in pairs_in(corpus, progress):
        yield pair.first
        yield pair.second
        yield ""


def pairs_in(corpus: Corpus, progress: Progress = untold) -> Iterator[Pair]:
    """The pairs of all files in order. Rows without a label (`-`), and with a sentence without words, are left out, and the log has their number.

    progress: called with the bytes that are read, of all bytes on the disk.

    Raises:
        BadSource: a file is missing, empty, damaged, of another encoding, or lacks a column.
    """
    sizes = [size_of(path) for path in corpus.files]
    rows = unlabelled = wordless = 0
    for number, path in enumerate(corpus.files):
        try:
            for row, place in _rows_in(path, corpus.encoding):
                rows += 1
                pair = _pair(row, place)
                if pair.label in NO_LABEL:
                    unlabelled += 1
                elif not (words_of(pair.first, lowercase=True) and words_of(pair.second, lowercase=True)):
                    wordless += 1
                else:
                    yield pair
        except DAMAGED as error:
            raise BadSource(f"{path} is damaged, or cut short ({error}); fetch it again") from error
        progress(sum(sizes[: number + 1]), sum(sizes))
    if unlabelled or wordless:
        log.info("%d of %d pairs are left out: %d without a label, %d without words", unlabelled + wordless, rows, unlabelled, wordless)  # fmt: skip


def _pair(row: Mapping[str, object], place: str) -> Pair:
    label = next((name for name in LABELS if name in row), None)
    if label is None or not all(name in row for name in SENTENCES):
        raise BadSource(
            f"{place} has the columns {', '.join(map(str, row))}; pairs have {', '.join(SENTENCES)} and label (or gold_label)"
        )
    first, second, told = ("" if row[name] is None else str(row[name]) for name in (*SENTENCES, label))
    return Pair(_line(first, place), _line(second, place), told.strip())


def _line(text: str, place: str) -> str:
    return checked(" ".join(text.split("\n")), place)


def _rows_in(path: Path, encoding: str | None) -> Iterator[tuple[Mapping[str, object], str]]:
    """Rows by the names of their columns, and their places; the content tells the form of a file."""
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"PAR1"):
            number = 0
            for batch in pq.ParquetFile(file).iter_batches(_TOLD_EVERY):
                for row in batch.to_pylist():
                    number += 1
                    yield row, f"{path}, row {number}"
            return
        with unpacked(file, head) as stream:
            text = io.TextIOWrapper(cast("io.BufferedReader", stream), encoding or "utf-8-sig", newline="")
            try:
                yield from _text_rows(path, text)
            except UnicodeDecodeError as error:
                raise BadSource(
                    f"{path} is not {encoding or 'UTF-8'} text; save it as UTF-8, or give --encoding"
                ) from error
            except (csv.Error, json.JSONDecodeError) as error:
                raise BadSource(f"{path} is damaged: {error}") from error
            finally:
                text.detach()


def _text_rows(path: Path, text: TextIO) -> Iterator[tuple[Mapping[str, object], str]]:
    first = text.readline()
    if first.lstrip().startswith("{"):
        for number, line in enumerate(chain([first], text), 1):
            if line.strip():
                yield _object(line, f"{path}, line {number}")
        return
    # SNLI's tables have quotation marks inside their cells, which stand for themselves where tabs separate.
    tabs = "\t" in first
    quoting = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    options = {"delimiter": "\t" if tabs else ",", "quoting": quoting, "strict": not tabs}
    names = next(csv.reader([first], **options))  # type: ignore[arg-type]  # the stubs want literals
    for number, cells in enumerate(csv.reader(text, **options), 2):  # type: ignore[arg-type]
        if cells:
            yield dict(zip(names, cells, strict=False)), f"{path}, row {number}"


def _object(line: str, place: str) -> tuple[Mapping[str, object], str]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise BadSource(f"{place} is no JSON object")
    return found, place
