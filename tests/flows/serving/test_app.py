"""The paths, over HTTP on loopback: answers, refusals and their sentences, limits, pages and figures."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from openness_rows import opened_predictor, predictor_on_digits
from serving_app import VERSION, Served, classifier_of, desk_with, digit_files, plain_classifier, served

from flows.serving.limits import Limits
from flows.serving.live import Live
from thaw.kinds.kind import Limits as ExampleLimits

TINY = Limits(body_mb=0.02, example=ExampleLimits(10**6), examples=3, in_flight=2, timeout_s=20)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(desk_with(plain_classifier()), TINY) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60) as opened:
        yield opened


def form(*contents: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("images", (f"{number}.png", content)) for number, content in enumerate(contents)]


def refusal(answer: httpx.Response, status: int) -> str:
    """The sentence of a refusal, which is JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    sentence = answer.json()["error"]
    assert "\n" not in sentence and "Traceback" not in sentence
    return str(sentence)


def test_the_answers_are_those_of_the_model_in_the_order_of_the_images(client: httpx.Client) -> None:
    predictor, files = predictor_on_digits(), digit_files(3)[::2]
    expected = predictor.predict([predictor.prepare(file, ExampleLimits(10**6)) for file in files])
    answer = client.post("/predict", files=form(*files))
    found = answer.json()
    assert answer.status_code == 200 and (found["model"], found["version"]) == ("digits", 7)
    assert [one["name"] for one in found["images"]] == ["0.png", "1.png", "2.png"]
    assert [one["label"] for one in found["images"]] == expected.labels
    for row, one in zip(expected.probabilities, found["images"], strict=True):
        assert list(one["probabilities"]) == ["0", "1", "2"]
        assert list(one["probabilities"].values()) == pytest.approx(row, abs=1e-4)
        assert one["confidence"] == max(one["probabilities"].values())
        assert not {"known_score", "labels", "nearest", "reason"} & set(one)


@pytest.mark.parametrize("field", ["images", "examples", "anything"])
def test_the_fields_of_a_form_have_any_name(client: httpx.Client, field: str) -> None:
    answer = client.post("/predict", files=[(field, ("0.png", digit_files(1)[0]))])
    assert list(answer.json()) == ["model", "version", "images"] and len(answer.json()["images"]) == 1


def test_the_bodies_have_the_keys_that_the_document_names(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    answer = client.post("/predict", files=form(digit_files(1)[0]), params={"nearest": 1}).json()
    unusable = client.post("/predict", files=form(b"words", b"")).json()
    assert list(answer) == list(schemas["Prediction"]["properties"])
    assert list(unusable) == list(schemas["Unusable"]["properties"])
    assert set(answer["images"][0]) < set(schemas["ExampleAnswer"]["properties"])
    assert schemas["Prediction"]["required"] == ["model", "version", "images"]


def test_the_bytes_of_one_image_are_taken_as_they_are(client: httpx.Client) -> None:
    file = digit_files(1)[0]
    as_form = client.post("/predict", files=form(file)).json()["images"][0]
    as_body = client.post("/predict", content=file, headers={"content-type": "IMAGE/png; x=1"}).json()["images"][0]
    as_form.pop("name")
    assert as_body == as_form


def test_a_bad_image_does_not_fail_the_others(client: httpx.Client) -> None:
    good = digit_files(1)[0]
    bad, fine = client.post("/predict", files=form(b"words", good)).json()["images"]
    assert "not an image" in bad["reason"] and set(bad) == {"name", "reason"}
    assert fine["label"] in {"0", "1", "2"}


def test_only_bad_images_are_refused_with_each_reason(client: httpx.Client) -> None:
    answer = client.post("/predict", files=form(b"", b"words"))
    assert "none of the 2 images" in refusal(answer, 422)
    empty, words = answer.json()["images"]
    assert "is empty" in empty["reason"] and "not an image" in words["reason"]
    alone = client.post("/predict", content=b"words", headers={"content-type": "image/png"})
    assert "it is not an image" in refusal(alone, 422)


def test_names_are_repeated_fit_to_be_shown_and_never_opened(client: httpx.Client) -> None:
    names = ["/etc/hostname", "http://127.0.0.1:9/x.png", "a\u202eb" + "x" * 500]
    parts = [("images", (name, digit_files(1)[0])) for name in names]
    found = [one["name"] for one in client.post("/predict", files=parts).json()["images"]]
    assert found[:2] == names[:2] and found[2].startswith("a\ufffdb") and len(found[2]) <= 200
    path = client.post("/predict", files=[("images", ("x", b"/etc/hostname"))])
    assert "not an image" in refusal(path, 422)


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ({"data": {"images": "photo.jpg"}, "files": {"x": ("x", b"x")}}, 422, "'images' holds text and no file"),
        ({"files": {"x": (None, b"text")}}, 422, "'x' holds text"),
        ({"content": b"", "headers": {"content-type": "image/png"}}, 422, "holds no image"),
        ({"json": {"images": ["/etc/passwd"]}}, 415, "application/json is not taken"),
        ({"content": b"x"}, 415, "no content type"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "Missing boundary"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}}, 400, "cannot be read"),
        ({"files": form(*[b"x"] * 4)}, 413, "more than 3 images"),
        ({"files": form(b"x" * 20_000)}, 413, "larger than 0.02 MB"),
        ({"content": iter([b"x" * 15_000] * 2), "headers": {"content-type": "image/png"}}, 413, "larger than 0.02 MB"),
        ({"files": form(b"x"), "params": {"nearest": -1}}, 422, "nearest: input should be greater"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    client: httpx.Client, request_: dict[str, Any], status: int, says: str
) -> None:
    assert says in refusal(client.post("/predict", **request_), status)


