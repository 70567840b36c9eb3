"""Words as InferSent 2 cuts them. This function stands in the README of exports too, so it uses nothing but `words_of`."""

from thaw.kinds.texts.word_keys import words_of


def moses_words_of(text: str) -> list[str]:
    """The words of a text in order, with capitals; `isn't` is `is`, `n` and `'t`, as after Moses' tokenizer."""
    parts = [["n", "'t"] if word == "n't" else [word] for word in words_of(text, lowercase=False)]
    return [part for word in parts for part in word]
