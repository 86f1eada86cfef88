"""E-mails at the end of a run can be asked for over REST."""

import pytest
from django.urls import reverse

from nb_catalog.core.types import Permission
from nb_catalog.models import RunNotice
from tests import factories

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
