"""Names of espeak-ng as phones, and the phone error rate."""

from hypothesis import given
from hypothesis import strategies as st

from thaw.pretraining.sounds.phones import LETTERS, PHONES, error_rate, numbers_of, timed


def heard(name: str) -> str:
    return "".join(LETTERS[number - 1] for number in numbers_of(name))


def test_a_name_is_its_letters_without_stress_length_and_diacritics() -> None:
    shown = {"ˈeɪ": "eɪ", "dʒ": "dʒ", "ˈɔː": "ɔ", "ɑ̃": "ɑ", "tʲ": "t", "ç": "ç", "": "", "(en)": "", "ˈ": ""}
    assert {name: heard(name) for name in shown} == shown
    assert len(set(LETTERS)) == len(LETTERS) == PHONES - 1


def test_two_phones_of_one_name_share_its_time() -> None:
    (t, r) = numbers_of("t") + numbers_of("r")
    a, i = numbers_of("aɪ")
    assert timed([("t", 10), ("ˈaɪ", 100), ("(en)", 180), ("r", 200)], 260) == [(t, 10), (a, 100), (i, 140), (r, 200)]


@given(st.lists(st.integers(1, 4), max_size=8), st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_the_error_rate_counts_the_fewest_changes(found: list[int], true: list[int]) -> None:
    rate = error_rate([found], [true])
    assert abs(len(found) - len(true)) <= round(rate * len(true)) <= max(len(found), len(true))
    assert (rate == 0) == (found == true)
    assert error_rate([true, found], [true, true]) == rate / 2


def test_an_insertion_a_deletion_and_a_substitution_are_one_error_each() -> None:
    true = [1, 2, 3, 4]
    assert [error_rate([each], [true]) for each in ([1, 5, 2, 3, 4], [1, 3, 4], [1, 2, 9, 4])] == [0.25, 0.25, 0.25]
