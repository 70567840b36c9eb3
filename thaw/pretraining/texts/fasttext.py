"""FastText by gensim: Word2Vec whose words are sums of their parts (Bojanowski et al., TACL 2017)."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field, model_validator

from thaw.backbones.encoders import subword_vectors
from thaw.backbones.weights import Weights
from thaw.kinds.texts.subword_preprocessing import SubwordPreprocessing
from thaw.pretraining.texts.gensim_models import GensimSettings, Pieces, frequencies, gensim_models
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.word_backbone import word_backbone


class FastText(GensimSettings):
    """The settings of `fasttext`."""

    skip_gram: Annotated[bool, Field(description="a word foretells its neighbours; false: they foretell it (CBOW)")] = (
        True
    )
    shortest: Annotated[int, Field(ge=1, le=10, description="characters of the shortest parts")] = 3
    longest: Annotated[int, Field(ge=1, le=10, description="characters of the longest parts")] = 6
    buckets: Annotated[
        int, Field(ge=1, le=10_000_000, description="vectors of parts; parts share them by their hash")
    ] = 100_000

    @model_validator(mode="after")
    def _in_order(self) -> "FastText":
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest}) is above longest ({self.longest})")
        return self


class FastTextTraining(Pieces):
    """A `Training`; a step is a piece of the corpus."""

    def __init__(self, numbered: Numbered, settings: FastText) -> None:
        model = gensim_models().FastText(
            **settings.of_gensim(),
            sg=int(settings.skip_gram),
            min_n=settings.shortest,
            max_n=settings.longest,
            bucket=settings.buckets,
        )
        model.build_vocab_from_freq(frequencies(numbered))
        assert tuple(model.wv.index_to_key) == numbered.vocabulary.words
        wv = model.wv
        learnt = {"words": wv.vectors_vocab, "grams": wv.vectors_ngrams, "outputs": model.syn1neg}
        super().__init__(model, numbered, settings, learnt)
        self._sizes = (settings.shortest, settings.longest, settings.buckets)

    def weights(self) -> Weights:
        """See `Training`: the network `subword_vectors`."""
        self._model.wv.adjust_vectors()
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        plain = word_backbone(vocabulary, running, self._model.wv.vectors, lowercase=self._settings.lowercase)
        words, dim = self._model.wv.vectors.shape
        grams = np.concatenate([np.zeros((1, dim), np.float32), self._tensors["grams"]])
        preprocessing = SubwordPreprocessing(self._settings.lowercase, *self._sizes)
        metadata = {
            "architecture": subword_vectors.architecture_of(words, dim, self._sizes[2]),
            "preprocessing": preprocessing.to_json(),
        }
        return Weights({**plain.tensors, "grams": torch.from_numpy(grams)}, metadata)
