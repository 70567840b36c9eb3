"""Listening on the page of a server, in a real browser whose microphone hears a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soxr
from browser import open_hearing_browser, show_page
from listening_models import RATE, noise, trigger_model
from made_up_sounds import written
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from serving_app import running

from flows.serving.hosts import Hosts
from flows.serving.server import web_sockets
from flows.serving.streams.app import build_listening_app
from flows.serving.streams.hall import StreamLimits


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    limits = StreamLimits()
    app = build_listening_app((trigger_model(threshold=-1.0),), limits, Hosts(frozenset()))
    with running(app, **web_sockets(limits.message_bytes)) as (address, _):
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    heard = soxr.resample(noise(5).clamp(-1, 1).numpy(), RATE, 48_000)
    with open_hearing_browser(tmp_path_factory.mktemp("heard"), written(heard, 48_000)) as opened:
        yield opened


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: webdriver.Chrome, server: str) -> webdriver.Chrome:
    show_page(browser, server, request.param)
    assert (
        "Listening for view glass: at most 0.43 false accepts an hour" in browser.find_element(By.TAG_NAME, "main").text
    )
    return browser


def events_on(page: webdriver.Chrome) -> list[str]:
    return [line.text for line in page.find_elements(By.CSS_SELECTOR, "#events li")]


def test_what_the_microphone_hears_is_shown_as_it_comes(page: webdriver.Chrome, server: str) -> None:
    button, status = page.find_element(By.ID, "listen"), page.find_element(By.ID, "status")
    button.click()
    assert button.text == "Stop" and button.get_attribute("aria-pressed") == "true"
    WebDriverWait(page, 30).until(lambda page: len(events_on(page)) >= 2)
    assert status.text.startswith("Listening: ") and all("view glass (score " in each for each in events_on(page))
    assert float(page.find_element(By.ID, "score").get_attribute("value")) > -15
    button.click()
    WebDriverWait(page, 30).until(lambda _: status.text.startswith("Heard "))
    assert status.text.endswith(f"events: {len(events_on(page))}")
    assert button.text == "Listen with the microphone" and button.get_attribute("aria-pressed") == "false"
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith((server, "blob:", "data:")) for name in asked)
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_file_is_listened_to(page: webdriver.Chrome, tmp_path: Path) -> None:
    (tmp_path / "monday.flac").write_bytes(written(noise(9).clamp(-1, 1).numpy(), RATE, form="FLAC"))
    status = page.find_element(By.ID, "status")
    page.find_element(By.ID, "file").send_keys(str(tmp_path / "monday.flac"))
    WebDriverWait(page, 30).until(lambda _: status.text.startswith("Heard 9.0"))
    assert len(events_on(page)) >= 2
    (tmp_path / "no.wav").write_bytes(b"RIFF")
    page.find_element(By.ID, "file").send_keys(str(tmp_path / "no.wav"))
    WebDriverWait(page, 30).until(lambda _: status.text.startswith("It stopped: "))
    assert events_on(page) == []
