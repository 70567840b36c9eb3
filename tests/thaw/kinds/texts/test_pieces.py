"""Windows of pieces: nothing of a text is lost, and every window but the last one is full."""

from encoder_folders import tiny_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from thaw.kinds.texts.pieces import pieces_of, special_pieces

TOKENIZER = tiny_tokenizer()
TOKENIZER.no_truncation()
TOKENIZER.no_padding()
BEFORE, AFTER = 2, 3


def windows(words: list[str], longest: int) -> list[list[int]]:
    laid = pieces_of(TOKENIZER, " ".join(words), longest)
    return [laid[start : start + longest] for start in range(0, len(laid), longest)]


def test_a_short_text_is_what_the_tokenizer_makes_of_it() -> None:
    text = "The cats sat DULLY on a qwertz"
    assert pieces_of(TOKENIZER, text, 12) == TOKENIZER.encode(text).ids
    assert special_pieces(TOKENIZER) == ([BEFORE], [AFTER])
    assert pieces_of(TOKENIZER, "", 12) == [BEFORE, AFTER]


def test_a_quarter_of_a_window_is_the_end_of_the_one_before() -> None:
    words = ["the", "cat", "sat", "on", "a", "mat", "good", "bad", "film", "is", "not", "dull"]
    own = TOKENIZER.encode(" ".join(words), add_special_tokens=False).ids
    assert windows(words, 10) == [[BEFORE, *own[:8], AFTER], [BEFORE, *own[6:], AFTER]]


@given(st.lists(st.sampled_from(["the", "cat", "good", "dull"]), max_size=60), st.integers(3, 20))
def test_the_windows_hold_every_piece_in_order(words: list[str], longest: int) -> None:
    own = TOKENIZER.encode(" ".join(words), add_special_tokens=False).ids
    found = windows(words, longest)
    shared = (longest - 2) // 4
    assert all(len(each) == longest for each in found[:-1])
    assert all((each[0], each[-1]) == (BEFORE, AFTER) for each in found)
    joined = found[0][1:-1] + [piece for each in found[1:] for piece in each[1 + shared : -1]]
    assert joined == own
    assert len(found) == 1 or len(found[-1]) > 2 + shared, "the last window adds something"
