"""Every encoder learns the structure of a corpus, goes on after a kill to the same bytes, and tells what it did."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_corpus import write_corpus, write_pairs
from project import ROOT

from thaw.backbones.backbone import read_backbone
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadParameters, BadSource, BadWeights, InUse
from thaw.foundation.files.atomic import digest_file
from thaw.foundation.files.shared_lock import alone
from thaw.kinds.batches import stacked
from thaw.params.sections import BackboneParams
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import ENCODERS, encoder_named, settings_given, settings_of
from thaw.pretraining.texts.pretraining import Order, Telling, pretrain
from thaw.pretraining.texts.record import Record

GENSIM = {"dim": "12", "epochs": "12", "sample": "0", "learning_rate": "0.1"}
SETTINGS = {
    "quick_thought": {"dim": "8", "batch_size": "50", "epochs": "12"},
    "cooccurrence": {"dim": "12", "window": "20"},
    "distilled": {"dim": "8"},
    "word2vec": GENSIM,
    "fasttext": GENSIM | {"buckets": "500", "epochs": "6"},
    "doc2vec": GENSIM | {"epochs": "30"},
    "nnlm": {"dim": "12", "hidden": "12", "noise": "30", "batch_size": "200", "epochs": "12", "learning_rate": "0.02"},
    "lstm": {"dim": "8", "cell": "12", "noise": "30", "epochs": "8", "learning_rate": "0.02"},
    "skip_thought": {"dim": "8", "size": "12", "noise": "30", "epochs": "12", "learning_rate": "0.02"},
    "elmo": {"size": "8", "cell": "12", "layers": "1", "noise": "30", "longest": "14"},
    "infersent": {"cell": "8", "hidden": "8", "epochs": "3", "learning_rate": "0.02"},
}
TOPICAL = sorted(set(ENCODERS) - {"elmo"})
"""Encoders that learn the made-up topics in seconds; the order of the made-up words tells a language model nothing, and ELMo must learn their spelling too."""
HELD_OUT, FOUND = {"infersent": 16}, {"infersent": 5}
"""Held-out neighbours in the corpus, else 28, and those that must be found, else 7: by chance a tenth is found, and so many once in a hundred times."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "made_up.txt", 300)


@pytest.fixture(scope="module")
def files(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, str]]:
    """The corpus, and settings that are files, of the encoders that have others."""
    teacher = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    pretrain(order("cooccurrence", corpus, teacher))
    return {"distilled": {"teacher": str(teacher)}, "infersent": {"words": str(teacher)}}