def test_other_paths_and_methods_are_refused_as_json(client: httpx.Client) -> None:
    assert "nothing at /nowhere" in refusal(client.get("/nowhere"), 404)
    answer = client.get("/predict")
    assert "POST is" in refusal(answer, 405) and answer.headers["allow"] == "POST"
    assert "no such image" in refusal(client.get(f"/gallery/{'0' * 64}"), 404)
    assert "digest" in refusal(client.get("/gallery/passwd"), 422)
    assert "nothing at" in refusal(client.get("/gallery/..%2f..%2fetc"), 404)


def test_the_nearest_training_images_are_named_and_shown(client: httpx.Client) -> None:
    file = digit_files(1)[0]
    near = client.post("/predict", files=form(file), params={"nearest": 2}).json()["images"][0]["nearest"]
    assert len(near) == 2 and near[0]["similarity"] > 0.999 and near[0]["path"] == "train/0.png"
    picture = client.get(near[0]["thumbnail"])
    assert picture.content == file and picture.headers["content-type"] == "image/png"
    assert "drawing" not in near[0]
    assert "no drawing" in refusal(client.get(f"{near[0]['thumbnail']}/drawing"), 404)


def test_images_come_with_a_map_of_where_the_network_looked_on_request(client: httpx.Client) -> None:
    file = {"files": [("images", ("a.png", digit_files(1)[0]))]}
    (answer,) = client.post("/predict?explain=true", **file).json()["images"]
    (explanation,) = answer["explanation"]
    assert explanation["label"] == answer["label"] and "parts" not in explanation
    assert {len(row) for row in explanation["map"]} == {len(explanation["map"])} and any(map(any, explanation["map"]))
    assert explanation["drawn"].startswith("data:image/png;base64,")
    again = client.post("/predict?explain=true", **file).json()["images"][0]
    assert again["explanation"] == answer["explanation"], "the same image gives the same map"
    assert client.get("/model").json()["explains"] is True
    assert "explanation" not in client.post("/predict", **file).json()["images"][0]
    assert "MAPS = true" in client.get("/").text


def test_model_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}
    model = client.get("/model").json()
    assert (model["name"], model["version"], model["class_names"]) == ("digits", 7, ["0", "1", "2"])
    assert model["tags"] == {"thaw.strategy": "linear"} and model["gallery"] == 12
    assert model["asked_for"] == "models:/digits@champion" and not model["says_neither"]


def test_before_a_model_is_there_it_lives_and_is_not_ready() -> None:
    with served(desk_with(None)) as running, httpx.Client(base_url=running.address) as client:
        assert client.get("/health").status_code == 200
        for answer in (client.get("/ready"), client.get("/model"), client.post("/predict", files=form(b"x"))):
            assert "no model is loaded yet" in refusal(answer, 503)
            assert answer.headers["retry-after"] == "1"
        assert "Drop an example" in client.get("/").text and "-F examples=@first.bin" in client.get("/docs").text


def test_neither_comes_with_how_well_known_an_image_is() -> None:
    with served(desk_with(classifier_of(opened_predictor()))) as running:
        found = httpx.post(f"{running.address}/predict", files=form(*digit_files(1)), timeout=60).json()["images"]
        assert found[1]["label"] == "neither" and found[1]["known_score"] < found[0]["known_score"]
        assert httpx.get(f"{running.address}/model").json()["says_neither"]


def slowed(seconds: threading.Event) -> Any:
    """A classifier that answers once the event is set."""
    plain = plain_classifier()

    class Slow:
        name = "slow"

        def features(self, pixels: Any) -> Any:
            seconds.wait(30)
            return plain.engine.features(pixels)

    return replace(plain, engine=Slow())


