"""The start page of the app in the admin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import DailyBudget, Placement, ProviderCall, ProviderPause
from nb_catalog.ratelimit import UNTIL_A_PERSON_ACTS
from tests import factories

pytestmark = pytest.mark.django_db
HOME = "/admin/nb_catalog/"


@pytest.fixture
def home(monkeypatch):
    """Return what the page of a client shows, by title, and the page itself."""
    shown = []
    from nb_catalog.admin import home as module

    make = module.home_of
    monkeypatch.setattr(module, "home_of", lambda request: shown.append(make(request)) or shown[-1])

    def open_home(client):
        response = client.get(HOME)
        assert response.status_code == 200
        return {each.title: each for each in shown[-1].figures}, response.content.decode()

    return open_home


def failed_job(code, *, days_ago=0):
    return factories.job(
        factories.product(photo=False),
        state=JobState.FAILED,
        error_code=code,
        finished_at=timezone.now() - timedelta(days=days_ago),
    )


def test_everything_that_waits_is_counted_and_leads_to_its_list(root, home):
    product = factories.product(photo=False)
    factories.image(product)
    factories.image(product, state=ImageState.APPROVED)
    factories.cutout()
    factories.published(size=(20, 20))
    Placement.objects.update(stale_since=timezone.now())
    factories.job(factories.product(photo=False))
    for code in ("picture_missing", "picture_missing", "request_rejected"):
        failed_job(code)
    failed_job("rate_limited", days_ago=8)
    found, html = home(root)
    values = {title: each.value for title, each in found.items()}
    assert values == {
        "To review": "1",
        "Cut-outs to look at": "1",
        "Published with outdated text": "1",
        "Not in the shop's own pictures": "0",
        "Being made": "1",
        "Spent today (UTC)": "$0.0000",
        "Failed in the last 7 days": "3",
    }
    assert found["Failed in the last 7 days"].details == (
        "2 × The photo of the product is missing.",
        "1 × The provider rejects the request.",
    )
    for each in found.values():
        assert f'href="{each.url.replace("&", "&amp;")}"' in html
        assert root.get(each.url).status_code == 200, each.title


def test_the_list_behind_a_figure_has_as_many_rows(root, home):
    for state in (ImageState.PENDING, ImageState.REJECTED):
        factories.image(factories.product(photo=False), state=state)
    failed_job("picture_missing")
    factories.job(factories.product(photo=False))
    factories.cutout()
    factories.cutout(state="accepted")
    found, _html = home(root)
    for title in ("Failed in the last 7 days", "Cut-outs to look at"):
        rows = root.get(found[title].url).context["cl"].result_count
        assert str(rows) == found[title].value == "1"


def test_money_and_pauses(root, home):
    job = factories.job(factories.product(photo=False), state=JobState.UNKNOWN)
    ProviderCall.objects.create(
        job=job, epoch=1, provider="gemini", model="m", outcome="unknown",
        estimate_microusd=34_000, started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    DailyBudget.objects.create(day=timezone.now().date(), spent_microusd=1_250_000)
    ProviderPause.objects.create(
        provider="gemini", model="m", until=timezone.now() + UNTIL_A_PERSON_ACTS, cause="billing",
        reason="Billing is off.",
    )  # fmt: skip
    found, html = home(root)
    assert found["Spent today (UTC)"].value == "$1.2500"
    assert found["Calls of unknown cost"].value == "1"
    assert found["Calls of unknown cost"].details == ("$0.0340 reserved",)
    assert found["Being made"].details == ("gemini m is paused",)
    assert found["Being made"].urgent and "A provider is paused until resumed manually." in html


def test_nobody_is_shown_what_they_may_not_see(sign_in, home):
    failed_job("picture_missing")
    factories.image(factories.product(photo=False))
    found, _html = home(sign_in("nb_catalog.view_productimage", views=False))
    assert found.keys() == {"To review"}
    found, _html = home(sign_in("nb_catalog.view_placement", views=False))
    assert found.keys() == {"Published with outdated text", "Not in the shop's own pictures"}
    found, _html = home(sign_in("nb_catalog.view_run", views=False))
    assert found.keys() == {"Being made"}
    found, _html = home(sign_in("nb_catalog.view_run", "nb_catalog.view_dailybudget", views=False))
    assert found.keys() == {"Being made", "Spent today (UTC)"}


def test_an_empty_shop_has_first_steps_until_its_first_run(sign_in, root, home):
    _found, html = home(root)
    assert "First steps" in html and "manage.py nb_worker" in html
    assert reverse("admin:testcatalog_poster_changelist") in html
    assert html.count("nbc-done") == 1  # products are registered
    factories.scene()
    assert home(root)[1].count("nbc-done") == 2
    factories.job(state=JobState.SUCCEEDED)
    assert "First steps" not in home(root)[1]


def test_who_may_not_generate_gets_no_first_steps(sign_in, home):
    assert "First steps" not in home(sign_in("nb_catalog.view_productimage"))[1]
    assert "First steps" in home(sign_in("nb_catalog.view_productimage", Permission.GENERATE))[1]


def test_the_number_of_queries_is_constant(root):
    def count():
        with CaptureQueriesContext(connection) as queries:
            root.get(HOME)
        return len(queries)

    factories.job(factories.product(photo=False))
    failed_job("picture_missing")
    root.get(HOME)
    few = count()
    for number in range(6):
        failed_job(["picture_missing", "request_rejected", "rate_limited"][number % 3])
        factories.image(factories.product(photo=False))
        factories.cutout()
    assert count() == few
