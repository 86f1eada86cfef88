"""E-mails at the end of a run can be asked for over REST."""

import pytest
from django.urls import reverse

from nb_catalog.core.types import Permission
from nb_catalog.models import RunNotice
from tests import factories
from tests.escalation.conftest import paid, script

__all__ = ["script"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("setting", "asked", "informed"),
    [
        ("ask", None, 0),
        ("ask", True, 1),
        ("always", None, 1),
        ("always", False, 0),
        ("off", True, 0),
    ],
)
def test_whoever_starts_a_run_is_told_of_its_end(api_as, settings, setting, asked, informed):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {"EMAIL": setting}}
    factories.scene("marble")
    api = api_as(Permission.GENERATE)
    api.user.email = "ada@shop.example"
    api.user.save()
    body = {"model": "testcatalog.mug", "objects": [factories.product().pk], "scenes": ["marble"]}
    answer = api.post("runs/", {**body, **({} if asked is None else {"notify": asked})})
    assert answer.status_code == 201
    notices = RunNotice.objects.filter(run=answer.data["id"])
    assert notices.count() == informed
    for notice in notices:
        url = reverse("admin:nb_catalog_run_change", args=[answer.data["id"]])
        assert notice.url == f"http://testserver{url}"


def series_run():
    factories.series(factories.product())
    return "series/autumn/run/", {}


def edit():
    return f"images/{paid().pk}/edit/", {"instruction": "Warmer light", "tier": "draft"}


def escalation():
    return f"images/{paid().pk}/escalate/", {"tier": "premium"}


def experiment():
    for key in ("marble", "linen"):
        factories.scene(key)
    body = {"model": "testcatalog.mug", "objects": [factories.product().pk], "tier": "sketch"}
    return "experiments/", {**body, "scenes": ["marble", "linen"]}


@pytest.mark.parametrize("way", [series_run, edit, escalation, experiment])
def test_whatever_starts_a_run_can_be_asked_for_it(api_as, script, settings, way):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {"EMAIL": "ask"}}
    api = api_as(*Permission, "nb_catalog.change_series")
    api.user.email = "ada@shop.example"
    api.user.save()
    address, body = way()
    answer = api.post(address, {**body, "notify": True})
    assert answer.status_code == 201, answer.content
    notice = RunNotice.objects.get()
    assert notice.run_id == answer.json()["run"]
    assert notice.url.endswith(reverse("admin:nb_catalog_run_change", args=[notice.run_id]))
