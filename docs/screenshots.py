"""Takes the README's pictures from the running demo: ``python docs/screenshots.py``.

``DEMO_DATA_DIR`` names a demo that is stocked already; without it a new one is made, which takes
some minutes. Needs chromium and chromedriver on PATH.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "docs" / "images"
PATIENCE: Final = 900
MOST_BYTES: Final = 300_000
COLOURS: Final = (256, 160, 96)
CHOSEN_WORDS: Final = {"layouts": "launch-headline", "deck": "autumn-sale", "slot": "hero"}
CHOSEN_SCENES: Final = ("marble", "oak-table", "sunlit-window")


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        home = os.environ.get("DEMO_DATA_DIR") or stack.enter_context(tempfile.TemporaryDirectory())
        password = secrets.token_urlsafe(9)
        address = stack.enter_context(demo(home, password=password))
        browser = stack.enter_context(chromium(home))
        sign_in(browser, address, password=password)
        for name, (path, prepare) in PAGES.items():
            browser.get(address + path)
            prepare(browser)
            print(name, keep(browser, name), "bytes")


@contextlib.contextmanager
def demo(home: str, *, password: str) -> Iterator[str]:
    """The address of a demo that serves."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "DEMO_DATA_DIR": home, "DEMO_PASSWORD": password},
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)  # lets it stop its worker too
        process.wait(timeout=60)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(1)
    raise SystemExit("The demo does not serve.")


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextlib.contextmanager
def chromium(home: str) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--window-size=1280,1000",
        f"--user-data-dir={home}/browser-{os.getpid()}",
    ):
        options.add_argument(flag)
    browser = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield browser
    finally:
        browser.quit()


def sign_in(browser: webdriver.Chrome, address: str, *, password: str) -> None:
    browser.get(f"{address}/admin/login/")
    browser.find_element(By.NAME, "username").send_keys("admin")
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    WebDriverWait(browser, 20).until(lambda page: "/login/" not in page.current_url)


def settle(browser: webdriver.Chrome) -> None:
    """Until every picture in sight has been drawn."""
    drawn = "return [...document.images].every(i => i.complete || i.loading === 'lazy')"
    WebDriverWait(browser, 30).until(lambda page: page.execute_script(drawn))
    time.sleep(1)


def choose_scenes(browser: webdriver.Chrome) -> None:
    """Three scenes, and the price that the plan names for them."""
    for scene in CHOSEN_SCENES:
        box = browser.find_element(By.CSS_SELECTOR, f"[name=scenes][value='{scene}']")
        browser.execute_script("arguments[0].click()", box)
    time.sleep(4)
    settle(browser)


def choose_words(browser: webdriver.Chrome) -> None:
    """A layout and a copy deck, on what is published as hero, and the plan."""
    for name, value in CHOSEN_WORDS.items():
        box = browser.find_element(By.CSS_SELECTOR, f"[name={name}][value='{value}']")
        browser.execute_script("arguments[0].click()", box)
    time.sleep(4)
    settle(browser)


def make_banners(browser: webdriver.Chrome) -> None:
    """The same, started; then its pictures on the review page."""
    choose_words(browser)
    browser.find_element(By.ID, "nbc-start").click()
    WebDriverWait(browser, PATIENCE).until(
        lambda page: "100" in page.find_element(By.CSS_SELECTOR, ".nbc-progress").text
    )
    browser.find_element(By.PARTIAL_LINK_TEXT, "Review pictures of this run").click()
    # All of them in sight, beside the photo.
    browser.execute_script("document.querySelector('#content').style.zoom = 0.6")
    browser.execute_script("document.querySelector('.nbc-product').scrollIntoView()")
    settle(browser)


def keep(browser: webdriver.Chrome, name: str) -> int:
    """Write what is in sight, in as many colours as the limit of a file allows."""
    shot = Image.open(BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    for colours in COLOURS:
        written = BytesIO()
        shot.quantize(colours).save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    (TARGET / f"{name}.png").write_bytes(written.getvalue())
    return written.tell()


PAGES: Final[dict[str, tuple[str, Callable[[webdriver.Chrome], None]]]] = {
    "product": ("/en/products/earl-grey/", settle),
    "generate": ("/admin/nb_catalog/run/generate/?model=shop.product&key=1", choose_scenes),
    "review": ("/admin/nb_catalog/productimage/review/?state=all", settle),
    "series": ("/admin/nb_catalog/series/1/sheet/", settle),
    "deck": ("/admin/nb_catalog/copydeck/1/change/", settle),
    "texts": ("/admin/nb_catalog/run/texts/?model=shop.product&key=1", choose_words),
    "banners": ("/admin/nb_catalog/run/texts/?model=shop.product&key=1", make_banners),
}


if __name__ == "__main__":
    main()
