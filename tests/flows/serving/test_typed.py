"""A server whose examples can be typed: strings in JSON, beside files."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from opinions import gallery_of_opinions, opinions, predictor_on_opinions
from series_kind.kind import KIND as SERIES
from serving_app import Served, classifier_of, desk_with, served

from flows.serving.app import Parts, build_app
from flows.serving.document import terms_of, worded_document
from flows.serving.limits import Limits
from thaw.kinds.kind import Limits as ExampleLimits
from thaw.kinds.texts.kind import KIND
from thaw.models.serving.pages import Trial, render_docs, render_page

EXAMPLES = ExampleLimits(max_characters=1000)
FEW = Limits(body_mb=0.02, example=EXAMPLES, examples=8, timeout_s=20)
WORDS = {
    "Truly WONDERFUL.": "good",
    "👍🏽👍🏽 \U0001f468\u200d\U0001f469\u200d\U0001f467": "good",
    "הסרט היה נהדר": "good",
    "رائع \u202eجدا\u202c": "good",
    "un cafe\u0301": "good",
    "line one\r\nline two: dreadful\n\n": "bad",
    "data:text/plain;base64,boring": "bad",
    '<script>alert("superb")</script>': "good",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    classifier = classifier_of(predictor_on_opinions(), gallery_of_opinions(), EXAMPLES)
    with served(desk_with(classifier), FEW) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60) as opened:
        yield opened


def sentence(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


def test_strings_are_answered_in_their_order_whatever_their_script(client: httpx.Client) -> None:
    answer = client.post("/predict", json={"texts": list(WORDS)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert list(found) == ["model", "version", "texts"]
    assert [one["label"] for one in found["texts"]] == list(WORDS.values())
    assert all("name" not in one and list(one["probabilities"]) == ["bad", "good"] for one in found["texts"])


def test_a_string_is_answered_like_a_file_with_the_same_bytes(client: httpx.Client) -> None:
    for text in WORDS:
        files = [("texts", ("a.txt", text.encode()))]
        plain = {"content-type": "text/plain; charset=utf-8"}
        (typed,) = client.post("/predict", json={"texts": [text]}).json()["texts"]
        (sent,) = client.post("/predict", files=files).json()["texts"]
        (bare,) = client.post("/predict", content=text.encode(), headers=plain).json()["texts"]
        assert typed == bare == {key: value for key, value in sent.items() if key != "name"}


def test_the_nearest_training_texts_come_with_their_beginnings(client: httpx.Client) -> None:
    text, label = opinions()[-1]
    answer = client.post("/predict", json={"texts": [text]}, params={"nearest": 3})
    nearest = answer.json()["texts"][0]["nearest"]
    assert len(nearest) == 3 and nearest[0]["labels"] == [label] and nearest[0]["similarity"] > 0.999
    excerpt = client.get(nearest[0]["thumbnail"])
    assert excerpt.headers["content-type"] == "text/plain; charset=utf-8" and excerpt.text.split()[-1] in text


def test_the_words_that_speak_for_an_answer_come_on_request(client: httpx.Client) -> None:
    texts = ["The film was wonderful 👍🏽, café!", "الفيلم رائع", " "]
    answer = client.post("/predict", json={"texts": texts}, params={"explain": True})
    first, second, unusable = answer.json()["texts"]
    (why,) = first["explanation"]
    assert why["label"] == first["label"] == "good"
    assert [part["text"] for part in why["parts"]] == ["The", "film", "was", "wonderful", "👍🏽", ",", "café", "!"]
    assert all(texts[0][part["start"] : part["end"]] == part["text"] for part in why["parts"])
    effects = {part["text"]: part["effect"] for part in why["parts"]}
    assert min(effects[word] for word in ("wonderful", "👍🏽", "café")) > max(effects["The"], effects["!"], 0)
    assert [part["text"] for part in second["explanation"][0]["parts"]] == ["الفيلم", "رائع"]
    assert "explanation" not in unusable and "reason" in unusable
    assert client.get("/model").json()["explains"] is True
    assert "explanation" not in client.post("/predict", json={"texts": texts}).json()["texts"][0]


def test_an_explanation_that_takes_too_long_is_given_up() -> None:
    classifier = classifier_of(predictor_on_opinions(), None, EXAMPLES)
    long = "superb story " * 70
    with served(desk_with(classifier), replace(FEW, timeout_s=1)) as running:
        started = threading.Event()
        running.parts.explainers.submit(started.wait, 30)
        try:
            answer = httpx.post(f"{running.address}/predict?explain=1", json={"texts": [long]}, timeout=30)
            assert "no answer within 1 s" in sentence(answer, 503)
            assert httpx.post(f"{running.address}/predict", json={"texts": [long]}).status_code == 200
        finally:
            started.set()


def test_each_unusable_text_has_its_reason_and_the_others_are_answered(client: httpx.Client) -> None:
    given = ["", " \n\t", "nul \0", "x" * 1001, "Superb"]
    found = client.post("/predict", json={"texts": given}).json()["texts"]
    reasons = ("is empty", "holds nothing but spaces", "holds NUL bytes", "has 1,001 characters")
    assert [one["reason"].startswith(why) for one, why in zip(found, reasons, strict=False)] == [True] * 4
    assert found[4]["label"] == "good"
    none = client.post("/predict", json={"texts": ["", " "]})
    assert sentence(none, 422).startswith("none of the 2 texts can be used")
    assert [one["reason"] for one in none.json()["texts"]] == ["is empty", "holds nothing but spaces"]
    assert sentence(client.post("/predict", json={"texts": [""]}), 422) == "the text cannot be used: it is empty"


SHOWN = 'send {"texts": ["..."]}'


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "the body is no JSON"),
        (b'{"texts": ["a"', 400, "the body is no JSON"),
        (b'{"texts": ["\xff"]}', 400, "the body is no JSON"),
        (b'{"texts": ["\\ud800"]}', 400, "the body is no JSON"),
        (b"[" * 9000, 400, "the body is no JSON"),
        (b'["a"]', 422, SHOWN),
        (b'"a"', 422, SHOWN),
        (b"null", 422, SHOWN),
        (b'{"texts": "a"}', 422, SHOWN),
        (b'{"text": ["a"]}', 422, SHOWN),
        (b'{"texts": ["a"], "nearest": 3}', 422, "and nothing else in it"),
        (b'{"texts": []}', 422, "the request holds no text"),
        (b'{"texts": ["a", null]}', 422, "entry 2 of `texts` is no string"),
        (b'{"texts": [["a"]]}', 422, "entry 1 of `texts` is no string"),
        (json.dumps({"texts": ["a"] * 9}).encode(), 413, "more than 8 texts"),
        (json.dumps({"texts": ["a" * 20_000]}).encode(), 413, "larger than 0.02 MB"),
    ],
)
def test_what_is_wrong_with_the_json_is_said(client: httpx.Client, body: bytes, status: int, says: str) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert says in sentence(answer, status)


def test_other_content_types_are_told_of_json(client: httpx.Client) -> None:
    answer = client.post("/predict", content=b"x", headers={"content-type": "application/xml"})
    assert 'JSON such as {"texts": ["..."]}' in sentence(answer, 415)


def document(kind: Any) -> Any:
    return worded_document(build_app(Parts(Limits(), ""), desk_with(None)).openapi(), terms_of(kind))


def test_the_document_describes_json_only_where_examples_can_be_typed() -> None:
    body = document(KIND)["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data", "application/json", "text/plain"]
    assert body["application/json"]["schema"]["required"] == ["texts"]
    assert body["application/json"]["example"] == {"texts": ["A first text.", "A second text."]}
    assert "application/json" not in document(SERIES)["paths"]["/predict"]["post"]["requestBody"]["content"]


def test_the_pages_have_a_box_and_a_command_only_where_examples_can_be_typed() -> None:
    for kind, typed in ((KIND, True), (SERIES, False)):
        docs = render_docs(document(kind), kind.words, kind.name, kind.media_types)
        assert ("Content-Type: application/json&#34;" in docs or 'Content-Type: application/json"' in docs) == typed
        page = render_page(Trial(kind.words, kind.media_types, 32, 16, shows_examples=True, can_be_typed=typed))
        assert ("<textarea" in page) == typed and ("Type or drop a text" in page) == typed
