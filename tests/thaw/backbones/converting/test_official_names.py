"""Names of encoders, their files and what is said of them."""

from pathlib import Path

import pytest

from thaw.backbones.converting.official_files import official_file_names, official_files
from thaw.backbones.converting.official_names import file_of, is_official, name_in, similar_names, what_is_fetched


def test_every_name_has_addresses_licences_and_a_file() -> None:
    for name in official_file_names():
        found = official_files(name)
        assert found is not None and is_official(name) and name_in(file_of(name)) == name
        for file, download in found.files.items():
            assert download.url.startswith("https://") and download.licence and "/" not in file
            assert download.sha256 is None or len(download.sha256) == 64
        assert len(found.files) == 1 or found.member is None
        assert found.words is None or official_files(found.words) is not None


@pytest.mark.parametrize(
    "name",
    ["glove.txt", "vectors/glove.txt", "folder/model.safetensors", "glove.6B.51d", "", "../x/y", "a/b/c", "cc..300"],
)
def test_files_and_wrong_names_are_no_names(name: str) -> None:
    assert not is_official(name)


def test_what_exists_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_official("sentence-transformers/all-MiniLM-L6-v2")
    (tmp_path / "sentence-transformers/all-MiniLM-L6-v2").mkdir(parents=True)
    (tmp_path / "glove.6B.50d").touch()
    assert not is_official("sentence-transformers/all-MiniLM-L6-v2") and not is_official("glove.6B.50d")


def test_files_of_names_and_back() -> None:
    assert file_of("BAAI/bge-small-en-v1.5") == "BAAI--bge-small-en-v1.5.safetensors"
    assert name_in("BAAI--bge-small-en-v1.5.safetensors") == "BAAI/bge-small-en-v1.5"
    assert name_in("own.safetensors") is None and name_in("resnet18.random.pth") is None


def test_licence_and_size_are_said_before_anything_is_fetched() -> None:
    glove = "https://nlp.stanford.edu/data/glove.6B.zip (licence: PDDL 1.0, 862 MB)"
    assert what_is_fetched("glove.6B.300d") == glove
    assert what_is_fetched("infersent1").endswith(
        "infersent1.pkl (licence: BSD-3-Clause, 154 MB), and https://nlp.stanford.edu/data/glove.840B.300d.zip (licence: PDDL 1.0, 2.2 GB)"
    )
    assert "Hugging Face" in what_is_fetched("a/b")


def test_a_wrong_name_gets_similar_ones() -> None:
    assert "glove.6B.50d" in similar_names("glove.6b.50") and "ORG/NAME" in similar_names("%%%")
