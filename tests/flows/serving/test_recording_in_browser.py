"""Recording, dropping and playing sounds on the page of the server, in a real browser whose microphone hears a file."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import open_hearing_browser, show_server
from made_up_sounds import tone, written
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from serving_app import Served, classifier_of, desk_with, served
from told_tones import LIMITS, gallery_of_tones, predictor_on_tones

LISTEN = """
const done = arguments[arguments.length - 1], player = arguments[0];
player.addEventListener("canplaythrough", () => done(player.duration), {once: true});
player.addEventListener("error", () => done(-1), {once: true});
player.preload = "auto"; player.load();
"""
"""The length in seconds of what a player plays."""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(desk_with(classifier_of(predictor_on_tones(), gallery_of_tones(), LIMITS))) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser whose microphone hears a high tone."""
    heard = written(tone(10, hertz=2200, rate=48_000), 48_000)
    with open_hearing_browser(tmp_path_factory.mktemp("heard"), heard) as opened:
        yield opened


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: webdriver.Chrome, server: Served) -> webdriver.Chrome:
    show_server(browser, server.address, request.param)
    return browser


def answer_on(page: webdriver.Chrome) -> WebElement:
    WebDriverWait(page, 30).until(lambda page: page.find_elements(By.TAG_NAME, "article"))
    return page.find_element(By.TAG_NAME, "article")


def test_what_the_microphone_hears_is_answered_and_played(page: webdriver.Chrome, server: Served) -> None:
    button = page.find_element(By.ID, "record")
    assert button.text == "Record" and button.get_attribute("aria-pressed") == "false"
    button.click()
    WebDriverWait(page, 30).until(lambda page: re.match(r"[1-9]", page.find_element(By.ID, "length").text))
    assert button.text == "Stop, and ask the model" and button.get_attribute("aria-pressed") == "true"
    button.click()
    card = answer_on(page)
    assert card.find_element(By.TAG_NAME, "h2").text == page.find_element(By.ID, "status").text == "high"
    assert "recording.wav" in card.text
    WebDriverWait(page, 10).until(lambda _: button.text == "Record")
    own, *near = card.find_elements(By.TAG_NAME, "audio")
    assert 1 <= page.execute_async_script(LISTEN, own) < 20
    assert len(near) == 8 and 0.25 < page.execute_async_script(LISTEN, near[0]) < 0.9
    drawn = (
        "return [...document.querySelectorAll('article img')].filter(each => each.complete && each.naturalWidth).length"
    )
    WebDriverWait(page, 30).until(lambda page: page.execute_script(drawn) == 9)
    assert card.find_element(By.CSS_SELECTOR, ".heard > img").size["height"] > 50
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked and all(name.startswith((server.address, "blob:", "data:")) for name in asked)
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_chosen_files_are_answered_one_by_one(page: webdriver.Chrome, tmp_path: Path) -> None:
    files = {
        "low.flac": written(tone(0.5, hertz=220), form="FLAC"),
        "no.wav": b"RIFF",
        "quiet.wav": written(0 * tone()),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.find_element(By.ID, "file").send_keys("\n".join(str(tmp_path / name) for name in files))
    answer_on(page)
    WebDriverWait(page, 30).until(lambda page: len(page.find_elements(By.TAG_NAME, "article")) == 3)
    good, broken, silent = page.find_elements(By.TAG_NAME, "article")
    assert good.find_element(By.TAG_NAME, "h2").text == "low"
    assert "It cannot be used: it is truncated or damaged" in broken.text
    assert "It cannot be used: it is silent" in silent.text


def test_a_page_without_a_microphone_says_why(page: webdriver.Chrome) -> None:
    page.execute_script("Object.defineProperty(navigator, 'mediaDevices', {value: undefined, configurable: true})")
    page.find_element(By.ID, "record").click()
    status = page.find_element(By.ID, "status")
    WebDriverWait(page, 10).until(lambda _: "There is no recording" in status.text)
    assert "only to pages of this machine (127.0.0.1) or over https" in status.text


HOSTILE = {
    "cut.wav": written(tone())[:2000],
    "bomb.wav": b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\xf0\xff\xff\x7e",
    "page.wav": b"<html><script>alert(1)</script>",
    "nan.wav": written(0 * tone() + float("nan"), subtype="FLOAT"),
    "flac.wav": b"fLaC" + b"\xff" * 5000,
    "ogg.ogg": b"OggS" + b"\0" * 5000,
    "mp3.mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"\0" * 500,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_uploads_are_refused_with_a_reason(server: Served, name: str) -> None:
    answer = httpx.post(f"{server.address}/predict", files={"examples": (name, HOSTILE[name])}, timeout=60)
    (found,) = answer.json()["sounds"]
    assert answer.status_code == 422 and found["reason"], answer.text
    assert "0x" not in found["reason"]


def test_the_nearest_sounds_are_heard_and_drawn(server: Served) -> None:
    files = {"examples": ("a.wav", written(tone(hertz=700)))}
    (answer,) = httpx.post(f"{server.address}/predict?nearest=1", files=files, timeout=60).json()["sounds"]
    (near,) = answer["nearest"]
    heard, drawn = (httpx.get(f"{server.address}{near[name]}") for name in ("thumbnail", "drawing"))
    assert heard.headers["content-type"] == "audio/wav" and heard.content.startswith(b"RIFF")
    assert drawn.headers["content-type"] == "image/png" and drawn.content.startswith(b"\x89PNG")
    assert httpx.get(f"{server.address}/gallery/{'0' * 64}/drawing").status_code == 404
    assert "drawing" not in answer
    both = {"one": ("a.wav", written(tone(hertz=700))), "other": ("no.wav", b"RIFF")}
    own, broken = httpx.post(f"{server.address}/predict?drawing=true", files=both, timeout=60).json()["sounds"]
    assert own["drawing"].startswith("data:image/png;base64,iVBOR") and "drawing" not in broken


def test_bytes_alone_are_taken_by_their_media_type(server: Served) -> None:
    content = written(tone(hertz=700), form="OGG")
    for media_type in ("audio/wav", "audio/x-wav", "audio/ogg"):
        answer = httpx.post(
            f"{server.address}/predict", content=content, headers={"Content-Type": media_type}, timeout=60
        )
        assert answer.json()["sounds"][0]["label"] == "middle", answer.text
    refused = httpx.post(
        f"{server.address}/predict", content=content, headers={"Content-Type": "video/webm"}, timeout=60
    )
    assert refused.status_code == 415
