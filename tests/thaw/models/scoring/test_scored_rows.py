"""Tables whose rows are scored: every format and encoding, bad rows, and no more in memory than what is under way."""

import json
import tracemalloc
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from opinions import LIMITS, opinions, predictor_on_opinions
from scored import rows_of, score_into, scorer_into

from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.kind import KIND
from thaw.models.scoring import scoring
from thaw.models.scoring.fetching import fetch
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.taken import Taken

TEXTS = Taken(".txt", rows=True)
NAMES = ("t.csv", "t.tsv", "t.jsonl", "t.ndjson", "t.parquet", "t.pq")


def inputs(*names: object, taken: Taken = TEXTS) -> list[Input]:
    return list(open_inputs([str(name) for name in names], taken))


def refuse_size(nbytes: int) -> None:
    KIND.refuse_size(nbytes, LIMITS)


def contents(found: list[Input]) -> list[str | None]:
    return [one.file.content.decode() if one.file else None for one in fetch(found, refuse_size)]


def written(path: Path, texts: list[str], /, **columns: list[str]) -> Path:
    """A table of texts in the format of its name."""
    rows = [dict(zip((*columns, "text"), row, strict=True)) for row in zip(*columns.values(), texts, strict=True)]
    if path.suffix in {".parquet", ".pq"}:
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    elif path.suffix in {".jsonl", ".ndjson"}:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        quoted = [['"' + cell.replace('"', '""') + '"' for cell in row.values()] for row in rows]
        mark = "\t" if path.suffix == ".tsv" else ","
        path.write_text("".join(mark.join(line) + "\n" for line in [[*columns, "text"], *quoted]), newline="")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_format_gives_the_texts_under_their_numbers(tmp_path: Path, name: str) -> None:
    texts = ["a, b", ' "quoted"\n\nlines ', "naïve 👍🏽 e\u0301 \u200f\u202b", "d"]
    found = inputs(written(tmp_path / name, texts, stars=["1", "2", "3", "4"]))
    assert [one.path for one in found] == [f"{name}#{number}" for number in (1, 2, 3, 4)]
    assert contents(found) == texts
    assert [one.stamp for one in found] == [digest_bytes(text.encode()).hex() for text in texts]
    assert found == inputs(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_an_id_names_a_row_and_a_row_without_one_is_told(tmp_path: Path, name: str) -> None:
    found = inputs(written(tmp_path / name, ["a", "b", "c"], id=["x/7", "", "שלום"]))
    assert [one.path for one in found] == [f"{name}#x/7", f"{name}#2", f"{name}#שלום"]
    assert [one.reason for one in found] == ["", "has no id, and other rows have one", ""]


def test_a_table_with_a_column_path_stays_a_listing(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("good")
    for name in NAMES:
        found = inputs(written(tmp_path / name, ["a", "b"], path=["note.txt", "gone.txt"]))
        assert [one.path for one in found] == ["note.txt", "gone.txt"] and "does not exist" in found[1].reason
        assert contents(found) == ["good", None]


def test_a_text_file_is_one_text_and_other_tables_say_what_they_lack(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("text,label\n")
    assert contents(inputs(tmp_path / "note.txt")) == ["text,label\n"]
    (tmp_path / "t.csv").write_text("stars,name\n1,a\n")
    with pytest.raises(BadSource, match="has neither a column path nor a column text, only stars, name"):
        inputs(tmp_path / "t.csv")
    with pytest.raises(BadSource, match="has no column path, only text"):
        inputs(written(tmp_path / "t.parquet", ["a"]), taken=Taken(".png"))
    (tmp_path / "t.csv").write_text("text,label\n")
    with pytest.raises(BadSource, match=r"the table `.*t\.csv` has no rows"):
        inputs(tmp_path / "t.csv")
    with pytest.raises(BadSource, match=r"tables .CSV, JSON lines or Parquet with a column text"):
        inputs(tmp_path / "gone.csv")


def test_the_encoding_of_the_project_counts_for_tables_and_text_files(tmp_path: Path) -> None:
    western, windows = Taken(".txt", rows=True, encoding="cp1252"), "café – «naïf»"
    (tmp_path / "t.csv").write_bytes(f"id;text\nné;{windows}\n".encode("cp1252"))
    (tmp_path / "t.jsonl").write_bytes(json.dumps({"text": windows}, ensure_ascii=False).encode("cp1252"))
    (tmp_path / "note.txt").write_bytes(windows.encode("cp1252"))
    found = inputs(*(tmp_path / name for name in ("t.csv", "t.jsonl", "note.txt")), taken=western)
    assert contents(found) == [windows] * 3 and found[0].path == "t.csv#né"
    with pytest.raises(BadSource, match=r"is not UTF-8 text \(byte 9\).*save it as UTF-8, or set dataset\.encoding"):
        inputs(tmp_path / "t.csv")
    (tmp_path / "wide.csv").write_text("text\r\nΩ\r\n", encoding="utf-16", newline="")
    assert contents(inputs(tmp_path / "wide.csv", taken=Taken(".txt", rows=True, encoding="utf-16"))) == ["Ω"]
    (tmp_path / "note.txt").write_bytes(b"\xff")
    (row,) = fetch(inputs(tmp_path / "note.txt", taken=Taken(".txt", rows=True, encoding="ascii")), refuse_size)
    assert row.reason.startswith("is not ascii text (byte 0)")


def test_a_late_byte_of_another_encoding_is_placed(tmp_path: Path) -> None:
    content = b"text\n" + b"plain words\n" * 40_000 + b"caf\xe9\n"
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadSource, match=rf"byte {content.index(0xE9)}"):
        inputs(tmp_path / "t.csv")


def test_a_table_elsewhere_is_read_there() -> None:
    fsspec.filesystem("memory").pipe("/far/t.jsonl", b'{"text": "a"}\n{"text": "b"}\n')
    found = inputs("memory://far/t.jsonl")
    assert [one.path for one in found] == ["t.jsonl#1", "t.jsonl#2"] and contents(found) == ["a", "b"]
    assert all(one.place is not None and one.place.is_here for one in found)


def test_bad_rows_come_with_their_reason_and_the_rest_is_answered(tmp_path: Path) -> None:
    good = {text: label for text, label in opinions() if '"' not in text and "," not in text}
    lines = ["text,stars", *(f"{text},5" for text in good), '"He said "no" twice",1', "a,b,c", ",2", "  ,2", "a\0b,2"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    store = FeatureStore(tmp_path / "own")
    scorer = scorer_into(store, predictor=predictor_on_opinions())
    scored = score_into(tmp_path / "x.parquet", scorer, tmp_path / "t.csv", taken=TEXTS)
    rows = rows_of(scored.path)
    assert [row["path"] for row in rows] == [f"t.csv#{number}" for number in range(1, len(lines))]
    assert [row["label"] for row in rows[:-5]] == list(good.values())
    assert [row["digest"] for row in rows[:-5]] == [digest_bytes(text.encode()) for text in good]
    quotes, fields, empty, spaces, nul = (row["reason"] for row in rows[-5:])
    assert "has broken quotes" in quotes and fields == "has 3 fields; the header has 2"
    assert (empty, spaces, nul) == ("is empty", "holds nothing but spaces", "holds NUL bytes, so it is no text")
    assert scored.kind == "texts" and scored.rejected == 5 and scored.computed == len(good)


def test_halves_of_letters_and_broken_lines_of_json_are_told(tmp_path: Path) -> None:
    lines = [
        '{"text": "\\ud83d\\udc4d"}',
        '{"text": "\\ud83d"}',
        "no json",
        "[" * 100_000,
        '{"text": null}',
        '{"a": 1}',
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    found = inputs(tmp_path / "t.jsonl")
    assert contents(found) == ["👍", None, None, None, "", ""]
    assert found[1].reason.startswith("holds half of a letter")
    assert [one.reason.split(" (")[0] for one in found[2:]] == ["is not JSON", "is not JSON", "", ""]


def test_bytes_in_parquet_are_text_and_other_bytes_are_told(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([b"caf\xc3\xa9", None])}), tmp_path / "t.parquet")
    assert contents(inputs(tmp_path / "t.parquet")) == ["café", ""]
    pq.write_table(pa.table({"text": pa.array([b"caf\xe9"])}), tmp_path / "t.parquet")
    with pytest.raises(BadSource, match=r"the column text of the listing .* holds bytes that are not UTF-8 text"):
        inputs(tmp_path / "t.parquet")


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_large_table_is_never_whole_in_memory(tmp_path: Path, name: str) -> None:
    """32 MB of texts in one row group; Python's own memory is measured, and Arrow's."""
    texts = [f"{number} {'word ' * 400}" for number in range(16_000)]
    path = written(tmp_path / name, texts)
    if name == "t.parquet":
        pq.write_table(pa.table({"text": texts}), path, compression="none", use_dictionary=False)
    del texts
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    most = count = 0
    for _ in open_inputs([str(path)], TEXTS):
        count += 1
        most = max(most, pa.total_allocated_bytes() - arrow)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 16_000 and peak < 6e6 and most < 6e6, (peak, most)


def test_a_part_ends_early_where_texts_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    built = scoring.build_table

    def counted(rows: list[object], said: object) -> pa.Table:
        sizes.append(len(rows))
        return built(rows, said)  # type: ignore[arg-type]

    monkeypatch.setattr(scoring, "build_table", counted)
    monkeypatch.setattr(scoring, "HELD_BYTES", 1000)
    path = written(tmp_path / "t.csv", ["good"] * 10 + ["superb " * 100] * 4)
    scored = score_into(
        tmp_path / "x.parquet",
        scorer_into(FeatureStore(tmp_path / "own"), predictor=predictor_on_opinions()),
        path,
        taken=TEXTS,
        part_rows=8,
    )
    assert sizes == [8, 4, 2] and scored.examples == 14 and scored.computed == 2


def test_a_changed_row_is_scored_again_after_a_kill_and_the_other_parts_are_kept(tmp_path: Path) -> None:
    scorer = scorer_into(FeatureStore(tmp_path / "own"), predictor=predictor_on_opinions())
    texts = [text for text, _ in opinions()][:40]
    path = written(tmp_path / "t.jsonl", texts)
    parts: list[list[str]] = []

    class Stopped(Exception):
        pass

    def stopping(done: int, total: int) -> None:
        if done >= 40:
            raise Stopped

    for change in ("", "superb"):
        texts[20] = change or texts[20]
        written(path, texts)
        with pytest.raises(Stopped):
            score_into(tmp_path / "x.parquet", scorer, path, taken=TEXTS, progress=stopping)
        parts.append(sorted(part.name for part in (tmp_path / ".x.parts").iterdir()))
    assert len(parts[0]) == 2 and len(parts[1]) == 3, "the part with the changed row has a new name"


def test_where_examples_are_tables_themselves_only_paths_make_a_listing(tmp_path: Path) -> None:
    series = Taken(".csv")
    for content in (b"1\n2\n", b'"never closed', b"\xff\xfe\x00", b"text,label\na,b\n"):
        (tmp_path / "a.csv").write_bytes(content)
        (found,) = inputs(tmp_path / "a.csv", taken=series)
        assert found.path == str(tmp_path / "a.csv")
    (tmp_path / "list.csv").write_text("path\na.csv\n")
    assert [one.path for one in inputs(tmp_path / "list.csv", taken=series)] == ["a.csv"]


def test_a_listing_with_a_broken_row_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "list.csv").write_text('path,label\na.png,"x" y\na.png,x\n')
    broken, found = inputs(tmp_path / "list.csv", taken=Taken(".png"))
    assert broken.reason.startswith("(row 1 of the listing) has broken quotes") and found.path == "a.png"
