"""Tests of the web page in Chromium against the running sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as on
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser.conftest import Sandbox, Write, people
from tests.console.processes import ROOT

WIDTHS = {"narrow": 400, "wide": 1280}
SCREENSHOTS = ROOT / ".build" / "screenshots"


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    """Serve the page, and yield its URL with the token."""
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "web", "--port", "0", "--no-open", "--json"],
        cwd=ROOT,
        env={**os.environ, **sandbox.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    yield json.loads(process.stdout.readline())["url"]
    process.terminate()
    printed = "".join(process.communicate(timeout=30))
    assert "example.com" not in printed
    assert "token=" not in printed


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    assert chromium, "Chromium is not on the PATH. Install it: apt-get install chromium chromium-driver"
    assert driver, "chromedriver is not on the PATH. Install it: apt-get install chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()


def until(browser: webdriver.Chrome, condition: object, seconds: float = 100) -> object:
    return WebDriverWait(browser, seconds).until(condition)  # type: ignore[arg-type]  # selenium says Callable


def drop(browser: webdriver.Chrome, url: str, file: Path) -> None:
    """Choose a file and wait until its columns are shown."""
    browser.get(url)
    browser.find_element(By.ID, "file").send_keys(str(file))
    until(browser, on.visibility_of_element_located((By.ID, "send")))


def test_a_csv_file_is_uploaded_and_followed_until_available(
    browser: webdriver.Chrome, url: str, write: Write, sandbox: Sandbox
) -> None:
    drop(browser, url, write("marketing.csv", people("page")))
    assert "token" not in browser.current_url
    shown = browser.find_element(By.ID, "columns").text
    assert "email (1,000 of 1,000 filled, looks like email)" in shown
    assert "page0" not in browser.page_source
    Select(browser.find_element(By.ID, "type")).select_by_value("email_sha256")
    Select(browser.find_element(By.ID, "advertiser")).select_by_value("acme")
    browser.find_element(By.ID, "audience").send_keys("from the page")
    browser.find_element(By.ID, "send").click()
    until(browser, on.text_to_be_present_in_element((By.ID, "status"), "available"))
    assert "1,200 rows: 1,200 hashed" in browser.find_element(By.ID, "outcome").text
    browser.find_element(By.LINK_TEXT, "Details of this file").click()
    until(browser, on.text_to_be_present_in_element((By.TAG_NAME, "main"), "1,200 accepted"))
    assert "marketing" not in browser.current_url
    advertiser = sandbox.connectors.advertisers["acme"]
    (audience,) = [each for each in sandbox.connectors.audiences(advertiser) if each["name"] == "from the page"]
    assert len(sandbox.connectors.members(audience["id"])) == 1200
    for name, width in WIDTHS.items():
        for path in ("/", urlsplit(browser.current_url).path):
            browser.get(url.partition("/?")[0] + path)
            shoot(browser, f"{name}-{'file' if 'files' in path else 'overview'}", width)


def shoot(browser: webdriver.Chrome, name: str, width: int) -> None:
    """Save a screenshot for manual review, and check that the page fits into the width of the window."""
    browser.set_window_size(width, 1200)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
    root = "document.documentElement"
    content, window = browser.execute_script(f"return [{root}.scrollWidth, {root}.clientWidth]")
    assert content <= window <= width


def test_a_rejected_file_shows_its_invalid_lines(browser: webdriver.Chrome, url: str, sandbox: Sandbox) -> None:
    advertiser = sandbox.connectors.advertisers["acme"]
    sandbox.connectors.upload(advertiser, "tiktok/faulty/email_sha256/faulty.csv", b"jane@example.com\n" * 3)
    browser.get(url)
    until(browser, on.presence_of_element_located((By.LINK_TEXT, "faulty.csv")))
    browser.find_element(By.LINK_TEXT, "faulty.csv").click()
    until(browser, on.text_to_be_present_in_element((By.TAG_NAME, "main"), "Rows and cells that were not sent"))
    lines = [row.text for row in browser.find_elements(By.CSS_SELECTOR, "tbody tr")]
    assert [line.split()[:2] for line in lines] == [[str(number), "not_hashed"] for number in (1, 2, 3)]
    assert "jane" not in browser.page_source


def test_a_file_that_cannot_be_hashed_is_not_uploaded(browser: webdriver.Chrome, url: str, write: Write) -> None:
    drop(browser, url, write("odd.csv", "email\n" + "not an address\n" * 5))
    browser.find_element(By.ID, "audience").send_keys("odd")
    browser.find_element(By.CSS_SELECTOR, "#columns input").click()
    if not browser.find_element(By.CSS_SELECTOR, "#columns input").is_selected():
        browser.find_element(By.CSS_SELECTOR, "#columns input").click()
    browser.find_element(By.ID, "send").click()
    until(browser, on.text_to_be_present_in_element((By.ID, "outcome"), "Nothing was uploaded"))
    assert "not an address" not in browser.find_element(By.ID, "outcome").text


def test_a_dead_letter_is_moved_back_to_the_queue(browser: webdriver.Chrome, url: str, sandbox: Sandbox) -> None:
    outputs = sandbox.connectors.advertisers["globex"].outputs
    sandbox.connectors.cloud.client("sqs").send_message(
        QueueUrl=outputs["dead_letter_queue_url"], MessageBody=json.dumps({"sweep": True})
    )
    browser.get(url)
    links = browser.find_elements(By.LINK_TEXT, "Check health")
    links[1].click()
    until(browser, on.presence_of_element_located((By.ID, "redrive")))
    shoot(browser, "narrow-doctor", WIDTHS["narrow"])
    shoot(browser, "wide-doctor", WIDTHS["wide"])
    browser.find_element(By.ID, "redrive").click()
    until(browser, on.text_to_be_present_in_element((By.TAG_NAME, "main"), "There are no dead letters."))
    deadline = time.monotonic() + 20
    while sandbox.connectors.depth(outputs["dead_letter_queue_url"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert sandbox.connectors.depth(outputs["dead_letter_queue_url"]) == 0


def test_all_controls_are_reachable_by_keyboard_and_have_labels(
    browser: webdriver.Chrome, url: str, write: Write
) -> None:
    drop(browser, url, write("keys.csv", people("keys", 3)))
    names = set()
    for _ in range(12):
        webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
        names.add(browser.switch_to.active_element.get_attribute("id"))
    assert {"advertiser", "audience", "action", "send"} <= names
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('input, select, button')]"
        ".filter(each => each.offsetParent && !each.labels?.length && !each.textContent.trim()).length"
    )
    assert unnamed == 0


def test_foreign_requests_are_refused(url: str) -> None:
    base, _, token = url.partition("/?token=")
    session = requests.Session()
    assert session.get(url).status_code == 200
    assert session.get(base, headers={"Host": "evil.example"}).status_code == 403
    assert session.post(f"{base}/detect", data=b"a", headers={"Origin": "http://evil.example"}).status_code == 403
    assert session.post(f"{base}/detect", data=b"a").status_code == 403
    assert requests.get(base, timeout=10).status_code == 403
    assert token not in session.get(base).text


def test_the_browser_log_has_no_errors(browser: webdriver.Chrome, url: str) -> None:
    browser.get(url)
    log_messages(browser)  # discards the messages of earlier tests
    browser.get(url)
    assert log_messages(browser) == []


def log_messages(browser: webdriver.Chrome) -> list[str]:
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
    return [entry["message"] for entry in entries]
