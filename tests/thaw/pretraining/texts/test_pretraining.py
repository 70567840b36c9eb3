"""Every encoder learns the structure of a corpus, goes on after a kill to the same bytes, and tells what it did."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from made_up_corpus import write_corpus
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
    "word2vec": GENSIM,
    "fasttext": GENSIM | {"buckets": "500", "epochs": "6"},
    "doc2vec": GENSIM | {"epochs": "30"},
}
PAIRS = 28
"""Of held-out neighbours in the corpus; by chance 2.8 are found, and 7 or more of them once in a hundred times."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "made_up.txt", 300)


def order(encoder: str, corpus: Path, out: Path, **changed: str) -> Order:
    return Order(encoder, Corpus((corpus,)), settings_of(encoder, SETTINGS[encoder] | changed), out)


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def made(request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    out = tmp_path_factory.mktemp("made") / f"{request.param}.safetensors"
    return pretrain(order(request.param, corpus, out)), out


def test_neighbours_are_found_better_than_by_chance(made: tuple[Record, Path]) -> None:
    record, _ = made
    assert record.probe is not None and record.probe.pairs == PAIRS
    assert record.probe.found * PAIRS >= 7


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
        "`made_up.txt`",
        record.weights,
        f"{PAIRS} sentences",
    )
    assert all(fact in text for fact in facts) and record.weights == digest_file(out).hex()
    assert all(f"| `{name}` | {value} |" in text for name, value in record.settings.items())
    assert sorted(path.suffix for path in out.parent.iterdir()) == [".md", ".safetensors"], "nothing else is left"


@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_a_killed_pretraining_goes_on_to_the_same_bytes(encoder: str, corpus: Path, tmp_path: Path) -> None:
    changed = {} if encoder == "cooccurrence" else {"epochs": "3"}
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

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 20:
            raise Stop

    def steps(changed: Path, **settings: str) -> list[int]:
        told: list[int] = []

        def telling(done: int, total: int) -> None:
            told.append(done)
            stop(done - told[0] + 1, total)

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
    with pytest.raises(BadParameters, match=r"1,4[0-9]{2} pairs of neighbouring sentences, and a batch takes 5,000"):
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
