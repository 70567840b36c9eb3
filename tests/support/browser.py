"""A real browser without a window."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def open_browser(profile: Path, *flags: str) -> Iterator[webdriver.Chrome]:
    """Chromium with an empty profile in a folder; the test is skipped where there is none, except in CI."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        reason = "chromium and chromedriver are not installed; Debian's packages chromium and chromium-driver have them"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()


@contextmanager
def open_hearing_browser(folder: Path, wav: bytes) -> Iterator[webdriver.Chrome]:
    """Chromium whose microphone hears a WAV file, with its profile in a folder."""
    heard = folder / "heard.wav"
    heard.write_bytes(wav)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
    )
    with open_browser(folder / "profile", *flags) as opened:
        yield opened


def show_page(browser: webdriver.Chrome, address: str, width: int) -> None:
    """Go to a page, in a window so wide; narrow windows are those of phones."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)


def show_server(browser: webdriver.Chrome, address: str, width: int) -> None:
    """Go to the page of a server, and wait for what it says of its model; see `show_page`."""
    show_page(browser, address, width)
    WebDriverWait(browser, 30).until(lambda page: "version 7" in page.find_element(By.ID, "model").text)
