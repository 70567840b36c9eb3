"""The forms in which networks take texts, by their JSON."""

import json
from collections.abc import Mapping

from thaw.kinds.kind import Preprocessing
from thaw.kinds.texts import piece_preprocessing, subword_preprocessing, word_preprocessing

FORMS: Mapping[
    str,
    type[
        word_preprocessing.WordPreprocessing
        | subword_preprocessing.SubwordPreprocessing
        | piece_preprocessing.PiecePreprocessing
    ],
] = {
    subword_preprocessing.FORM: subword_preprocessing.SubwordPreprocessing,
    word_preprocessing.FORM: word_preprocessing.WordPreprocessing,
    piece_preprocessing.FORM: piece_preprocessing.PiecePreprocessing,
}


def preprocessing_from_json(text: str) -> Preprocessing:
    """The preprocessing of a text network, as its `to_json` wrote it; unknown or missing keys raise TypeError or KeyError."""
    values = json.loads(text)
    del values["kind"]
    return FORMS[values.pop("form")](**values)
