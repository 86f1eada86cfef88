"""Deliveries to the host's own pictures, in the API and in the admin."""

from html import unescape

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse

from demo_project.shop.catalog_images import BundleSource
from nb_catalog.admin import GalleryDeliveryAdmin
from nb_catalog.core.types import Permission
from nb_catalog.models import GalleryDelivery, Placement
from nb_catalog.publishing.galleries import ImageFieldGallery
from tests import factories
from tests.api.conftest import Api
from tests.catalog.models import Lamp
from tests.publishing.galleries.conftest import (
    lamp,
    no_files_of_other_tests,
    one_small_jpeg,
    only,
    source,
)
from tests.publishing.galleries.shop import GALLERIES, deliver, publish, states

__all__ = ["lamp", "no_files_of_other_tests", "one_small_jpeg", "only", "source"]

pytestmark = pytest.mark.django_db

LIST = "gallery-deliveries/"


@pytest.fixture
def changed(only, lamp):
    """A delivery whose alternative text the shop has changed."""
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    Lamp.objects.update(image_alt="Better")
    publish(lamp)
    deliver()
    return GalleryDelivery.objects.get()


@pytest.fixture
def api(api_as):
    return api_as(Permission.PUBLISH)


def test_a_placement_says_where_it_was_delivered_and_what_kept_it_out(api, changed):
    [placement] = api.get("placements/").json()["results"]
    [told] = placement["galleries"]
    assert (told["gallery"], told["state"]) == ("image", "changed")
    assert "The shop has changed image alt" in told["problem"]


def test_the_public_is_not_told_of_galleries(settings, anybody, changed):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    [placement] = anybody.get("placements/").json()["results"]
    assert placement["galleries"] == []


def test_deliveries_are_listed_by_state_and_gallery(api, changed):
    [told] = api.get(LIST, {"state": "changed", "gallery": "image"}).json()["results"]
    assert told["id"] == changed.pk and told["row"] == str(Lamp.objects.get().pk)
    assert told["is_marked"] is True
    assert api.get(LIST, {"state": "failed"}).json()["results"] == []
    assert api.get(f"{LIST}{changed.pk}/").json() == told


def test_a_decision_is_carried_out_once(api, changed):
    answer = api.post(f"{LIST}{changed.pk}/decide/", {"decision": "overwrite"})
    assert answer.json()["state"] == "waiting"
    again = api.post(f"{LIST}{changed.pk}/decide/", {"decision": "overwrite"})
    assert again.status_code == 409
    deliver()
    assert Lamp.objects.get().image_alt == "Reading lamp"


def test_only_who_may_publish_decides(api_as, changed):
    answer = api_as().post(f"{LIST}{changed.pk}/decide/", {"decision": "leave"})
    assert answer.status_code == 403
    assert api_as(views=False).get(LIST).status_code == 403


def page(client, name, *args, **query):
    return client.get(reverse(f"admin:nb_catalog_{name}", args=args), query).content.decode()


def test_the_list_of_placements_shows_what_kept_a_picture_out(client, changed):
    client.force_login(factories.superuser())
    shown = page(client, "placement_changelist")
    assert "image</a>: Changed by the shop" in shown
    assert reverse("admin:nb_catalog_gallerydelivery_change", args=[changed.pk]) in shown
    [placement] = Placement.objects.all()
    shown = page(client, "placement_change", placement.pk)
    assert "The shop has changed image alt" in shown


def test_the_start_page_counts_what_waits_for_a_person(client, changed):
    client.force_login(factories.superuser())
    shown = client.get(reverse("admin:app_list", args=["nb_catalog"])).content.decode()
    assert "gallerydelivery/?state__in=failed%2Cchanged" in shown
    [row] = page_rows(client, state__in="failed,changed")
    assert row.pk == changed.pk


def page_rows(client, **query):
    answer = client.get(reverse("admin:nb_catalog_gallerydelivery_changelist"), query)
    return answer.context["cl"].result_list


def test_a_person_decides_on_the_page_of_a_delivery(client, changed):
    client.force_login(factories.superuser())
    url = reverse("admin:nb_catalog_gallerydelivery_decide", args=[changed.pk, "overwrite"])
    assert url in page(client, "gallerydelivery_change", changed.pk)
    answer = client.post(url, follow=True)
    assert "A worker goes ahead." in answer.content.decode()
    deliver()
    assert states() == {"image": "delivered"}


def test_what_the_shops_own_code_refuses_or_lacks_is_said_on_every_face(
    api, client, lamp, only, monkeypatch
):
    def small(file):
        raise ValidationError("At most 1 KB.")

    client.force_login(factories.superuser())
    field = Lamp._meta.get_field("image")
    lost = ImageFieldGallery("imag", slot="hero", key="image")
    for gallery, text in ((GALLERIES[0], "At most 1 KB."), (lost, "mean 'image'?")):
        only(gallery)
        with monkeypatch.context() as patch:
            patch.setattr(field, "validators", [small])
            publish(lamp)
            deliver()
        delivery = GalleryDelivery.objects.get()
        row = api.get(f"{LIST}{delivery.pk}/").json()
        assert (row["state"], text in row["problem"]) == ("failed", True), row
        shown = unescape(page(client, "gallerydelivery_change", delivery.pk))
        assert text in shown, gallery


def test_who_may_only_view_sees_no_buttons_and_decides_nothing(client, changed):
    client.force_login(factories.staff())
    url = reverse("admin:nb_catalog_gallerydelivery_decide", args=[changed.pk, "leave"])
    assert url not in page(client, "gallerydelivery_changelist")
    assert client.post(url).status_code == 403
    assert client.get(url).status_code in (403, 405)
    assert states() == {"image": "changed"}


def test_a_list_of_deliveries_takes_the_same_number_of_queries(
    client, only, django_assert_max_num_queries
):
    only(GALLERIES[0])
    for number in range(6):
        publish(Lamp.objects.create(name=f"Lamp {number}"))
    client.force_login(factories.superuser())
    page(client, "gallerydelivery_changelist")
    with django_assert_max_num_queries(14):
        page(client, "gallerydelivery_changelist")
    with django_assert_max_num_queries(18):
        page(client, "placement_changelist")


def test_a_site_without_the_page_of_deliveries_shows_their_states_all_the_same(client, changed):
    [placement] = Placement.objects.all()
    client.force_login(factories.superuser())
    admin.site._registry.pop(GalleryDelivery)
    try:
        assert "<br>image: Changed by the shop" in page(client, "placement_changelist")
        assert "has changed image alt" in page(client, "placement_change", placement.pk)
    finally:
        admin.site.register(GalleryDelivery, GalleryDeliveryAdmin)


def test_without_galleries_the_page_of_a_placement_does_not_speak_of_them(
    client, only, lamp, monkeypatch
):
    only()
    # Of the demo shop, which is installed.
    monkeypatch.setattr(BundleSource, "galleries", ())
    placement = publish(lamp)
    client.force_login(factories.superuser())
    assert "field-galleries" not in page(client, "placement_change", placement.pk)
    assert Api(factories.superuser()).get("placements/").json()["results"][0]["galleries"] == []