def test_who_finds_no_room_is_asked_to_come_again() -> None:
    go = threading.Event()
    with served(desk_with(slowed(go)), TINY) as running, httpx.Client(base_url=running.address, timeout=60) as client:
        found: list[int] = []
        asking = [threading.Thread(target=lambda: found.append(post(running))) for _ in range(2)]
        for thread in asking:
            thread.start()
        while "thaw_in_flight 2.0" not in client.get("/metrics").text:
            time.sleep(0.02)
        full = client.post("/predict", files=form(b"x"))
        assert "2 requests are under way" in refusal(full, 503) and full.headers["retry-after"] == "1"
        go.set()
        for thread in asking:
            thread.join()
        assert found == [200, 200]
        assert client.post("/predict", files=form(*digit_files(1))).status_code == 200, "there is room again"
        assert 'thaw_rejected_total{reason="busy"} 1.0' in client.get("/metrics").text


def post(running: Served) -> int:
    return httpx.post(f"{running.address}/predict", files=form(digit_files(1)[0]), timeout=60).status_code


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    go = threading.Event()
    with served(desk_with(slowed(go)), replace(TINY, timeout_s=0.2)) as running:
        answer = httpx.post(f"{running.address}/predict", files=form(digit_files(1)[0]), timeout=60)
        assert "no answer within 0.2 s" in refusal(answer, 503)
        go.set()


def test_a_request_that_comes_in_too_slowly_is_given_up() -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x"
            time.sleep(0.05)

    with served(desk_with(plain_classifier()), replace(TINY, timeout_s=0.3)) as running:
        answer = httpx.post(
            f"{running.address}/predict", content=trickle(), headers={"content-type": "image/png"}, timeout=60
        )
        assert "did not come in within 0.3 s" in refusal(answer, 408)


def test_what_breaks_inside_is_a_sentence_and_the_next_request_goes_well() -> None:
    plain = plain_classifier()

    class Broken:
        name = "broken"
        left = 1

        def features(self, pixels: Any) -> Any:
            if self.left:
                self.left -= 1
                raise RuntimeError("secret of the house")
            return plain.engine.features(pixels)

    with served(desk_with(replace(plain, engine=Broken()))) as running:  # type: ignore[arg-type]
        answer = httpx.post(f"{running.address}/predict", files=form(digit_files(1)[0]), timeout=60)
        assert "its log has the reason" in refusal(answer, 500) and "secret" not in answer.text
        assert post(running) == 200


def test_a_model_is_swapped_under_a_request_and_the_old_one_is_freed_after_it() -> None:
    go = threading.Event()
    with served(desk_with(slowed(go))) as running:
        first = running.parts.desk.current
        assert first is not None
        found: list[dict[str, Any]] = []
        asking = threading.Thread(target=lambda: found.append(full_post(running)))
        asking.start()
        while first.users == 0:
            time.sleep(0.02)

        async def swap() -> None:
            version = replace(VERSION, number=8)
            running.parts.desk.put(Live(version, plain_classifier(), running.parts.limits, running.parts.metrics))

        asyncio.run_coroutine_threadsafe(swap(), running.loop).result(60)
        assert full_post(running)["version"] == 8, "new requests go to the new one"
        assert first.users == 1 and not first._batcher._gatherer.done()
        go.set()
        asking.join()
        assert found[0]["version"] == 7, "the request ends with the one that it began with"
        while not first._batcher._gatherer.done():
            time.sleep(0.02)


def full_post(running: Served) -> dict[str, Any]:
    found = httpx.post(f"{running.address}/predict", files=form(digit_files(1)[0]), timeout=60).json()
    assert isinstance(found, dict)
    return found


def test_requests_are_counted_by_known_paths_alone(server: Served, client: httpx.Client) -> None:
    client.post("/predict", files=form(b"words", digit_files(1)[0]))
    for number in range(3):
        client.get(f"/random-{number}")
    text = client.get("/metrics").text
    assert 'thaw_requests_total{method="POST",path="/predict",status="200"}' in text
    assert 'thaw_requests_total{method="GET",path="other",status="404"}' in text and "random" not in text
    for name in ("thaw_request_seconds_bucket", "thaw_examples_total", "thaw_batch_examples_count", "process_resident_memory_bytes"):  # fmt: skip
        assert name in text
    assert "thaw_in_flight 0.0" in text, "nothing is left over"


def test_pages_and_their_document_ask_for_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/docs"):
        page = client.get(path)
        assert page.status_code == 200 and "default-src 'none'" in page.headers["content-security-policy"]
        assert "http" not in page.text.replace("http://127.0.0.1:8080", "").replace("http-equiv", "").replace(
            "HTTP", ""
        )
    docs = client.get("/docs").text
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/predict",
        "/health",
        "/ready",
        "/model",
        "/metrics",
        "/gallery/{digest}",
        "/gallery/{digest}/drawing",
    }
    assert all(path in docs for path in paths) and "is empty (zero bytes)" in docs
