"""``exports/``: a ZIP of pictures, and its names before."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import reverse

from nb_catalog.core.types import Permission
from nb_catalog.models import Export
from nb_catalog.models.db.clock import database_now
from nb_catalog.publishing import placements, upkeep
from tests import factories
from tests.api.conftest import BASE, Api
from tests.export.fixtures import approved

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    return api_as(Permission.PUBLISH)


def published(slot="hero", locale=""):
    mug = factories.product(photo=False)
    placements.publish(approved(mug), slot=slot, locale=locale, position=0, actor=None)
    return mug


def test_what_is_published_is_previewed_and_exported(api):
    mug, _other = published("hero", "de"), published("gallery")
    body = {"model": "testcatalog.mug", "slots": ["hero"], "pattern": "{sku}-{locale}.jpg"}
    preview = api.post("exports/preview/", body)
    assert (preview.status_code, preview.json()["count"]) == (200, 1)
    assert preview.json()["files"][0]["name"] == f"{mug.pk}-de"
    response = api.post("exports/", body)
    assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
    assert response["X-Left-Out"] == "0"
    assert ZipFile(BytesIO(b"".join(response))).namelist()[0] == f"{mug.pk}-de.jpg"


def test_what_cannot_be_exported_is_a_problem_document(api):
    nothing = api.post("exports/", {"slots": ["hero"]})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "request_refused")
    image = approved()
    unknown = api.post("exports/", {"images": [image.pk], "channels": ["amazn_main"]})
    assert "'amazon_main'" in unknown.json()["detail"]
    both = api.post("exports/", {"images": [image.pk], "slots": ["hero"]})
    assert both.status_code == 400
    assert api.post("exports/", {"model": "shop.nothing"}).status_code == 404
    assert api.post("exports/", {"images": [image.pk], "patern": "{sku}"}).status_code == 400


def test_a_worker_makes_what_is_asked_for_in_the_background(api):
    image = approved()
    body = {"images": [image.pk], "pattern": "{image}.jpg", "background": True}
    key = {"idempotency_key": "once"}
    first, again = (api.post("exports/", body, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json() and Export.objects.count() == 1
    waits = first.json()
    assert (waits["state"], waits["total"], waits["done"]) == ("waiting", 1, 0)
    assert waits["download"] is None and waits["expires_at"] is None
    address = f"exports/{waits['id']}/"
    assert api.get(f"{address}download/").status_code == 422
    upkeep.run_due()
    ready = api.get(address).json()
    assert (ready["state"], ready["done"], ready["left_out"]) == ("ready", 1, 0)
    assert ready["download"].endswith(f"{address}download/") and ready["expires_at"]
    file = b"".join(api.get(f"{address}download/"))
    assert len(file) == ready["byte_size"]
    assert ZipFile(BytesIO(file)).namelist()[0] == f"{image.pk}.jpg"
    assert [each["id"] for each in api.get("exports/?state=ready").json()["results"]] == [
        ready["id"]
    ]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_a_file_whose_time_is_over_is_not_sent_even_if_no_worker_has_deleted_it(api):
    body = {"images": [approved().pk], "pattern": "{image}.jpg", "background": True}
    key = api.post("exports/", body).json()["id"]
    upkeep.run_due()
    admin = reverse("admin:nb_catalog_productimage_export_file", args=[key])
    paths = (admin, f"{BASE}exports/{key}/download/", f"{BASE}exports/{key}/")
    for path in paths:
        sent = api.client.get(path)
        assert (sent.status_code, bool(b"".join(sent))) == (200, True), path
    Export.objects.update(expires_at=database_now() - timedelta(seconds=1))
    assert [api.client.get(path).status_code for path in paths] == [404, 404, 404]
    assert api.get("exports/").json()["count"] == 0
    page = api.client.get(reverse("admin:nb_catalog_productimage_export"))
    assert admin not in page.content.decode()
    upkeep.run_due()
    assert not Export.objects.exists()


def test_an_export_belongs_to_who_has_requested_it(api):
    key = api.post("exports/", {"images": [approved().pk], "background": True}).json()["id"]
    upkeep.run_due()
    other = Api(factories.superuser("other"))
    assert other.get("exports/").json()["results"] == []
    assert other.get(f"exports/{key}/download/").status_code == 404
    assert other.delete(f"exports/{key}/").status_code == 404
    for page in ("export_file", "export_delete"):
        path = reverse(f"admin:nb_catalog_productimage_{page}", args=[key])
        method = other.client.get if page == "export_file" else other.client.post
        assert method(path).status_code == 404
    assert api.get(f"exports/{key}/").json()["state"] == "ready"
    assert api.delete(f"exports/{key}/").status_code == 204


def test_what_a_worker_could_not_make_is_refused_before(api, monkeypatch):
    monkeypatch.setattr("nb_catalog.export.background.MOST", 1)
    images = [approved().pk, approved().pk]
    many = api.post("exports/", {"images": images, "background": True})
    assert many.status_code == 422 and "too many for one export" in many.json()["detail"]
    assert "manage.py nb_export" in many.json()["detail"]
    assert not Export.objects.exists()


@pytest.mark.parametrize("background", [False, True])
def test_two_pictures_of_one_name_are_a_problem_with_both(api, background):
    mug = factories.product(photo=False)
    images = [approved(mug).pk, approved(mug).pk]
    body = {"images": images, "pattern": "{sku}.jpg", "background": background}
    same = api.post("exports/", body)
    assert (same.status_code, same.json()["code"]) == (422, "request_refused")
    assert f"The pictures {images[0]} and {images[1]} would both" in same.json()["detail"]
    nothing = api.post("exports/", {"slots": ["hero"], "background": background})
    assert "no pictures to export" in nothing.json()["detail"]
    assert not Export.objects.exists()


def test_more_pictures_than_an_export_may_name_are_refused_with_the_limit(api):
    many = api.post("exports/", {"images": list(range(1, 50_001)), "background": True})
    assert (many.status_code, "20000" in str(many.json()["errors"]["images"])) == (400, True)


def test_an_asynchronous_server_sends_it_in_chunks(api, monkeypatch):
    image = approved()
    client = AsyncClient()
    client.force_login(api.user)
    monkeypatch.setattr("nb_catalog.export.web._CHUNK", 4096)

    async def download():
        response = await client.post(
            f"{BASE}exports/", {"images": [image.pk]}, content_type="application/json"
        )
        chunks = [chunk async for chunk in response.streaming_content]
        return response, chunks

    response, chunks = async_to_sync(download)()
    assert response.is_async
    assert len(chunks) > 1
    assert len(b"".join(chunks)) == int(response["Content-Length"])
    assert ZipFile(BytesIO(b"".join(chunks))).testzip() is None
