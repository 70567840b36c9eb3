"""Tables whose rows are examples, as people write them."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.dataset import places
from thaw.dataset.candidates import Source
from thaw.dataset.folders import read_source
from thaw.dataset.ingestion import ingest
from thaw.dataset.listing_tables import Table, open_table
from thaw.dataset.places import Places, references_of
from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.reading import read_ingested
from thaw.kinds.registry import kind_named
from thaw.params.sections import DatasetParams

TEXTS = kind_named("texts")


def read(root: Path, content: str | bytes, name: str = "t.csv", encoding: str | None = None) -> Source:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(root / name, rows=True, encoding=encoding)


def rows_in(source: Source) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(one.path, one.label, one.split, one.group) for one in source.candidates]


def test_every_column(tmp_path: Path) -> None:
    source = read(tmp_path, "text,label,split,group,id\nA b,x,train,g1,7\n C ,y,dev,,8\nd,,test,g1,9\n")
    assert rows_in(source) == [
        ("t.csv#7", "x", "train", "g1"),
        ("t.csv#8", "y", "val", None),
        ("t.csv#9", None, "test", "g1"),
    ]


def parquet(root: Path) -> bytes:
    path = root / "made.parquet"
    pq.write_table(pa.table({"text": ["a, b", "c\nd"], "label": ["x", "y"]}), path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "semicolons.csv", "excel.csv"])
def test_every_format_gives_the_same_texts(tmp_path: Path, name: str) -> None:
    contents = {
        "t.csv": b'text,label\n"a, b",x\n"c\nd",y\n',
        "t.tsv": b'text\tlabel\na, b\tx\n"c\nd"\ty\n',
        "t.jsonl": b'{"text": "a, b", "label": "x"}\n\n{"label": "y", "text": "c\\nd"}\n',
        "semicolons.csv": b'text;label\na, b;x\n"c\nd";y',
        "excel.csv": b'\xef\xbb\xbftext,label\r\n"a, b",x\r\n"c\nd",y\r\n',
    }
    source = read(tmp_path, contents.get(name) or parquet(tmp_path), name)
    here = Places(tmp_path / name)
    assert [(one.path, one.label) for one in source.candidates] == [(f"{name}#1", "x"), (f"{name}#2", "y")]
    assert [here.at(one.path).read_bytes() for one in source.candidates] == [b"a, b", b"c\nd"]


def test_sets_of_labels(tmp_path: Path) -> None:
    source = read(tmp_path, '{"text": "a", "labels": ["y", "x"]}\n{"text": "b", "labels": []}\n', "t.jsonl")
    assert [one.labels for one in source.candidates] == [("x", "y"), ()]
    source = read(tmp_path, "text,labels\na,y|x\nb,|\nc,\n")
    assert [one.labels for one in source.candidates] == [("x", "y"), (), None]


def test_other_names_of_columns_are_known_and_told(tmp_path: Path) -> None:
    source = read(tmp_path, "Review,Category,stars\ngood,pos,5\nbad,neg,1\n")
    assert [one.label for one in source.candidates] == ["pos", "neg"]
    assert source.notes == (
        "The table's column review is read as text.",
        "The table's column category is read as label.",
        "The table's columns stars are not used.",
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("text,stars\na,1\n", "has no column label, only text, stars; name the column label"),
        ("path,label\na,x\n", "no row of the listing .* can be used"),
        ("text,label,labels\na,x,x|y\n", "has the columns label and labels; keep one of them"),
        ("text,label,id\na,x,1\nb,y,1\n", "has the id `1` in 2 rows; give each row an id of its own"),
        ('text,label\n"a,x\nb,y\n', 'the quote that is opened in line 2 is never closed; write "" for a quote'),
        (
            "text,label\na,é\n".encode("cp1252"),
            r"is not UTF-8 text \(byte 13\), and it looks like .*set dataset.encoding=",
        ),
        (
            "text,label\na,x\n".encode("utf-16"),
            "it looks like utf-16; save it as UTF-8, or set dataset.encoding=utf-16",
        ),
    ],
)
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(BadSource, match=says):
        read(tmp_path, content)


def test_a_bad_row_is_rejected_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = 'text,label,split\n"He said "hi" to me",x,train\na,x,train,more\nb,y,tomorrow\nc,y,train\nd,x,train\n'
    source = read(tmp_path, content)
    assert [one.path for one in source.candidates] == ["t.csv#4", "t.csv#5"]
    reasons = {one.path: one.reason for one in source.rejected}
    assert "has broken quotes (line 2" in reasons["t.csv#1"] and 'write "" for a quote' in reasons["t.csv#1"]
    assert reasons["t.csv#2"] == "has 4 fields; the header has 3"
    assert reasons["t.csv#3"].startswith("has the split `tomorrow`")
    lines = read(tmp_path, '{"text": "a", "label": "x"}\nno json\n[1]\n{"text": "b", "label": "y"}\n', "t.jsonl")
    assert [one.path for one in lines.candidates] == ["t.jsonl#1", "t.jsonl#4"]
    assert [one.reason.split(" (")[0] for one in lines.rejected] == ["is not JSON", "is no JSON object"]


def test_another_encoding_is_used_where_it_is_named(tmp_path: Path) -> None:
    source = read(tmp_path, "text,label\ncafé,x\nthé,y\n".encode("cp1252"), encoding="cp1252")
    place = Places(tmp_path / "t.csv", "cp1252").at(source.candidates[0].path)
    assert place.read_bytes().decode() == "café"
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.txt").write_bytes("café".encode("cp1252"))
    assert Places(tmp_path, "cp1252").at("a/1.txt").read_bytes().decode() == "café"
    with pytest.raises(OSError, match="is not ascii text"):
        Places(tmp_path, "ascii").at("a/1.txt").read_bytes()
    with pytest.raises(ValueError, match="there is no encoding `klingon`"):
        DatasetParams(encoding="klingon")
    assert DatasetParams(encoding="UTF8").encoding is None


def test_for_other_kinds_a_table_is_a_listing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\na,x\n")
    with pytest.raises(BadSource, match="has no column path"):
        read_source(tmp_path, "t.csv")
    with pytest.raises(BadSource, match="is a file, not a folder"):
        read_source(tmp_path / "t.csv")


def ingested(root: Path, content: str, **params: object):  # type: ignore[no-untyped-def]
    (root / "t.csv").write_text(content)
    return ingest(Places(root / "t.csv"), DatasetParams.model_validate({"source": "t.csv", **params}), TEXTS)


def test_rows_become_a_manifest(tmp_path: Path) -> None:
    result = ingested(tmp_path, 'text,label\ngood day,x\n"  ",x\nbad\0day,y\n"",y\nbad day,y\ngood day,y\nnice,x\n')
    assert {one.path: one.reason for one in result.rejected} == {
        "t.csv#2": "holds nothing but spaces",
        "t.csv#3": "holds NUL bytes, so it is no text",
        "t.csv#4": "is empty",
    }
    first = next(one for one in result.manifest.examples() if one.path == "t.csv#1")
    assert (first.shape, first.size, first.digest) == ((8,), 8, digest_bytes(b"good day"))
    assert result.manifest.kind == "texts"


def test_a_text_that_is_too_long_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = f"text,label\n{'word ' * 100_000},x\n{'z' * 5_000_000},x\na b,x\nc d,y\n"
    reasons = [one.reason for one in ingested(tmp_path, content, max_characters=400_000).rejected]
    assert reasons == [
        "has 500,000 characters, and `dataset.max_characters` allows 400,000",
        "has 5.0 MB, more than any text of the 400,000 characters that `dataset.max_characters` allows",
    ]


def test_a_row_that_has_changed_is_noticed(tmp_path: Path) -> None:
    result = ingested(tmp_path, "text,label\ngood,x\nbad,y\n")
    references = references_of(result.manifest.examples(), Places(tmp_path / "t.csv"))
    assert [read_ingested(*each) for each in references] == [b"good", b"bad"]
    (tmp_path / "t.csv").write_text("text,label\ngood,x\n")
    assert read_ingested(*references[0]) == b"good"
    with pytest.raises(BadSource, match=r"t\.csv#2 was ingested but cannot be read now \(the table has no such row\)"):
        read_ingested(*references[1])
    (tmp_path / "t.csv").write_text("text,label\nbetter,x\nbad,y\n")
    with pytest.raises(BadSource, match=r"t\.csv#1 changed since it was ingested"):
        read_ingested(*references[0])


def test_threads_that_begin_together_read_the_table_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 200
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"text {number},x\n" for number in range(rows)))
    opened: list[Path] = []

    def counted(file: Path, encoding: str | None = None) -> Table:
        opened.append(file)
        return open_table(file, encoding)

    monkeypatch.setattr(places, "open_table", counted)
    source = Places(tmp_path / "t.csv")
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda number: source.at(f"t.csv#{number}").read_bytes(), range(1, rows + 1)))
    assert texts == [f"text {number}".encode() for number in range(rows)] and len(opened) == 1


def test_a_file_with_a_number_sign_in_its_name_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/c#1.txt").write_text("hello")
    assert Places(tmp_path).at("a/c#1.txt").read_bytes() == b"hello"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8))
def test_any_text_is_read_back_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    root = tmp_path_factory.mktemp("any")
    lines = "".join(json.dumps({"text": text, "label": "x"}) + "\n" for text in texts)
    source = read(root, lines, "t.jsonl")
    here = Places(root / "t.jsonl")
    keys = [f"t.jsonl#{number}" for number in range(1, len(texts) + 1)]
    assert {one.path for one in source.candidates} == set(keys)
    assert [here.at(key).read_bytes().decode() for key in keys] == texts
