"""The forms in which networks take texts, by their JSON."""

import json
from collections.abc import Mapping

from thaw.kinds.kind import Preprocessing
from thaw.kinds.texts import (
    character_preprocessing,
    moses_preprocessing,
    piece_preprocessing,
    spaced_preprocessing,
    subword_preprocessing,
    treebank_preprocessing,
    word_preprocessing,
)

FORMS: Mapping[
    str,
    type[
        word_preprocessing.WordPreprocessing
        | subword_preprocessing.SubwordPreprocessing
        | piece_preprocessing.PiecePreprocessing
        | character_preprocessing.CharacterPreprocessing
        | moses_preprocessing.MosesPreprocessing
        | treebank_preprocessing.TreebankPreprocessing
        | spaced_preprocessing.SpacedPreprocessing
    ],
] = {
    subword_preprocessing.FORM: subword_preprocessing.SubwordPreprocessing,
    word_preprocessing.FORM: word_preprocessing.WordPreprocessing,
    piece_preprocessing.FORM: piece_preprocessing.PiecePreprocessing,
    character_preprocessing.FORM: character_preprocessing.CharacterPreprocessing,
    moses_preprocessing.FORM: moses_preprocessing.MosesPreprocessing,
    treebank_preprocessing.FORM: treebank_preprocessing.TreebankPreprocessing,
    spaced_preprocessing.FORM: spaced_preprocessing.SpacedPreprocessing,
}


def preprocessing_from_json(text: str) -> Preprocessing:
    """The preprocessing of a text network, as its `to_json` wrote it; unknown or missing keys raise TypeError or KeyError."""
    values = json.loads(text)
    del values["kind"]
    return FORMS[values.pop("form")](**values)
