"""Folders of Skip-Thought: small ones of the published names and forms, whole, incomplete and unsafe."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thaw.backbones.backbone import read_backbone
from thaw.backbones.converting.converting import Converted, convert
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import stacked
from thaw.params.sections import BackboneParams

WORDS = ("the", "UNK", "<eos>", "cat", "The", "sat", ".", "n't", "London", "is")
DIM, UNI, BI = 6, 5, 4
TEXTS = ("The cat sat.", "the qwertzuiop is n't", "cat")
Array = NDArray[Any]


class Payload:
    """Code that a pickle runs when it is read."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return Path.touch, (Path("ran"),)  # type: ignore[return-value]


def unit(chance: np.random.Generator, name: str, size: int) -> dict[str, Array]:
    """The arrays of one unit, as `param_init_gru` of the authors' program names and shapes them."""
    shapes = {
        "W": (DIM, 2 * size),
        "b": (2 * size,),
        "U": (size, 2 * size),
        "Wx": (DIM, size),
        "Ux": (size, size),
        "bx": (size,),
    }
    return {f"{name}_{part}": chance.normal(size=shape).astype(np.float32) for part, shape in shapes.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chance = np.random.default_rng(0)
    folder = tmp_path / "skip"
    folder.mkdir()
    (folder / "dictionary.txt").write_text("".join(f"{word}\n" for word in WORDS))
    for name in ("utable", "btable"):
        np.save(folder / f"{name}.npy", chance.normal(size=(len(WORDS), DIM)).astype(np.float32))
    decoder = {"decoder_W": np.zeros((2, 2), np.float32), "Wemb": np.zeros((3, DIM), np.float32)}
    np.savez(folder / "uni_skip.npz", **unit(chance, "encoder", UNI), **decoder)
    np.savez(folder / "bi_skip.npz", **unit(chance, "encoder", BI), **unit(chance, "encoder_r", BI), **decoder)
    for name in ("uni", "bi"):
        (folder / f"{name}_skip.npz.pkl").write_bytes(pickle.dumps({"dim": Payload()}))
    return folder


def made(folder: Path) -> Converted:
    return convert(Source(folder), folder.parent / "out.safetensors")


def encoded(arrays: dict[str, Array], name: str, vectors: Array) -> Array:
    """The authors' `gru_layer`, step by step, for one text [T, D]."""
    w, b, u, wx, bx, ux = (arrays[f"{name}_{part}"].astype(float) for part in ("W", "b", "U", "Wx", "bx", "Ux"))
    size = len(bx)
    h = np.zeros(size)
    for x in vectors:
        gates = 1 / (1 + np.exp(-(h @ u + x @ w + b)))
        new = np.tanh((h @ ux) * gates[:size] + x @ wx + bx)
        h = gates[size:] * h + (1 - gates[size:]) * new
    return h


def test_features_are_those_of_the_authors_program(folder: Path) -> None:
    converted = made(folder)
    assert converted.architecture == f"skip_thought-{len(WORDS)}x{DIM}-uni{UNI}-bi{BI}"
    assert converted.notes == ("10 words; 5 numbers a state (uni-skip), 4 numbers a state (bi-skip)",)
    backbone = read_backbone(BackboneParams(weights=str(converted.path), layers=("uni", "bi", "joined")))
    found = backbone.features(stacked([backbone.preprocessing.prepare(text.encode()) for text in TEXTS]))  # type: ignore[attr-defined]
    uni, bi = (dict(np.load(folder / f"{name}_skip.npz")) for name in ("uni", "bi"))
    utable, btable = (np.load(folder / f"{name}table.npy").astype(float) for name in "ub")
    for row, words in enumerate((["The", "cat", "sat", "."], ["the", "UNK", "is", "n't"], ["cat"])):
        places = [WORDS.index(word) for word in words]
        one = encoded(uni, "encoder", utable[places])
        both = np.concatenate([encoded(bi, "encoder", btable[places]), encoded(bi, "encoder_r", btable[places][::-1])])
        assert found["uni"][row].numpy() == pytest.approx(one, abs=1e-5)
        assert found["bi"][row].numpy() == pytest.approx(both, abs=1e-5)
        joined = np.concatenate([one / np.linalg.norm(one), both / np.linalg.norm(both)])
        assert found["joined"][row].numpy() == pytest.approx(joined, abs=1e-5)
    assert not Path("ran").exists(), "the options are pickles, and are not read"


@pytest.mark.parametrize(("gone", "architecture"), [("uni_skip.npz", "-bi4"), ("bi_skip.npz", "-uni5")])
def test_one_encoder_may_stand_alone(folder: Path, gone: str, architecture: str) -> None:
    (folder / gone).unlink()
    assert made(folder).architecture == f"skip_thought-{len(WORDS)}x{DIM}{architecture}"


@pytest.mark.parametrize("name", ["utable.npy", "bi_skip.npz"])
def test_a_file_with_pickled_objects_never_runs_them(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    objects = np.array([Payload()], dtype=object)
    if name.endswith(".npz"):
        np.savez(folder / name, encoder_W=objects, allow_pickle=True)
    else:
        np.save(folder / name, objects, allow_pickle=True)
    with pytest.raises(
        BadWeights, match=rf"{name} holds Python objects \(a pickle\).*save plain arrays with `numpy\.save"
    ):
        made(folder)
    assert not (folder / "ran").exists() and not (folder.parent / "out.safetensors").exists()


def test_a_whole_pickle_in_place_of_a_table_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "utable.npy").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(BadWeights, match=r"utable\.npy holds Python objects"):
        made(folder)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "utable.npy").unlink(), r"utable\.npy is missing"),
        (lambda folder: (folder / "dictionary.txt").unlink(), r"dictionary\.txt does not exist"),
        (lambda folder: (folder / "dictionary.txt").write_text("the\n"), r"utable\.npy has 10 vectors for 1 words"),
        (lambda folder: (folder / "dictionary.txt").write_bytes(b"\xff\xfe\n" * 10), "is no text in UTF-8"),
        (
            lambda folder: np.save(folder / "btable.npy", np.zeros((len(WORDS), 3), np.float32)),
            "two tables have vectors of 3 and 6 dimensions",
        ),
        (lambda folder: np.save(folder / "btable.npy", np.zeros(4, np.float32)), "holds no table of vectors"),
        (lambda folder: np.savez(folder / "uni_skip.npz", other=np.zeros(2)), "has no `encoder_W`"),
        (
            lambda folder: (folder / "uni_skip.npz").write_bytes((folder / "uni_skip.npz").read_bytes()[:200]),
            "is damaged|holds Python objects",
        ),
        (
            lambda folder: np.savez(
                folder / "uni_skip.npz",
                **{**unit(np.random.default_rng(), "encoder", 5), "encoder_Wx": np.zeros((3, 5))},
            ),
            "parts of `encoder` do not fit each other",
        ),
        (
            lambda folder: np.savez(
                folder / "uni_skip.npz", **{**unit(np.random.default_rng(), "encoder", 5), "encoder_bx": np.zeros(4)}
            ),
            "do not fit skip_thought",
        ),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(folder: Path, change: Callable[[Path], object], says: str) -> None:
    change(folder)
    with pytest.raises(BadWeights, match=says):
        made(folder)


def test_without_the_unknown_word_other_words_are_zero(folder: Path) -> None:
    (folder / "dictionary.txt").write_text("".join(f"{word}\n" for word in WORDS).replace("UNK", "unk"))
    converted = made(folder)
    assert "unknown words are zero" in converted.notes[1]


def test_of_a_repeated_word_the_last_vector_counts(folder: Path) -> None:
    (folder / "bi_skip.npz").unlink()
    (folder / "dictionary.txt").write_text("".join(f"{word}\n" for word in WORDS).replace("sat", "cat"))
    backbone = read_backbone(BackboneParams(weights=str(made(folder).path), layers=("uni",)))
    found = backbone.features(stacked([backbone.preprocessing.prepare(b"cat")]))["uni"][0].numpy()  # type: ignore[attr-defined]
    vectors = np.load(folder / "utable.npy")[[WORDS.index("sat")]].astype(float)
    assert found == pytest.approx(encoded(dict(np.load(folder / "uni_skip.npz")), "encoder", vectors), abs=1e-5)
