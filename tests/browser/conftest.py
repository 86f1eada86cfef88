"""A real Chromium, and a live server that lets nothing inline run."""

import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--window-size=1280,900",
)  # fmt: skip
# The same engine without the windows, menus and services of a desktop takes two thirds of the CPU.
BROWSERS = {"chromium-headless-shell": "--headless", "chromium": "--headless=new"}
# Debian's command for it is a script that waits for it: ended, it would leave the browser running.
WITHOUT_SCRIPT = Path("/usr/lib/chromium")


@pytest.fixture(scope="session")
def chromium():
    """Headless, with a profile of its own; started once, because starting takes seconds."""
    name = next(filter(shutil.which, BROWSERS), None)
    if name is None or shutil.which("chromedriver") is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("No browser test without chromium and chromedriver.")
    options = webdriver.ChromeOptions()
    itself = WITHOUT_SCRIPT / name
    options.binary_location = str(itself) if itself.exists() else shutil.which(name)
    # Without --user-data-dir, chromedriver makes a profile and removes it.
    for flag in (*FLAGS, BROWSERS[name]):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(180)
    yield driver
    host, port = driver.capabilities["goog:chromeOptions"]["debuggerAddress"].split(":")
    driver.quit()
    # Left running, it would take CPU from whatever is measured next on this machine.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port))).close()


@pytest.fixture
def browser(chromium):
    """Signed out, at desktop size, with JavaScript. Fails the test when the console showed an error."""
    # Of every site: delete_all_cookies() takes those of the page that is open.
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    yield chromium
    errors = [each["message"] for each in chromium.get_log("browser") if each["level"] == "SEVERE"]
    chromium.get("about:blank")
    assert errors == []


@pytest.fixture
def server(settings, transactional_db):
    """The site with a policy that forbids everything inline and everything from elsewhere."""
    settings.MIDDLEWARE = ["tests.browser.policy.strict", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "tests.browser.urls"
    running = LiveServer("127.0.0.1")
    yield running.url
    with suppress(TimeoutError):
        running.stop()
