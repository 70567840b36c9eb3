"""Files of word vectors, real ones and damaged ones."""

import struct
from pathlib import Path

import numpy as np
import pytest

from thaw.backbones.converting.vector_files import Vectors, is_vectors, read_vectors
from thaw.foundation.errors import BadWeights


def plainly(path: Path, *, header: bool) -> dict[str, list[float]]:
    """The text format, read in the plainest way."""
    lines = path.read_text(encoding="utf-8").splitlines()[1 if header else 0 :]
    return {line.split(" ")[0]: [float(part) for part in line.rstrip().split(" ")[1:]] for line in lines}


def as_dict(vectors: Vectors) -> dict[str, list[float]]:
    return {word: row.tolist() for word, row in zip(vectors.words, vectors.vectors, strict=True)}


@pytest.mark.parametrize(
    ("name", "header", "shape"),
    [
        ("gensim/test_glove.txt", False, (76, 50)),
        ("gensim/word2vec_pre_kv_c", True, (1750, 10)),
        ("gensim/lee_fasttext.vec", True, (1762, 10)),
        ("gensim/crime-and-punishment.vec", True, (291, 5)),
        ("vectors/glove.6B.50d.first10000.txt", False, (10000, 50)),
    ],
)
def test_text_files_are_read_to_the_last_digit(
    real_data: Path, name: str, header: bool, shape: tuple[int, int]
) -> None:
    path = real_data / "text" / name
    assert is_vectors(path)
    vectors = read_vectors(path)
    assert vectors.vectors.shape == shape and vectors.vectors.dtype == np.float32 and not vectors.skipped
    wanted = plainly(path, header=header)
    assert as_dict(vectors) == {word: np.float32(row).tolist() for word, row in wanted.items()}


def test_the_binary_format(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "text/gensim/euclidean_vectors.bin"
    vectors = read_vectors(path)
    assert vectors.vectors.shape == (2747, 10) and vectors.words[:2] == ["the", "to"]
    content, start = path.read_bytes(), 8 + len(b"the ")
    assert content[:8] == b"2747 10\n"
    assert vectors.vectors[0].tolist() == list(struct.unpack("<10f", content[start : start + 40]))
    # word2vec's own program ends each vector with a line end, which belongs to no word.
    lines = b"".join(
        word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(vectors.words, vectors.vectors, strict=True)
    )
    (tmp_path / "w.bin").write_bytes(b"2747 10\n" + lines)
    again = read_vectors(tmp_path / "w.bin")
    assert again.words == vectors.words and np.array_equal(again.vectors, vectors.vectors)


@pytest.mark.parametrize(
    ("name", "binary", "header"),
    [("euclidean_vectors.bin", True, True), ("word2vec_pre_kv_c", False, True), ("test_glove.txt", False, False)],
)
def test_gensim_reads_the_same(real_data: Path, name: str, binary: bool, header: bool) -> None:
    from gensim.models import KeyedVectors

    path = real_data / "text/gensim" / name
    reference = KeyedVectors.load_word2vec_format(str(path), binary=binary, no_header=not header)
    vectors = read_vectors(path)
    assert vectors.words == reference.index_to_key and np.array_equal(vectors.vectors, reference.vectors)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"3 2\na " + struct.pack("<2f", 0, 1) + b"b " + struct.pack("<2f", 0, 1), "promises 3 words, and 2 are there"),
        (b"a b c\n", "holds no word vectors"),
    ],
)
def test_what_is_damaged_or_not_read_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(BadWeights, match=says):
        read_vectors(tmp_path / "v")


def test_odd_lines_are_left_out_and_words_with_spaces_stay(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("the 1 2\n. . . 3 4\nbroken 1\nnan nan 1\nat name@domain.com 5 6\n")
    vectors = read_vectors(tmp_path / "v.txt")
    assert vectors.words == ["the", ". . .", "at name@domain.com"] and vectors.skipped == 2
    assert vectors.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"path,label\na,b\n", b"the cat sat on the mat\n", b"12 7\n"])
def test_other_files_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert is_vectors(tmp_path / "f") == (content == b"12 7\n"), "a header alone begins like one"
