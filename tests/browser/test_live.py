"""Pages that update themselves: over events of a real ASGI server, and by polling without one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import review
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.models import ImageJob
from tests import factories
from tests.admin.test_series import made
from tests.browser.test_admin_way import Person, person
from tests.live.server import serving

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REQUESTED = """return performance.getEntriesByType("resource").map(each => each.name)
  .filter(name => name.includes(arguments[0]))"""


@pytest.fixture
def asgi(settings, transactional_db):
    # Many sites have it; compressed, a stream would end for browsers with its first event.
    compressing = "django.middleware.gzip.GZipMiddleware"
    settings.MIDDLEWARE = ["tests.browser.policy.strict", compressing, *settings.MIDDLEWARE]
    settings.ROOT_URLCONF = "tests.browser.urls"


@pytest.fixture
def sign_in(browser, asgi):
    def sign_in(port):
        someone = Person(browser, f"http://127.0.0.1:{port}")
        someone.user = factories.superuser()
        someone.sign_in(someone.user)
        return someone

    return sign_in


def make(run, number=1):
    rows = run.jobs.filter(state=JobState.QUEUED).values_list("pk", flat=True)[:number]
    ImageJob.objects.filter(pk__in=list(rows)).update(state=JobState.SUCCEEDED)


@pytest.fixture
def run(transactional_db):
    run = factories.run()
    for _ in range(4):
        factories.job(of=run)
    # With a worker: the page would say so if there were none.
    factories.job(state=JobState.CALLING, lease_until=timezone.now() + timedelta(hours=1))
    return run


def address(run):
    return f"/admin/nb_catalog/run/{run.pk}/change/"


def requests(person, name):
    return len(person.browser.execute_script(REQUESTED, name))


def sleep(person, seconds):
    person.browser.execute_async_script(f"setTimeout(arguments[0], {1000 * seconds})")


def test_a_run_page_follows_events_also_after_the_server_was_restarted(sign_in, run):
    with serving() as port:
        person = sign_in(port)
        person.open(address(run))
        person.wait_for_text(".nbc-percent", "0 %")
        person.browser.execute_script("window.isTheSame = true")
        make(run)
        person.wait_for_text(".nbc-percent", "25 %")
        sleep(person, 1)
        polls = requests(person, "/progress/")
        sleep(person, 3)
        assert requests(person, "/progress/") == polls, "nothing changed, and nothing was polled"
    make(run)
    with serving(port):
        person.wait_for_text(".nbc-percent", "50 %")
        make(run, 2)
        person.wait_for_text(".nbc-progress", "Done: 4 of 4 pictures generated.")
        assert person.browser.execute_script("return window.isTheSame")
        assert person.sees("#nbc-status.visually-hidden"), "the connection is no longer lost"
        # While the server was away, the browser said so.
        person.browser.get_log("browser")


def test_without_asgi_a_run_page_polls_and_shows_no_error(person, run):
    person.open(address(run))
    person.wait_for_text(".nbc-percent", "0 %")
    make(run, 4)
    person.wait_for_text(".nbc-progress", "Done: 4 of 4 pictures generated.")
    assert requests(person, "/events/") == 0


def test_where_events_do_not_arrive_a_page_polls(person, run, monkeypatch):
    """Under WSGI, a page that believes in a stream: as behind a proxy that refuses one."""
    monkeypatch.setattr("nb_catalog.live.is_asgi", lambda request: True)
    person.open(address(run))
    make(run, 4)
    person.wait_for_text(".nbc-progress", "Done: 4 of 4 pictures generated.")
    person.browser.get_log("browser")


@pytest.fixture(params=["asgi", "wsgi"])
def anywhere(request):
    """Somebody at a page that is served by ASGI, or by WSGI."""
    if request.param == "wsgi":
        yield request.getfixturevalue("person")
    else:
        sign_in = request.getfixturevalue("sign_in")
        with serving() as port:
            yield sign_in(port)
            # Before the server goes.
            request.getfixturevalue("browser").get("about:blank")


@pytest.mark.exhaustive(every=2)
def test_the_review_shows_what_others_decide_and_what_is_made(anywhere):
    images = [factories.image(factories.product(photo=False)) for _ in range(3)]
    anywhere.open("/admin/nb_catalog/productimage/review/")
    mine = int(anywhere.wait_for(".nbc-picture.nbc-now").get_attribute("data-pk"))
    anywhere.browser.execute_script("window.isTheSame = true")
    other = next(each for each in images if each.pk != mine)
    review.reject(other, actor=factories.superuser(), note="Crooked.")
    anywhere.wait_for(f"#picture-{other.pk}.nbc-is-rejected")
    anywhere.wait_for_text("#nbc-found", "2 pictures")
    anywhere.wait_for(f"#picture-{mine}.nbc-now.nbc-is-pending")
    assert not anywhere.sees("#nbc-news")[0].is_displayed(), "those were there before"
    fourth = factories.image(factories.product(photo=False))
    anywhere.wait_for_text("#nbc-found", "3 pictures")
    assert anywhere.browser.execute_script("return window.isTheSame")
    anywhere.wait(lambda: anywhere.sees("#nbc-news")[0].is_displayed(), for_what="the news")
    anywhere.click("#nbc-news a")
    anywhere.wait_for(f"#picture-{fourth.pk}")


@pytest.mark.exhaustive(every=2)
def test_the_page_of_a_series_shows_what_becomes_of_its_pictures(anywhere):
    mugs = [factories.product() for _ in range(2)]
    series = factories.series(*mugs)
    anywhere.open(f"/admin/nb_catalog/series/{series.pk}/sheet/")
    anywhere.wait_for(".nbc-member-missing")
    anywhere.browser.execute_script("window.isTheSame = true")
    anywhere.click(".nbc-choose")
    [image] = made(series, state=ImageState.PENDING, only={str(mugs[0].pk)}).values()
    anywhere.wait_for(".nbc-member-review")
    assert anywhere.wait_for(".nbc-choose").is_selected(), "what was selected still is"
    assert anywhere.wait_for(".nbc-member-review .nbc-grip").is_displayed()
    review.approve(image, actor=None)
    anywhere.wait_for(".nbc-member-approved")
    assert anywhere.browser.execute_script("return window.isTheSame")
    # This server has no photos of products.
    anywhere.browser.get_log("browser")
