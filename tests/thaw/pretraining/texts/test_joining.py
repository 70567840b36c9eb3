"""Joined tables keep what neighbouring sentences share, and only tables of the same words are joined."""

import pytest
import torch
from made_up_corpus import write_corpus

from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.pretraining.storing import as_stored, widened
from thaw.pretraining.texts.cooccurrence import Cooccurrence, CooccurrenceTraining
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.joining import JoinSettings, join
from thaw.pretraining.texts.numbering import Numbered, count_words, number_corpus, vocabulary_of
from thaw.pretraining.texts.probe import probe


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Numbered:
    folder = tmp_path_factory.mktemp("numbers")
    corpus = Corpus((write_corpus(folder / "made_up.txt", 300),))
    counts, facts = count_words(corpus, lowercase=True)
    vocabulary = vocabulary_of(counts, min_count=1, max_words=1000)
    return number_corpus(corpus, vocabulary, facts, folder, lowercase=True)


@pytest.fixture(scope="module")
def part(numbered: Numbered) -> Weights:
    training = CooccurrenceTraining(numbered, Cooccurrence(dim=12, window=20))
    for step in range(training.steps):
        training.step(step)
    return training.weights()


def noisy(part: Weights, columns: int) -> Weights:
    """The table with columns of loud noise beside its own."""
    noise = 10 * torch.randn(len(part.tensors["vectors"]), columns, generator=torch.Generator().manual_seed(1))
    return Weights({**part.tensors, "vectors": torch.cat([part.tensors["vectors"], noise], 1)}, part.metadata)


def test_directions_that_neighbours_share_are_louder_than_noise(numbered: Numbered, part: Weights) -> None:
    table = noisy(part, 30)
    before = Weights(
        table.tensors | {"fc.weight": torch.zeros(1, 42)}, table.metadata | {"architecture": "word_vectors-116x42"}
    )
    found = probe(before, numbered)
    joined = join([table], numbered, JoinSettings(words=200, dim=10, power=1))
    assert joined.metadata["architecture"] == "word_vectors-116x10"
    better = probe(joined, numbered)
    assert found is not None and better is not None and better.found > found.found + 0.1


def test_no_dimension_is_much_louder_than_another(numbered: Numbered, part: Weights) -> None:
    joined = join([part, part], numbered, JoinSettings(dim=8, power=2))
    spread = joined.tensors["vectors"].std(0)
    assert spread.max() < 3 * spread.min()
    assert float(joined.tensors["vectors"].std()) == pytest.approx(1, rel=0.1)


def test_the_most_frequent_words_are_kept_with_their_keys_in_order(numbered: Numbered, part: Weights) -> None:
    whole, some = (join([part], numbered, JoinSettings(words=words, dim=8)) for words in (1000, 30))
    places = torch.searchsorted(whole.tensors["keys"], some.tensors["keys"])
    assert len(some.tensors["keys"]) == 30 and torch.equal(whole.tensors["keys"][places], some.tensors["keys"])
    for name in ("vectors", "rarity"):
        assert torch.equal(whole.tensors[name][places], some.tensors[name])
    assert torch.equal(whole.tensors["keys"], whole.tensors["keys"].sort().values)


def test_the_same_parts_give_the_same_numbers(numbered: Numbered, part: Weights) -> None:
    first, second = (join([part], numbered, JoinSettings(dim=8)).tensors["vectors"] for _ in range(2))
    assert torch.equal(first, second)


def test_other_words_are_refused(numbered: Numbered, part: Weights) -> None:
    other = Weights({**part.tensors, "keys": part.tensors["keys"] + 1}, part.metadata)
    with pytest.raises(BadWeights, match="only tables of vectors of the same words"):
        join([part, other], numbered, JoinSettings())
    with pytest.raises(BadWeights, match="other words than the corpus"):
        join([other], numbered, JoinSettings())


def test_a_byte_a_number_keeps_the_means_of_texts(numbered: Numbered, part: Weights) -> None:
    joined = join([part], numbered, JoinSettings(dim=10))
    small = as_stored(joined, "float8")
    assert small.tensors["vectors"].element_size() == 1 and small.tensors["rarity"].dtype == torch.float32
    exact, read = joined.tensors["vectors"], widened(small).tensors["vectors"]
    assert torch.nn.functional.cosine_similarity(exact, read).min() > 0.995
