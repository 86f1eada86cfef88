"""E-mails at the end of a run are asked for on pages of plans; the title of a run's page has its count."""

import re

import pytest
from django.urls import reverse

from nb_catalog.models import RunNotice
from tests import factories

pytestmark = pytest.mark.django_db

GENERATE = reverse("admin:nb_catalog_run_generate")


@pytest.fixture
def notify(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {"EMAIL": "ask"}}
    return settings.NB_CATALOG["NOTIFY"]


@pytest.fixture
def ada(client):
    user = factories.superuser("ada")
    user.email = "ada@shop.example"
    user.save()
    client.force_login(user)
    client.user = user
    return client


def chosen(**fields):
    factories.scene("marble")
    mug = factories.product()
    return {"model": "testcatalog.mug", "key": mug.pk, **fields}


def box(page):
    found = re.search(r'<input type="checkbox" name="notify"[^>]*>', page.content.decode())
    return found and ("checked" if "checked" in found[0] else "empty")


def test_the_box_is_offered_to_those_who_can_get_an_e_mail(ada, notify, settings):
    query = chosen()
    pages = [GENERATE, *(reverse(f"admin:nb_catalog_run_{name}") for name in ("texts", "photos"))]
    for page in pages:
        assert box(ada.get(page, query)) == "empty"
    notify["EMAIL"] = "always"
    assert box(ada.get(GENERATE, query)) == "checked"
    # What a person has unticked stays so when the plan is updated.
    assert box(ada.post(GENERATE, {**query, "scenes": "marble", "update": "1"})) == "empty"
    ada.user.email = ""
    ada.user.save()
    assert box(ada.get(GENERATE, query)) is None
    ada.user.email = "ada@shop.example"
    ada.user.save()
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {}}
    assert box(ada.get(GENERATE, query)) is None


def start(client, **fields):
    options = {
        "scenes": "marble", "variants": 1, "ratio": "4:5", "tier": "draft", "treatment": "locked",
        "nonce": "n", "start": "1",
    }  # fmt: skip
    return client.post(GENERATE, {**chosen(), **options, **fields})


def test_a_run_is_started_with_or_without_an_e_mail(ada, notify):
    response = start(ada, notify="1")
    notice = RunNotice.objects.get()
    assert notice.url == f"http://testserver{response.url}" and notice.language == "en"
    assert notice.run.actor == ada.user
    start(ada, nonce="m")
    assert RunNotice.objects.count() == 1


def test_the_page_that_asks_for_the_price_keeps_the_box(ada, notify, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {"draft": {"PROVIDER": "gemini", "MODEL": "gemini-3-pro-image", "SIZE": "1K"}},
    }
    page = start(ada, notify="1").content.decode()
    assert '<input type="hidden" name="notify" value="1">' in page


def test_the_title_of_a_run_s_page_has_its_count(root):
    run = factories.run(title="Mugs: Marble")
    factories.job(of=run, state="succeeded")
    job = factories.job(of=run)
    url = reverse("admin:nb_catalog_run_change", args=[run.pk])
    assert f"<title>1 of 2 · Run {run.pk} |" in root.get(url).content.decode()
    job.state, job.live_key = "failed", None
    job.save()
    assert f"<title>✓ 1 of 2 · Run {run.pk} |" in root.get(url).content.decode()
    data = root.get(reverse("admin:nb_catalog_run_progress", args=[run.pk])).json()
    assert data["title"] == f"✓ 1 of 2 · Run {run.pk}"
