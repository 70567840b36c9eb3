"""Which words speak for an answer: against known answers, and for every form in which networks take texts."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from opinions import BAD, CLASSES, GOOD, LIMITS, PLAIN, predictor_on_opinions
from series_kind.kind import KIND as SERIES
from series_kind.kind import written
from torch import Tensor

from thaw.kinds.batches import stacked
from thaw.kinds.parts import Mark, Span
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.word_keys import key_of, words_of
from thaw.models.explaining import FEWEST, MOST_ANSWERS, PARTS, explain_parts
from thaw.models.explanation import Explanation, Spans

LogOdds = Callable[[Sequence[bytes]], Tensor]


def of_opinions(contents: Sequence[bytes]) -> Tensor:
    predictor = predictor_on_opinions()
    return predictor.log_odds([predictor.prepare(content, LIMITS) for content in contents])


def explained(text: str, log_odds: LogOdds = of_opinions) -> Explanation:
    found = explain_parts(text.encode(), KIND, log_odds)
    assert found is not None
    return found


def spans_of(found: Explanation) -> Spans:
    assert isinstance(found.parts, Spans)
    return found.parts


def marks_of(found: Explanation, place: int) -> tuple[Mark, ...]:
    return spans_of(found).marks(found.strengths(place))


def words_in(found: Explanation) -> list[str]:
    return [spans_of(found).text[span.start : span.end] for span in spans_of(found).spans]


def test_the_word_that_carries_the_label_is_found() -> None:
    found = explained("The film was wonderful and a story")
    good = dict(zip(words_in(found), found.drops[:, CLASSES.index("good")].tolist(), strict=True))
    assert max(good, key=good.__getitem__) == "wonderful" and good["wonderful"] > 3 * abs(good["story"])
    assert torch.allclose(found.drops[:, 0], -found.drops[:, 1]), "of two classes one speaks against the other"
    (mark,) = [mark for mark in marks_of(found, 1) if mark.strength == 1]
    assert spans_of(found).text[mark.span.start : mark.span.end] == "wonderful"


def test_a_word_against_the_answer_is_told_from_one_for_it() -> None:
    found = explained("הסרט הוא נהדר, wonderful and boring")
    strengths = {spans_of(found).text[mark.span.start : mark.span.end]: mark.strength for mark in marks_of(found, 1)}
    assert strengths["נהדר"] > 0 and strengths["wonderful"] > 0 > strengths["boring"]


@given(st.lists(st.sampled_from([*GOOD, *BAD, *PLAIN, "unknown"]), min_size=2, max_size=PARTS // 2))
def test_for_averaged_vectors_with_a_linear_head_it_is_the_closed_form(words: list[str]) -> None:
    predictor = predictor_on_opinions()
    vectors = dict(zip(predictor.backbone.model.keys.tolist(), predictor.backbone.model.vectors.detach(), strict=True))
    text = " ".join(words)
    tokens = [vectors.get(key_of(word)) for word in words_of(text, lowercase=True)]
    if "🏽" in words or "👍" in words or "👎" in words:
        return  # a tone belongs to the emoji before it: then one part has two tokens
    total = sum((token for token in tokens if token is not None), torch.zeros(8))
    count = sum(token is not None for token in tokens)

    def odds(total: Tensor, count: int) -> Tensor:
        return predictor.head.log_odds((total / max(count, 1))[None])[0]

    wanted = [
        odds(total, count) - (odds(total, count) if token is None else odds(total - token, count - 1))
        for token in tokens
    ]
    found = explained(text)
    assert len(spans_of(found).spans) == len(words)
    assert torch.allclose(found.drops, torch.stack(wanted), atol=2e-3)


def counting(weights: dict[str, float]) -> tuple[LogOdds, list[int]]:
    """A network whose log-odds are the sum of its words' weights, and the numbers of texts it was given."""
    asked: list[int] = []

    def log_odds(contents: Sequence[bytes]) -> Tensor:
        asked.append(len(contents))
        sums = [sum(weights.get(word, 0.0) for word in words_of(each.decode(), True)) for each in contents]
        return torch.tensor(sums, dtype=torch.float64)[:, None] * torch.tensor([[1.0, -1.0]])

    return log_odds, asked


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-5, 5)), min_size=2, max_size=PARTS))
def test_of_a_sum_every_part_gets_its_own_share(pairs: list[tuple[str, int]]) -> None:
    words = [f"{letter}{number + 5}" for letter, number in pairs]
    weights = {word: float(number) for word, (_, number) in zip(words, pairs, strict=True)}
    found = explained(" ".join(words), counting(weights)[0])
    assert words_in(found) == words
    assert found.drops[:, 0].tolist() == [weights[word] for word in words]
    assert found.drops.sum(0).tolist() == found.whole.tolist(), "together they are the answer"


