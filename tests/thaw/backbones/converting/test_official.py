"""Encoders by name, from a server on loopback or from files that were laid into the cache by hand."""

import gzip
import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from encoder_folders import sentence_folder
from file_server import Server, serving

from thaw.backbones.converting import official, official_files
from thaw.backbones.converting.official import official_source, write_official
from thaw.backbones.converting.official_files import OfficialFiles
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadArtifact, BadWeights, Unreachable
from thaw.foundation.files.downloads import Download

VECTORS = b"the 0.1 0.2 0.3\ncat 0.4 0.5 0.6\n"
HUB = "small/tiny-encoder"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "encoders"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def known(monkeypatch: pytest.MonkeyPatch, **table: OfficialFiles) -> None:
    monkeypatch.setattr(official_files, "_TABLE", {name.replace("_", "."): files for name, files in table.items()})


def packed(path: Path, files: Mapping[str, bytes]) -> str:
    """A zip file; its SHA-256."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def glove(server: Server) -> OfficialFiles:
    sha256 = packed(server.folder / "glove.zip", {"other.txt": b"a 1 2", "glove.50d.txt": VECTORS})
    return OfficialFiles(
        {"glove.zip": Download(f"{server.address}/glove.zip", "PDDL 1.0", 99, sha256)}, "glove.50d.txt"
    )


def test_a_file_in_an_archive_is_downloaded_once_told_and_converted(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, glove_50d=glove(server))
    told: list[str] = []
    for out in (tmp_path / "a.safetensors", tmp_path / "b.safetensors"):
        write_official("glove.50d", out, told.append)
        assert read_weights(out).metadata["architecture"] == "word_vectors-2x3"
    assert server.asked == ["glove.zip"]
    assert told[0] == f"downloading {server.address}/glove.zip (licence: PDDL 1.0, 99 bytes)"
    assert told[1].startswith(f"{cache / 'glove.zip'}: from") and "PDDL 1.0" in told[1]
    assert [path.name for path in cache.iterdir()] == ["glove.zip"], "what was unpacked is removed"


def test_an_archive_laid_by_hand_needs_no_network_and_another_one_is_refused(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, glove_50d=glove(server))
    cache.mkdir(parents=True)
    (server.folder / "glove.zip").rename(cache / "glove.zip")
    write_official("glove.50d", tmp_path / "a.safetensors", print)
    assert server.asked == []
    (cache / "glove.zip").write_bytes(b"another")
    with pytest.raises(BadArtifact, match="remove it and try again"):
        write_official("glove.50d", tmp_path / "b.safetensors", print)
    assert not (tmp_path / "b.safetensors").exists()


def test_an_archive_without_the_file_is_refused(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = packed(server.folder / "x.zip", {"readme": b""})
    known(monkeypatch, x=OfficialFiles({"x.zip": Download(f"{server.address}/x.zip", "MIT", None, sha256)}, "x.txt"))
    with pytest.raises(BadArtifact, match=r"There is no item named 'x\.txt'"):
        write_official("x", tmp_path / "a.safetensors", print)
    assert [path.name for path in cache.iterdir()] == ["x.zip"]


def test_a_compressed_file_and_a_bare_one(
    server: Server, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.folder / "wiki.vec").write_bytes(b"2 3\n" + VECTORS)
    (server.folder / "crawl.vec.gz").write_bytes(gzip.compress(b"2 3\n" + VECTORS))
    bare = OfficialFiles({"wiki.vec": Download(f"{server.address}/wiki.vec", "CC BY-SA 3.0")})
    pressed = OfficialFiles({"crawl.vec.gz": Download(f"{server.address}/crawl.vec.gz", "CC BY-SA 3.0")})
    known(monkeypatch, wiki_xx=bare, crawl_xx=pressed)
    for name in ("wiki.xx", "crawl.xx"):
        write_official(name, tmp_path / f"{name}.safetensors", print)
    assert (tmp_path / "wiki.xx.safetensors").read_bytes() == (tmp_path / "crawl.xx.safetensors").read_bytes()
    (cache / "crawl.vec.gz").write_bytes(b"\x1f\x8b torn")
    with pytest.raises(BadArtifact, match="damaged or another file"):
        write_official("crawl.xx", tmp_path / "c.safetensors", print)


def test_several_files_are_a_folder_and_words_come_with_them(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("weights.hdf5", "options.json", "infersent9.pkl"):
        (server.folder / name).write_bytes(name.encode())
    files = {name: Download(f"{server.address}/{name}", "Apache-2.0") for name in ("weights.hdf5", "options.json")}
    network = {"infersent9.pkl": Download(f"{server.address}/infersent9.pkl", "BSD-3-Clause")}
    known(
        monkeypatch,
        elmo=OfficialFiles(files),
        infersent9=OfficialFiles(network, words="glove.50d"),
        glove_50d=glove(server),
    )
    with official_source("elmo", print) as source:
        assert source.path == cache / "elmo" and source.words is None
        assert sorted(path.name for path in source.path.iterdir()) == ["options.json", "weights.hdf5"]
    with official_source("infersent9", print) as source:
        assert source.path.read_bytes() == b"infersent9.pkl"
        assert source.words is not None and source.words.read_bytes() == VECTORS


def test_an_encoder_of_hugging_face(server: Server, cache: Path, tmp_path: Path) -> None:
    (server.folder / "small").mkdir()
    folder = sentence_folder(server.folder / HUB)
    for other in ("pytorch_model.bin", "onnx/model.onnx", "modeling_evil.py", "1_Pooling/x.py"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_bytes(b"not wanted")
    told: list[str] = []
    write_official(HUB, tmp_path / "a.safetensors", told.append)
    assert read_weights(tmp_path / "a.safetensors").metadata["architecture"].startswith("bert-18x16-3x2x24-12")
    assert told[0].startswith(f"downloading {HUB} on Hugging Face (licence: apache-2.0, ")
    assert all(f"{HUB}/resolve/{'0' * 40}/" in path for path in server.asked[1:]) and server.asked[-1].endswith(
        "config.json"
    )
    assert not {path.rpartition("/")[2] for path in server.asked} & {
        "pytorch_model.bin",
        "model.onnx",
        "modeling_evil.py",
        "x.py",
    }
    asked = len(server.asked)
    write_official(HUB, tmp_path / "b.safetensors", told.append)
    assert (
        len(server.asked) == asked
        and (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    )


def test_files_that_differ_from_their_hashes_are_refused(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.folder / "small").mkdir()
    folder = sentence_folder(server.folder / HUB)
    files = official.hub_files(HUB)
    monkeypatch.setattr(official, "hub_files", lambda name: files)
    (folder / "model.safetensors").write_bytes(b"altered on its way")
    with pytest.raises(Unreachable, match="it arrived damaged"), official_source(HUB, print):
        pass
    assert not (cache / "small--tiny-encoder" / "config.json").exists()
    (folder / "modules.json").write_bytes(b"[]")
    assert not next(file for file in files if file.path == "modules.json").is_whole(folder / "modules.json")


def test_what_is_missing_on_hugging_face_says_what_to_do(server: Server, cache: Path) -> None:
    with (
        pytest.raises(Unreachable, match=r"`small/none` is no file here.*Not Found.*by hand"),
        official_source("small/none", print),
    ):
        pass
    (server.folder / "small" / "pickled").mkdir(parents=True)
    (server.folder / "small/pickled/pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(BadWeights, match=r"has no model\.safetensors"), official_source("small/pickled", print):
        pass
    assert not cache.exists() or list(cache.iterdir()) == []


def test_a_folder_laid_by_hand_needs_no_network(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="small--tiny-encoder by hand"):
        write_official(HUB, tmp_path / "a.safetensors", print)
    cache.mkdir(parents=True, exist_ok=True)
    sentence_folder(cache / "small--tiny-encoder")
    write_official(HUB, tmp_path / "a.safetensors", print)
    assert (tmp_path / "a.safetensors").is_file()
