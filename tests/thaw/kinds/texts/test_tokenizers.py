"""The files that tokenizers come from."""

from pathlib import Path

import pytest
from encoder_folders import SPECIAL, WORDS, tiny_tokenizer
from tokenizers import Tokenizer, normalizers, processors

from thaw.foundation.errors import BadWeights
from thaw.kinds.texts.tokenizers import tokenizer_from, tokenizer_text

TEXT = "The cats sat ON a film"


def test_limits_of_length_are_taken_off(tmp_path: Path) -> None:
    tiny_tokenizer().save(str(tmp_path / "tokenizer.json"))
    assert len(tiny_tokenizer().encode(TEXT).ids) == 4
    tokenizer = tokenizer_from(tokenizer_text(tmp_path, {}, lowercase=False))
    assert len(tokenizer.encode(TEXT).ids) == 9 and len(tokenizer.encode("on").ids) == 3


def test_a_list_of_pieces_is_enough(tmp_path: Path, real_data: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join((*SPECIAL, *WORDS)))
    made = tokenizer_from(tokenizer_text(tmp_path, {}, lowercase=False))
    assert made.encode(TEXT).ids == [2, 4, 5, 17, 6, 7, 8, 12, 3]
    large = tokenizer_from(tokenizer_text(tmp_path, {"do_lower_case": False}, lowercase=False))
    assert large.encode("THE").ids == [2, 1, 3]
    folder = real_data / "text/minilm"
    (tmp_path / "vocab.txt").write_bytes((folder / "vocab.txt").read_bytes())
    made, own = (tokenizer_from(tokenizer_text(each, {}, lowercase=False)) for each in (tmp_path, folder))
    for text in (TEXT, "Isn't it 3.50€, “naïve” – or हिन्दी, 日本語, שלום, café and 👍🏽?"):
        assert made.encode(text).ids == own.encode(text).ids


def test_small_letters_come_before_the_own_rules(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for lowercase, wanted in ((False, 1), (True, 4)):
        made = tokenizer_from(tokenizer_text(tmp_path, {}, lowercase=lowercase))
        assert made.encode("THE").ids == [2, wanted, 3]


def test_a_tokenizer_without_special_pieces_is_refused(tmp_path: Path) -> None:
    tokenizer: Tokenizer = tiny_tokenizer()
    tokenizer.post_processor = processors.ByteLevel()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(BadWeights, match="sets no special piece before a text"):
        tokenizer_text(tmp_path, {}, lowercase=False)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("nothing\n")
    with pytest.raises(BadWeights):
        tokenizer_text(tmp_path, {}, lowercase=False)
