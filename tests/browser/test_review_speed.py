"""Two hundred decisions by keyboard, the server stopped in between: how long each takes; none is lost."""

import json
import socket
import statistics
import time
from contextlib import suppress

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db.models import Count
from pytest_django.live_server_helper import LiveServer

from nb_catalog.models import ProductImage, ReviewDecision, ReviewEvent
from tests import factories
from tests.browser.test_admin_way import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REVIEW = "/admin/nb_catalog/productimage/review/"
# From the key to the moment at which the next picture has the focus, is loaded and drawn.
MEASURE = """
window.times = [];
let pressed = 0;
document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
ReviewPage.form.addEventListener("nbc:go", ({ detail }) => {
    const began = pressed, picture = detail.querySelector(".nbc-zoom img");
    const done = () => requestAnimationFrame(() => window.times.push(performance.now() - began));
    if (picture.complete) { done(); } else { picture.addEventListener("load", done, { once: true }); }
});
document.querySelector(".nbc-now").focus();
"""


class ClosingServer(ThreadedWSGIServer):
    """A server that lets another one have its address at once, and knows the connections it serves."""

    def __init__(self, *args, **options):
        self.served = []
        super().__init__(*args, **{**options, "allow_reuse_address": True})

    def process_request(self, request, client_address):
        self.served.append(request)
        super().process_request(request, client_address)

    def server_close(self):
        super().server_close()
        # Threads go on serving connections that browsers keep open.
        for connection in self.served:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class StoppableServer:
    """A site that can be stopped and started again at the same address."""

    def __init__(self):
        self.start("127.0.0.1")
        self.url = self.running.url

    def start(self, address=""):
        self.running = LiveServer(address or self.url.removeprefix("http://"), start=False)
        self.running.thread.server_class = ClosingServer
        self.running.start()

    def stop(self):
        with suppress(TimeoutError):
            self.running.stop()


@pytest.fixture
def site(settings, transactional_db):
    settings.MIDDLEWARE = ["tests.browser.policy.strict", *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "tests.browser.urls"
    server = StoppableServer()
    yield server
    server.stop()


@pytest.fixture
def person(browser, site):
    someone = Person(browser, site.url)
    someone.user = factories.superuser()
    someone.sign_in(someone.user)
    yield someone
    # The page asks for nothing after this.
    browser.get("about:blank")
    messages = [each["message"] for each in browser.get_log("browser")]
    assert all("net::ERR_" in each for each in messages), messages


def judge(person, number, *, waits=True):
    """Approve and reject in turn, each when the picture before it has been decided."""
    for at in range(number):
        before = person.browser.execute_script("return [window.times.length, ReviewPage.now().id]")
        person.press("ar"[at % 2])
        script = (
            "return window.times.length > arguments[0]"
            if waits
            else "return ReviewPage.now().id !== arguments[1]"
        )
        person.wait(
            lambda script=script, before=before: person.browser.execute_script(script, *before),
            for_what="the next picture",
        )


def outage(person, site, *, decisions, seconds):
    """Stop the server for ``seconds``, and decide meanwhile."""
    person.wait_until_sent()
    answered = ReviewDecision.objects.count()
    site.stop()
    stopped = time.monotonic()
    judge(person, decisions, waits=False)
    person.wait_for_text("#nbc-unsent", "not sent yet")
    assert ReviewDecision.objects.count() == answered
    time.sleep(max(0, seconds - (time.monotonic() - stopped)))
    site.start()
    person.wait_until_sent()


def require_nothing_lost(number):
    assert ReviewEvent.objects.count() == number
    events = ReviewEvent.objects.values("image").annotate(count=Count("pk"))
    assert {each["count"] for each in events} == {1}
    assert ProductImage.objects.exclude(state="pending").count() == number


def test_no_decision_is_lost_while_the_server_is_stopped(person, site):
    mug = factories.product(photo=False)
    for _ in range(12):
        factories.image(mug, size=(40, 50))
    person.open(REVIEW)
    person.wait_for(".nbc-now")
    person.browser.execute_script(MEASURE)
    judge(person, 3)
    outage(person, site, decisions=4, seconds=1)
    judge(person, 3)
    person.wait_until_sent()
    require_nothing_lost(10)


@pytest.mark.matrix
@pytest.mark.long
def test_two_hundred_pictures_are_judged_in_five_minutes(person, site):
    for _ in range(42):
        mug = factories.product()
        for _ in range(5):
            factories.image(mug, size=(320, 400))
    person.open(REVIEW)
    person.wait_for(".nbc-now")
    person.browser.execute_script(MEASURE)
    began = time.monotonic()
    judge(person, 90)
    outage(person, site, decisions=10, seconds=20)
    judge(person, 100)
    took = time.monotonic() - began
    person.wait_until_sent()
    require_nothing_lost(200)
    times = person.browser.execute_script("return window.times")
    figures = {
        "decisions": 200,
        "seconds": round(took),
        "median_ms": round(statistics.median(times)),
        "p95_ms": round(sorted(times)[int(0.95 * len(times))]),
    }
    print(json.dumps(figures))
    assert figures["median_ms"] < 100 and took < 300
