"""Word2Vec by gensim: skip-gram or CBOW with noise words (Mikolov et al., NeurIPS 2013)."""

from typing import Annotated

from pydantic import Field

from thaw.backbones.weights import Weights
from thaw.pretraining.texts.gensim_models import GensimSettings, Pieces, frequencies, gensim_models
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.word_backbone import word_backbone


class Word2Vec(GensimSettings):
    """The settings of `word2vec`."""

    skip_gram: Annotated[bool, Field(description="a word foretells its neighbours; false: they foretell it (CBOW)")] = (
        True
    )


class Word2VecTraining(Pieces):
    """A `Training`; a step is a piece of the corpus."""

    def __init__(self, numbered: Numbered, settings: Word2Vec) -> None:
        model = gensim_models().Word2Vec(**settings.of_gensim(), sg=int(settings.skip_gram))
        model.build_vocab_from_freq(frequencies(numbered))
        assert tuple(model.wv.index_to_key) == numbered.vocabulary.words
        super().__init__(model, numbered, settings, {"vectors": model.wv.vectors, "outputs": model.syn1neg})

    def weights(self) -> Weights:
        """See `Training`: the network `word_vectors`."""
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        return word_backbone(vocabulary, running, self._tensors["vectors"], lowercase=self._settings.lowercase)