def test_a_long_text_costs_a_bounded_number_of_answers_and_the_cue_is_still_found() -> None:
    words = ["so"] * 1900 + ["wonderful"] + ["so"] * 99
    log_odds, asked = counting({"wonderful": 4.0, "so": 0.001})
    found = explained(" ".join(words), log_odds)
    place = int(found.drops[:, 0].argmax())
    phrase = spans_of(found).spans[place]
    assert "wonderful" in spans_of(found).text[phrase.start : phrase.end] and phrase.end - phrase.start < 40
    assert sum(asked) <= MOST_ANSWERS and spans_of(found).spans == tuple(sorted(spans_of(found).spans))
    log_odds, asked = counting({"wonderful": 4.0})
    assert len(explained(" ".join(words * 30), log_odds).drops) < 2 * FEWEST and sum(asked) <= 2 * FEWEST + 1


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    assert spans_of(explained("wonderful")).spans == () and marks_of(explained("wonderful"), 0) == ()
    assert marks_of(explained("no known words here at all"), 0) == ()
    assert explain_parts(written([1.0, 2.0]), SERIES, of_opinions) is None


def test_the_plain_model_is_explained_in_the_same_way() -> None:
    preprocessing = predictor_on_opinions().backbone.preprocessing

    def log_odds(contents: Sequence[bytes]) -> Tensor:
        batch = stacked([preprocessing.prepare(content) for content in contents])  # type: ignore[attr-defined]
        bags = KIND.plain_features(batch).numpy()
        cue = KIND.plain_features(stacked([preprocessing.prepare(b"not good")])).numpy()[0, 2]  # type: ignore[attr-defined]
        return torch.tensor((bags == cue).sum(1, keepdims=True) * np.array([[2.0, -2.0]]))

    found = explained("it is not good", log_odds)
    assert dict(zip(words_in(found), found.drops[:, 0].tolist(), strict=True)) == {
        "it": 0, "is": 0, "not": 2, "good": 2,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["subwords", "pieces"])
def test_networks_of_parts_of_words_are_explained_by_whole_words(form: str) -> None:
    encoding = {
        "subwords": '{"buckets": 50, "form": "subwords", "kind": "texts", "longest": 4, "lowercase": true, "shortest": 3}'
    }
    if form == "pieces":
        from encoder_folders import tiny_tokenizer

        from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing

        tokenizer = tiny_tokenizer()
        tokenizer.no_truncation()
        tokenizer.no_padding()
        encoding["pieces"] = PiecePreprocessing(tokenizer.to_str(), 12).to_json()
    preprocessing = KIND.preprocessing_from_json(encoding[form])

    def log_odds(contents: Sequence[bytes]) -> Tensor:
        sizes = [sum(len(each) for each in preprocessing.prepare(content).values()) for content in contents]  # type: ignore[attr-defined]
        return torch.tensor(sizes, dtype=torch.float64)[:, None].expand(-1, 2)

    found = explained("the cats sat badly", log_odds)
    assert words_in(found) == ["the", "cats", "sat", "badly"]
    drops = dict(zip(words_in(found), found.drops[:, 0].tolist(), strict=True))
    assert drops["cats"] > drops["sat"] and drops["badly"] > drops["the"], "all pieces of a word go with it"


def test_marks_leave_out_what_is_faint() -> None:
    spans = (Span(0, 1), Span(1, 2), Span(2, 3))
    found = Explanation(Spans("abc", spans), torch.tensor([[2.0], [-1.0], [0.1]]).double(), torch.zeros(1))
    assert [(mark.span.start, mark.strength) for mark in marks_of(found, 0)] == [(0, 1.0), (1, -0.5)]