@pytest.fixture(scope="module")
def corpora(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The corpora of the encoders that learn from something else than sentences in order."""
    return {"infersent": write_pairs(tmp_path_factory.mktemp("pairs") / "made_up.jsonl", 300)}


def order(encoder: str, corpus: Path, out: Path, **changed: str) -> Order:
    return Order(encoder, Corpus((corpus,)), settings_of(encoder, SETTINGS[encoder] | changed), out)


@pytest.fixture(scope="module", params=TOPICAL)
def made(
    request: pytest.FixtureRequest,
    corpus: Path,
    corpora: Mapping[str, Path],
    files: Mapping[str, Mapping[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Record, Path]:
    name: str = request.param
    out = tmp_path_factory.mktemp("made") / f"{name}.safetensors"
    return pretrain(order(name, corpora.get(name, corpus), out, **files.get(name, {}))), out


def test_neighbours_are_found_better_than_by_chance(made: tuple[Record, Path]) -> None:
    record, _ = made
    assert record.probe is not None and record.probe.pairs == HELD_OUT.get(record.encoder, 28)
    assert record.probe.found * record.probe.pairs >= FOUND.get(record.encoder, 7)


def test_the_result_is_a_backbone_whose_features_tell_topics_apart(made: tuple[Record, Path]) -> None:
    record, out = made
    backbone = read_backbone(BackboneParams(weights=str(out)))
    assert backbone.architecture == record.architecture and backbone.kind.name == "texts"
    texts = [f"topic{topic}word{one} common1 topic{topic}word{one + 1}" for topic in (0, 1) for one in (0, 3, 6)]
    batch = stacked([backbone.preprocessing.prepare(text.encode()) for text in texts])  # type: ignore[attr-defined]
    found = torch.nn.functional.normalize(backbone.features(batch)[backbone.layers[-1]])
    similar = (found @ found.T).view(2, 3, 2, 3)
    assert similar[0, :, 0].mean() > similar[0, :, 1].mean() and similar[1, :, 1].mean() > similar[0, :, 1].mean()
    assert backbone.unknown_share(stacked([backbone.preprocessing.prepare(b"common1 unheard")])) in (0, 0.5)  # type: ignore[attr-defined]


def test_the_card_tells_what_it_learnt_from_and_what_it_scores(made: tuple[Record, Path]) -> None:
    record, out = made
    text = out.with_suffix(".md").read_text()
    facts = (
        record.facts.digest,
        "1,800 sentences with 12,600 words",
        "`made_up.",
        record.weights,
        f"{HELD_OUT.get(record.encoder, 28)} sentences",
        *record.notes,
    )
    assert all(fact in text for fact in facts) and record.weights == digest_file(out).hex()
    assert all(f"| `{name}` | {value} |" in text for name, value in record.settings.items())
    assert sorted(path.suffix for path in out.parent.iterdir()) == [".md", ".safetensors"], "nothing else is left"


class Stop(Exception):
    """Somebody stops a pretraining."""


def stop_at(step: int) -> Telling:
    """Stop it when that step is done."""

    def stop(done: int, total: int) -> None:
        if done == step:
            raise Stop

    return Telling(training=stop)


def few_epochs(encoder: str) -> dict[str, str]:
    return {} if encoder in ("cooccurrence", "distilled") else {"epochs": "1" if encoder == "elmo" else "3"}


@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_a_stopped_pretraining_goes_on_to_the_same_bytes(
    encoder: str, corpus: Path, corpora: Mapping[str, Path], files: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    changed = few_epochs(encoder) | dict(files.get(encoder, {}))
    whole, stopped = (
        order(encoder, corpora.get(encoder, corpus), tmp_path / name, **changed)
        for name in ("whole.safetensors", "stopped.safetensors")
    )
    once = pretrain(whole)
    with pytest.raises(Stop):
        pretrain(stopped, stop_at(once.steps // 2), saved_every_s=0.0)
    assert not stopped.out.exists()
    told: list[int] = []
    again = pretrain(stopped, Telling(training=lambda done, total: told.append(done)))
    assert told == list(range(told[0], once.steps + 1)) and told[0] in (once.steps // 2, once.steps // 2 + 1)
    assert stopped.out.read_bytes() == whole.out.read_bytes()
    assert again.losses == once.losses and again.weights == once.weights


@pytest.mark.parametrize("encoder", ["cooccurrence", "quick_thought", "word2vec"])
def test_a_killed_pretraining_goes_on_to_the_same_bytes(encoder: str, corpus: Path, tmp_path: Path) -> None:
    """One of each sort of training: counts, gradients, gensim."""
    changed = few_epochs(encoder)
    whole = pretrain(order(encoder, corpus, tmp_path / "whole.safetensors", **changed))
    out = tmp_path / "killed.safetensors"
    given = [f"{name}={value}" for name, value in (SETTINGS[encoder] | changed).items()]
    program = [sys.executable, str(ROOT / "tests/support/killed_pretraining.py"), str(corpus), str(out), encoder]
    killed = subprocess.run([*program, str(whole.steps // 2), *given], cwd=ROOT, env=None, check=False)
    assert killed.returncode == -9 and not out.exists()
    told: list[int] = []
    again = pretrain(order(encoder, corpus, out, **changed), Telling(training=lambda done, total: told.append(done)))
    assert told == list(range(whole.steps // 2 + 1, whole.steps + 1)), "what was done is not done again"
    assert out.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert again.losses == whole.losses and again.weights == whole.weights


def test_the_seed_changes_the_numbers_and_nothing_else_does(corpus: Path, tmp_path: Path) -> None:
    first, second, third = (
        pretrain(order("quick_thought", corpus, tmp_path / f"{number}.safetensors", epochs="1", seed=seed)).weights
        for number, seed in enumerate(("1", "1", "2"))
    )
    assert first == second != third


def test_other_settings_or_another_corpus_start_from_the_beginning(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"

    def steps(changed: Path, **settings: str) -> list[int]:
        told: list[int] = []

        def telling(done: int, total: int) -> None:
            told.append(done)
            if len(told) == 20:
                raise Stop

        with pytest.raises(Stop):
            pretrain(order("quick_thought", changed, out, **settings), Telling(training=telling), saved_every_s=0)
        return told

    assert steps(corpus) == list(range(1, 21))
    assert steps(corpus) == list(range(21, 41))
    assert steps(corpus, seed="3") == list(range(1, 21))
    assert steps(write_corpus(tmp_path / "other.txt", 300, seed=9), seed="3") == list(range(1, 21))


def test_half_precision_halves_the_file_and_reads_the_same(corpus: Path, tmp_path: Path) -> None:
    for stored in ("float32", "float16"):
        pretrain(
            order("quick_thought", corpus, tmp_path / f"{stored}.safetensors", dim="64", epochs="1", stored=stored)
        )
    whole, half = (
        read_weights(tmp_path / f"{stored}.safetensors").tensors["vectors"] for stored in ("float32", "float16")
    )
    assert torch.equal(whole.half().float(), half)
    sizes = [(tmp_path / f"{stored}.safetensors").stat().st_size for stored in ("float32", "float16")]
    assert sizes[1] < 0.6 * sizes[0]


def test_what_cannot_be_pretrained_is_told(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    with pytest.raises(BadParameters, match="there are quick_thought, cooccurrence"):
        encoder_named("glove")
    with pytest.raises(BadParameters, match=r"dimm: 3 given .*quick_thought has min_count"):
        settings_of("quick_thought", {"dimm": "3"})
    with pytest.raises(BadParameters, match=r"shortest .5. is above longest .4."):
        settings_of("fasttext", {"shortest": "5", "longest": "4"})
    for pairs in (["dim"], ["dim=1", "dim=2"]):
        with pytest.raises(BadParameters, match="as NAME=VALUE"):
            settings_given(pairs)
    with pytest.raises(BadParameters, match=r"1,4[0-9]{2} examples, and a batch takes 5,000"):
        pretrain(order("quick_thought", corpus, out, batch_size="5000"))
    with pytest.raises(BadWeights, match=r"a\.pth does not end in \.safetensors"):
        pretrain(order("quick_thought", corpus, tmp_path / "a.pth"))
    with pytest.raises(BadSource, match="gone is no file"):
        pretrain(order("quick_thought", tmp_path / "gone", out))
    assert not out.exists()


def test_two_at_once_do_not_mix(corpus: Path, tmp_path: Path) -> None:
    asked = order("quick_thought", corpus, tmp_path / "a.safetensors")
    with (
        alone(asked.folder / "lock", "busy"),
        pytest.raises(InUse, match=r"a\.safetensors is being pretrained by another process"),
    ):
        pretrain(asked)


def test_a_distilled_word_lies_near_the_words_that_its_teacher_finds_alike(
    corpus: Path, files: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    """With all components and equal weights, distances are the teacher's own, but for their unit."""
    out = tmp_path / "a.safetensors"
    pretrain(order("distilled", corpus, out, **files["distilled"], dim="12", common="0"))
    learnt, taught = (read_weights(Path(path)).tensors["vectors"] for path in (out, files["distilled"]["teacher"]))
    own, theirs = torch.cdist(learnt, learnt), torch.cdist(taught, taught)
    torch.testing.assert_close(own / own.mean(), theirs / theirs.mean(), atol=1e-3, rtol=1e-3)
    assert abs(float(learnt.std()) - 1) < 1e-3, "float8 holds numbers near 1 best"


def test_a_teacher_that_does_not_fit_is_told(
    corpus: Path, files: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    out = tmp_path / "a.safetensors"
    with pytest.raises(BadParameters, match="teacher is missing; distilled has min_count"):
        settings_of("distilled", {})
    with pytest.raises(BadWeights, match="gone is no file"):
        pretrain(order("distilled", corpus, out, teacher=str(tmp_path / "gone")))
    with pytest.raises(BadParameters, match="is a backbone of images; give one of texts"):
        pretrain(order("distilled", corpus, out, teacher=str(ROOT / "data/pretrain/small.safetensors")))
    with pytest.raises(BadParameters, match="dim: 50 given, and the teacher has 12 dimensions"):
        pretrain(order("distilled", corpus, out, **files["distilled"], dim="50"))


def test_another_teacher_starts_from_the_beginning(
    corpus: Path, files: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    out, other = tmp_path / "a.safetensors", tmp_path / "other.safetensors"

    class Stop(Exception):
        pass

    def first_step(done: int, total: int) -> None:
        told.append(done)
        raise Stop

    told: list[int] = []
    pretrain(order("cooccurrence", corpus, other, window="3"))
    for teacher in (files["distilled"]["teacher"], str(other)):
        with pytest.raises(Stop):
            asked = order("distilled", corpus, out, teacher=teacher)
            pretrain(asked, Telling(training=first_step), saved_every_s=0)
    assert told == [1, 1]


@pytest.mark.parametrize(
    ("encoder", "settings"),
    [
        ("nnlm", {"dim": "8", "hidden": "16", "batch_size": "64", "epochs": "4", "learning_rate": "0.03"}),
        ("lstm", {"dim": "8", "cell": "16", "batch_size": "16", "epochs": "4", "learning_rate": "0.03"}),
        ("elmo", {"size": "16", "cell": "16", "layers": "1", "batch_size": "16", "epochs": "6", "learning_rate": "0.03"}),
    ],
)  # fmt: skip
def test_a_language_model_learns_an_order_of_words(encoder: str, settings: dict[str, str], tmp_path: Path) -> None:
    """The words stand in a circle, so each neighbour is told by its word alone: ln 12 = 2.5 by chance, 0 at best."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    lines = [" ".join((words * 2)[start : start + 7]) for start in np.random.default_rng(0).integers(12, size=400)]
    corpus = tmp_path / "circle.txt"
    corpus.write_text("\n".join(lines))
    given = settings_of(encoder, settings | {"noise": "60"})
    record = pretrain(Order(encoder, Corpus((corpus,)), given, tmp_path / "a.safetensors"))
    assert record.losses[0][1] > 1.5 and record.losses[-1][1] < 0.6
