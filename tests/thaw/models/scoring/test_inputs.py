"""What is to be scored: every kind of source gives its images, in the same order each time, and a bad one says what is wrong with it."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from object_store import BUCKET, object_store
from scored import png, write_pngs

from thaw.foundation.errors import BadExample, BadSource, Unreachable
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits
from thaw.models.scoring.fetching import fetch
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import RefuseSize


def refuse_size(nbytes: int) -> None:
    KIND.refuse_size(nbytes, Limits(10**6))


def inputs(*names: object) -> list[Input]:
    return list(open_inputs([str(name) for name in names]))


def names(*sources: object) -> list[str]:
    return [Path(one.path).name for one in inputs(*sources)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = write_pngs(tmp_path / "photos", 3)
    write_pngs(root / "deep" / "er", 2, first=10)
    (root / ".hidden").write_bytes(b"x")
    (root / "Thumbs.db").write_bytes(b"x")
    (root / "loop").symlink_to(root)
    return root


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with object_store() as url:
        client = boto3.client("s3")
        for number in range(12):
            client.put_object(Bucket=BUCKET, Key=f"photos/{number % 3}/{number}.png", Body=png(number))
        client.put_object(Bucket=BUCKET, Key="lists/all.csv", Body=f"path\none.png\n{url}/photos/0/0.png\n".encode())
        client.put_object(Bucket=BUCKET, Key="lists/one.png", Body=png(1))
        yield url


def test_a_folder_gives_its_files_at_any_depth_and_says_what_cannot_be_followed(folder: Path) -> None:
    found = inputs(folder)
    reasons = {one.path: one.reason for one in found if one.reason}
    assert reasons == {str(folder / "loop"): "is a link to a folder that it lies in"}
    assert sorted(Path(one.path).name for one in found if not one.reason) == [
        "00000.png", "00001.png", "00002.png", "00010.png", "00011.png",
    ]  # fmt: skip
    assert found == inputs(folder)


def test_single_files_globs_and_file_addresses(folder: Path) -> None:
    assert names(folder / "00001.png", f"{folder}/0000[02].png") == ["00001.png", "00000.png", "00002.png"]
    assert names(f"{folder}/deep/*") == ["00010.png", "00011.png"], "folders of a glob are gone into"
    assert names(f"{folder}/**/*1.png") == ["00001.png", "00011.png"]
    assert names((folder / "00001.png").as_uri()) == ["00001.png"]
    (folder / "odd [1].png").write_bytes(png(1))
    assert names(folder / "odd [1].png") == ["odd [1].png"]


def test_a_stamp_changes_with_the_file(folder: Path) -> None:
    (before,) = inputs(folder / "00000.png")
    (folder / "00000.png").write_bytes(png(9) + b"more")
    (after,) = inputs(folder / "00000.png")
    assert before.path == after.path and before.stamp != after.stamp != ""


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_listing_names_images_beside_it_and_elsewhere_and_no_other_file_of_this_machine(
    ending: str, folder: Path
) -> None:
    fsspec.filesystem("memory").pipe("/far/away.png", png(5))
    written = [
        "00000.png", "deep/er/00010.png", "memory://far/away.png", "../secret", "/etc/passwd", "file:///etc/passwd",
        "zip://x::file:///etc/passwd", "gone.png", "", "nonsense://x",
    ]  # fmt: skip
    listing = folder / f"list.{ending}"
    if ending == "csv":
        listing.write_text("\ufeffid;Path\r\n" + "".join(f"7;{path}\r\n" for path in written), encoding="utf-8")
    else:
        pq.write_table(pa.table({"id": range(len(written)), "path": written}), listing)
    found = inputs(listing)
    assert [one.path for one in found] == written
    assert [one.place is not None for one in found] == [True] * 3 + [False] * 7
    assert [one.file is not None for one in fetch(found, refuse_size)] == [True] * 3 + [False] * 7
    words = ["`..`", "absolute", "may not name", "may not name", "does not exist", "no path", "may not name"]
    assert all(word in one.reason for word, one in zip(words, found[3:], strict=True)), [one.reason for one in found]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"file\nx.png\n", "has no column path, only file"),
        ("a.csv", b"", "has no column path, only none"),
        ("a.csv", b"path\n\xff\xfe\n", "is not UTF-8"),
        ("a.csv", b'path\n"x\n', "is not valid CSV"),
        ("a.csv", b"path\n", "holds no files"),
        ("a.parquet", b"PAR1 torn", "is not a readable Parquet file"),
    ],
)
def test_a_listing_that_cannot_be_read_is_named(name: str, content: bytes, complaint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSource, match=complaint):
        inputs(tmp_path / name)


def test_a_source_that_is_missing_or_empty_is_named_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, complaint in [
        (tmp_path / "gone.png", r"gone\.png` does not exist; name examples"),
        ("nonsense://x", "nonsense://x cannot be used"),
        ("memory://gone", "memory://gone` does not exist; check the address"),
    ]:
        with pytest.raises(BadSource, match=complaint):
            open_inputs([str(name)])
    for name, complaint in [(tmp_path / "empty", "holds no files"), (f"{tmp_path}/*.jpg", "matches no file")]:
        with pytest.raises(BadSource, match=complaint):
            inputs(name)
    with pytest.raises(BadSource, match="no examples to score are named"):
        open_inputs([])


def test_an_object_store_gives_folders_globs_listings_and_single_objects(bucket: str) -> None:
    assert sorted(names(f"{bucket}/photos")) == sorted(f"{number}.png" for number in range(12))
    assert inputs(f"{bucket}/photos") == inputs(f"{bucket}/photos/")
    assert names(f"{bucket}/photos/0/*.png") == ["0.png", "3.png", "6.png", "9.png"]
    assert names(f"{bucket}/photos/*") == names(f"{bucket}/photos")
    assert [one.path for one in inputs(f"{bucket}/lists/all.csv")] == ["one.png", f"{bucket}/photos/0/0.png"]
    (one,) = inputs(f"{bucket}/photos/1/1.png")
    assert one.path == f"{bucket}/photos/1/1.png" and one.stamp
    found = list(fetch([*inputs(f"{bucket}/photos"), *inputs(f"{bucket}/lists/all.csv")], refuse_size))
    assert len(found) == 14 and {one.file.content for one in found if one.file} == {png(n) for n in range(12)}


def test_an_object_store_that_has_not_what_is_named_says_so(bucket: str) -> None:
    with pytest.raises(BadSource, match=r"gone` does not exist"):
        inputs(f"{bucket}/gone")
    with pytest.raises(BadSource, match="matches no file"):
        inputs(f"{bucket}/photos/*.gone")
    boto3.client("s3").put_object(Bucket=BUCKET, Key="lists/gone.csv", Body=b"path\nnot-there.png\n")
    (row,) = fetch(inputs(f"{bucket}/lists/gone.csv"), refuse_size)
    assert (row.file, row.reason) == (None, "does not exist")


def test_a_server_that_does_not_answer_is_unreachable_and_a_file_that_it_lacks_is_a_row(folder: Path) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    listing = folder / "web.csv"
    listing.write_text(f"path\n{url}/00000.png\n{url}/gone.png\n")
    found = list(fetch(inputs(listing), refuse_size))
    assert [one.digest is not None for one in found] == [True, False]
    assert found[1].reason == "does not exist"
    server.shutdown()
    server.server_close()
    with pytest.raises(Unreachable, match=r"00000\.png does not answer"):
        list(fetch(inputs(listing), refuse_size))
    with pytest.raises((Unreachable, BadSource), match=url):
        open_inputs([f"{url}/00000.png"])


def test_a_file_larger_than_any_image_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(10**9)
    (one,) = inputs(tmp_path / "huge.png")
    assert one.place is not None
    with pytest.raises(BadExample, match=r"has 1\.0 GB"):
        one.place.read(refuse_size)


def test_images_are_read_side_by_side_and_in_order(tmp_path: Path) -> None:
    meeting = threading.Barrier(8, timeout=30)

    class Slow:
        def __init__(self, number: int) -> None:
            self.number = number

        def read(self, refuse: RefuseSize) -> bytes:
            meeting.wait()
            return png(self.number)

    asked = [Input(str(number), Slow(number)) for number in range(16)]  # type: ignore[arg-type]
    assert [one.path for one in fetch(asked, refuse_size)] == [str(number) for number in range(16)]
