"""One search for every list: what a term means is the same in the admin and over REST."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nb_catalog.admin.base import SearchableAdmin
from nb_catalog.api.fields import SearchFilter
from nb_catalog.api.urls import router
from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    GalleryDelivery,
    ImageJob,
    PhotoCutout,
    Placement,
    ProductImage,
    ProviderCall,
    Run,
    Series,
)
from nb_catalog.operations import search
from nb_catalog.operations.search import Search
from nb_catalog.publishing import placements
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

# The lists of rows about products: those that are not in it are about nobody's product.
SEARCHED = {
    GalleryDelivery, ImageJob, PhotoCutout, Placement, ProductImage, ProviderCall, Run, Series,
}  # fmt: skip


def world(name, *, sku, scene, text):
    """A row of every list about one product, and the product."""
    mug = factories.product(name=name, colour=sku)
    factories.scene(scene, name=scene.title())
    asked = factories.spec(
        mug, scene=scene, base="b" * 64, layout="banner", locale="de",
        renderer={"texts": {"headline": text}},
    )  # fmt: skip
    job = factories.job(mug, asked=asked, state="succeeded")
    image = factories.image(
        mug, asked=asked, job=job, locale="de", size=(20, 20), state=ImageState.APPROVED
    )
    placement = placements.publish(image, slot="social", locale="de", actor=None)
    now = timezone.now()
    call = ProviderCall.objects.create(
        job=job, run=job.run, epoch=1, provider="gemini", model="m", started_at=now,
        finished_at=now + timedelta(seconds=1), estimate_microusd=1, outcome="picture",
    )  # fmt: skip
    delivery = GalleryDelivery.objects.create(
        content_type_id=image.content_type_id, object_id=image.object_id, image=image,
        slot="social", locale="de", gallery="photos",
    )  # fmt: skip
    return {
        "product": mug, GalleryDelivery: delivery, Run: job.run, ImageJob: job, ProductImage: placement.image,
        Placement: placement, PhotoCutout: factories.cutout(mug), ProviderCall: call,
        Series: factories.series(mug, key=f"series-{scene}", scene=factories.scene(scene)),
    }  # fmt: skip


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr(MugSource, "search_fields", ("name", "=colour"))
    wanted = world("Stoneware mug", sku="SKU-4711", scene="oak-table", text="Über 30 % billiger")
    world("Glass jug", sku="SKU-1", scene="slate", text="Winter")
    return wanted


# What is called so, and the lists that have a row of it.
TERMS = {
    "stoneware MUG": SEARCHED,
    "sku-4711": SEARCHED,
    "Oak-Table": SEARCHED - {PhotoCutout},
    # In the text on the picture, whatever its case and script.
    "über billiger": SEARCHED - {PhotoCutout, Series},
    "porcelain": set(),
}


@pytest.mark.parametrize("term", TERMS)
def test_every_list_finds_the_same_rows_in_the_admin_and_over_rest(rows, term):
    user = factories.superuser()
    client = Client()
    client.force_login(user)
    lists = {
        Run: "runs", ImageJob: "jobs", ProductImage: "images", Placement: "placements",
        PhotoCutout: "cutouts", Series: "series", GalleryDelivery: "gallery-deliveries",
        ProviderCall: "calls",
    }  # fmt: skip
    for model in SEARCHED:
        expected = {rows[model].pk} if model in TERMS[term] else set()
        page = client.get(
            reverse(f"admin:nb_catalog_{model._meta.model_name}_changelist"), {"q": term}
        )
        assert {row.pk for row in page.context["cl"].result_list} == expected, model
        if model in lists:
            answer = client.get(f"/api/catalog-images/{lists[model]}/", {"search": term})
            found = {each.get("id", each.get("key")) for each in answer.data["results"]}
            keys = {rows[model].key} if model is Series and expected else expected
            assert found == keys, model


def test_members_of_a_series_are_found_by_their_products(rows):
    jug = factories.product(name="Copper jug")
    series = factories.series(rows["product"], jug, key="both")
    client = Client()
    client.force_login(factories.superuser())
    sheet = reverse("admin:nb_catalog_series_sheet", args=[series.pk])
    page = client.get(sheet, {"q": "copper"})
    assert [card.title for card in page.context["cards"]] == ["Copper jug"]
    assert page.context["total"] == 2
    # A part of the order is not sorted.
    content = page.content.decode()
    assert "nbc-grip" not in content and "nbc-grip" in client.get(sheet).content.decode()
    assert "No member is called so." in client.get(sheet, {"q": "porcelain"}).content.decode()
    members = "/api/catalog-images/series/both/members/"
    found = client.get(members, {"search": "sku-4711"}).data
    assert [each["object"] for each in found["results"]] == [str(rows["product"].pk)]
    assert found["count"] == 1 and client.get(members).data["count"] == 2


def test_no_list_about_products_is_left_out():
    ours = {
        model: each for model, each in admin.site._registry.items()
        if model._meta.app_label == "nb_catalog"
    }  # fmt: skip
    assert {model for model, each in ours.items() if isinstance(each, SearchableAdmin)} == SEARCHED
    about_products = {
        model for model in ours if {"object_id", "job"} & {f.name for f in model._meta.fields}
    }
    assert about_products <= SEARCHED
    filters = {
        basename: issubclass(view.filter_class or object, SearchFilter)
        for _prefix, view, basename in router.registry
        if hasattr(view, "filter_class") and "list" in dir(view)
    }
    searched = {name for name, has_search in filters.items() if has_search}
    assert searched == {
        *("run", "job", "image", "placement", "cutout", "series", "call"),
        "gallery-delivery",
    }


def test_a_number_is_a_product_a_run_or_a_job(rows):
    number = str(rows[Run].pk)
    found = Search(term=f"#{number}", rows=ImageJob.objects)
    assert set(Run.objects.filter(found.condition(Run))) == {rows[Run]}
    mug = rows["product"]
    key = Search(term=str(mug.pk), rows=ImageJob.objects)
    assert key.is_key and set(ImageJob.objects.filter(key.condition(ImageJob))) == {rows[ImageJob]}


def test_only_the_newest_texts_are_compared(rows, monkeypatch):
    monkeypatch.setattr(search, "MAX_TEXTS", 1)
    old = Search(term="billiger", rows=ImageJob.objects)
    assert not ProductImage.objects.filter(old.condition(ProductImage)).exists()
    new = Search(term="winter", rows=ImageJob.objects)
    assert ProductImage.objects.filter(new.condition(ProductImage)).count() == 1


def test_a_public_list_cannot_be_searched(rows, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    address = "/api/catalog-images/placements/"
    assert Client().get(address, {"model": "testcatalog.mug"}).status_code == 200
    answer = Client().get(address, {"model": "testcatalog.mug", "search": "oak"})
    assert answer.status_code == 400 and "search" in str(answer.data)
