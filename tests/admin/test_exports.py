"""The admin's page of exports: chosen in lists, previewed and checked, downloaded, refused in words."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.urls import reverse

from nb_catalog.core.types import Permission
from nb_catalog.export import web
from nb_catalog.models import Export
from nb_catalog.publishing import placements, upkeep
from tests import factories
from tests.export.fixtures import approved

pytestmark = pytest.mark.django_db

PAGE = "admin:nb_catalog_productimage_export"


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


def address_of(*images):
    return f"{reverse(PAGE)}?images={','.join(str(image.pk) for image in images)}"


def body(**changes):
    return {"pattern": "{image}.jpg", "format": "original", **changes}


def test_pictures_are_chosen_in_their_list_and_downloaded(sign_in):
    client, images = sign_in(Permission.PUBLISH), [approved(), approved()]
    chosen = client.post(
        reverse("admin:nb_catalog_productimage_changelist"),
        {"action": "export_pictures", "_selected_action": [image.pk for image in images]},
        follow=True,
    )
    assert chosen.status_code == 200
    assert "2 pictures are exported as a ZIP" in chosen.content.decode()
    response = client.post(address_of(*images), body(download="1"))
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"].startswith('attachment; filename="pictures-')
    names = ZipFile(BytesIO(b"".join(response))).namelist()
    assert names == [*(f"{image.pk}.jpg" for image in images), "manifest.json", "manifest.csv"]


def test_published_pictures_are_chosen_in_the_list_of_places(sign_in):
    client = sign_in(Permission.PUBLISH)
    mug = factories.product(photo=False)
    place = placements.publish(approved(mug), slot="hero", locale="de", position=0, actor=None)
    page = client.post(
        reverse("admin:nb_catalog_placement_changelist"),
        {"action": "export_pictures", "_selected_action": [place.pk]},
        follow=True,
    )
    assert f"{mug.pk}-hero-de-1" in page.content.decode()


def test_all_that_is_published_is_exported_or_all_in_a_slot(sign_in):
    client = sign_in(Permission.PUBLISH)
    mug = factories.product(photo=False)
    for slot in ("hero", "gallery"):
        placements.publish(approved(mug), slot=slot, actor=None)
    changelist = reverse("admin:nb_catalog_placement_changelist")
    for query, count in (("", 2), ("slot=hero", 1)):
        filtered = query.replace("slot", "slot__exact")
        page = client.get(f"{changelist}?{filtered}").content.decode()
        address = f"{reverse(PAGE)}?published=1" + (f"&amp;{query}" if query else "")
        assert f'href="{address}"' in page
        shown = client.get(address.replace("&amp;", "&")).context
        assert shown["count"] == count


def test_the_preview_names_what_fails_and_what_would_mend_it(sign_in):
    client, image = sign_in(Permission.PUBLISH), approved()
    page = client.post(
        address_of(image), body(channels=["amazon_main", "zalando"])
    ).content.decode()
    assert "Amazon, main image: 1 of 1 checked pictures fails." in page
    assert "Make a final of it on a higher tier" in page


def test_what_cannot_be_exported_is_refused_in_words(sign_in, monkeypatch):
    client = sign_in(Permission.PUBLISH)
    mug = factories.product(photo=False)
    first, second = approved(mug), approved(mug)
    assert "There are no pictures to export" in client.get(reverse(PAGE)).content.decode()
    pending = client.get(address_of(factories.image())).content.decode()
    assert "Only approved pictures are exported" in pending
    same = client.post(address_of(first, second), body(pattern="{sku}.jpg", download="1"))
    assert f"The pictures {first.pk} and {second.pk} would both" in same.content.decode()
    unknown = client.post(address_of(first), body(pattern="{colour}.jpg", download="1"))
    assert "Names have no field {colour}" in unknown.content.decode()
    monkeypatch.setattr(web, "MOST_IN_REQUEST", 1)
    many = client.post(address_of(first, second), body(download="1")).content.decode()
    assert "2 pictures are too many for a web page" in many


def test_more_than_a_page_exports_are_made_by_a_worker(sign_in, monkeypatch):
    monkeypatch.setattr("nb_catalog.admin.exports.MOST_IN_REQUEST", 1)
    client, images = sign_in(Permission.PUBLISH), [approved(), approved()]
    page = client.get(address_of(*images)).content.decode()
    assert "too many to be made while you wait" in page and 'name="download"' not in page
    page = client.post(address_of(*images), body(background="1"), follow=True).content.decode()
    assert "A worker makes the ZIP." in page and "0 written" in page
    row = Export.objects.get()
    file = reverse("admin:nb_catalog_productimage_export_file", args=[row.pk])
    assert f'href="{file}"' not in page and client.get(file).status_code == 404
    upkeep.run_due()
    assert f'href="{file}"' in client.get(address_of(*images)).content.decode()
    names = ZipFile(BytesIO(b"".join(client.get(file)))).namelist()
    assert names[:2] == [f"{image.pk}.jpg" for image in images]
    owner = client.user
    other = sign_in(Permission.REVIEW)
    delete = reverse("admin:nb_catalog_productimage_export_delete", args=[row.pk])
    assert (other.get(file).status_code, other.post(delete).status_code) == (403, 403)
    client.force_login(owner)
    assert "The export is deleted." in client.post(delete, follow=True).content.decode()
    assert not Export.objects.exists()


def test_a_bad_pattern_is_refused_before_a_worker_sees_it(sign_in):
    client, image = sign_in(Permission.PUBLISH), approved()
    page = client.post(address_of(image), body(pattern="{colour}.jpg", background="1"))
    assert "Names have no field {colour}" in page.content.decode()
    assert not Export.objects.exists()


def test_a_worker_is_not_asked_for_what_it_cannot_make(sign_in, monkeypatch):
    client, mug = sign_in(Permission.PUBLISH), factories.product(photo=False)
    images = [approved(mug), approved(mug)]
    same = client.post(address_of(*images), body(pattern="{sku}.jpg", background="1"))
    assert f"The pictures {images[0].pk} and {images[1].pk} would both" in same.content.decode()
    monkeypatch.setattr("nb_catalog.export.background.MOST", 1)
    many = client.post(address_of(*images), body(background="1")).content.decode()
    assert "2 pictures are too many for one export, which has at most 1" in many
    assert not Export.objects.exists()


def test_pictures_of_a_run_of_a_series_and_of_the_review_desk_are_exported(sign_in):
    client = sign_in(Permission.PUBLISH, "nb_catalog.view_run", *factories.VIEW_PRODUCTS)
    mug = factories.product()
    job = factories.job(mug, state="succeeded")
    series = factories.series(mug)
    made = approved(mug, job=job, series=series.key)
    factories.image(mug, job=job, series=series.key)
    page = reverse(PAGE)
    run = reverse("admin:nb_catalog_run_change", args=[job.run_id])
    sheet = reverse("admin:nb_catalog_series_sheet", args=[series.pk])
    for origin, query in ((run, f"run={job.run_id}"), (sheet, f"series={series.key}")):
        assert f'href="{page}?{query}"' in client.get(origin).content.decode()
        shown = client.get(f"{page}?{query}").content.decode()
        assert "One picture is exported" in shown and f"{mug.pk}" in shown
    desk = reverse("admin:nb_catalog_productimage_review") + "?state=approved"
    client = sign_in(Permission.PUBLISH, Permission.REVIEW)
    assert f'formaction="{page}"' in client.get(desk).content.decode()
    chosen = client.post(page, {"chosen": [made.pk], "back": ""}, follow=True)
    assert chosen.request["QUERY_STRING"] == f"images={made.pk}"
    assert "One picture is exported" in chosen.content.decode()


def test_only_those_who_publish_export(sign_in):
    assert sign_in(Permission.REVIEW).get(address_of(approved())).status_code == 403
