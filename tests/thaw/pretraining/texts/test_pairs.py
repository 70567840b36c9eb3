"""Pairs are read from every form of table, and what is no pair is left out or told."""

import gzip
import json
import logging
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thaw.foundation.errors import BadSource
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.pairs import Pair, pair_lines, pairs_in

ROWS = [
    ("A man, \"old\", eats.", "A man eats.", "entailment"),
    ("A man eats.", "Nobody eats.", "contradiction"),
]  # fmt: skip
PAIRS = [Pair(*row) for row in ROWS]


def read(path: Path) -> list[Pair]:
    return list(pairs_in(Corpus((path,))))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_every_form_has_the_same_pairs(tmp_path: Path) -> None:
    csv = 'label,sentence1,sentence2\nentailment,"A man, ""old"", eats.",A man eats.\ncontradiction,A man eats.,Nobody eats.\n'
    tabs = "".join("\t".join((label, first, second)) + "\n" for first, second, label in ROWS)
    objects = [{"gold_label": label, "sentence1": first, "sentence2": second, "x": 1} for first, second, label in ROWS]
    assert read(write(tmp_path / "a.csv", csv)) == PAIRS
    assert read(write(tmp_path / "a.tsv", f"gold_label\tsentence1\tsentence2\n{tabs}")) == PAIRS
    assert read(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, objects)))) == PAIRS
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(csv.encode()))
    assert read(tmp_path / "a.csv.gz") == PAIRS
    pq.write_table(pa.Table.from_pylist(objects), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == PAIRS


def test_rows_without_a_label_or_words_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(
        tmp_path / "a.csv", "sentence1,sentence2,gold_label\na b,c,-\na,b c,\na,  ,neutral\n\na b,c d,neutral\n"
    )
    with caplog.at_level(logging.INFO):
        assert read(path) == [Pair("a b", "c d", "neutral")]
    assert "3 of 4 pairs are left out: 2 without a label, 1 without words" in caplog.text


def test_a_pair_is_a_paragraph_of_two_lines_whatever_ends_of_lines_are_in_it(tmp_path: Path) -> None:
    row = {"sentence1": "one\ntwo ", "sentence2": "three", "label": "alike"}
    path = write(tmp_path / "a.jsonl", json.dumps(row))
    assert list(pair_lines(Corpus((path,)))) == ["one two", "three", ""]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("neutral\tTwo women.\tSisters.\nneutral\tA man.\tA boy.\n", "row 2 has the columns neutral, Two women., Sisters.; pairs"),
        ('{"sentence1": "a", "label": "b"}\n', "line 1 has the columns sentence1, label"),
        ('{"sentence1": "a"\n', "is damaged"),
        ('{"sentence1": "a", "sentence2": "b", "label": "c"}\n[1]\n', "line 2 is no JSON object"),
        ('sentence1,sentence2,label\n"a,b,c\n', "is damaged"),
        ("", "is empty"),
        ("sentence1,sentence2,label\na\0b,b,c\n", "NUL"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_pairs_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadSource, match=r"a\.csv") as told:
        read(write(tmp_path / "a.csv", text))
    assert says in str(told.value)


def test_another_encoding_and_a_cut_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("sentence1,sentence2,label\ncaf\xe9,b,c\n".encode("latin-1"))
    with pytest.raises(BadSource, match="is not UTF-8 text"):
        read(tmp_path / "a.csv")
    assert list(pairs_in(Corpus((tmp_path / "a.csv",), encoding="latin-1"))) == [Pair("café", "b", "c")]
    (tmp_path / "cut.gz").write_bytes(gzip.compress(os.urandom(9000).hex().encode())[:3000])
    with pytest.raises(BadSource, match="cut short"):
        read(tmp_path / "cut.gz")
