"""The action "Use the photos themselves…": slot, ratio, a plan, a start, and what lists show of them."""

import pytest
from django.urls import reverse
from django.utils import translation

from nb_catalog import generation, worker
from nb_catalog.core.types import OWN_PHOTO, Permission
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, Run
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

PHOTOS = "/admin/nb_catalog/run/photos/"
PLAN = "/admin/nb_catalog/run/photos/plan/"
REVIEW = "/admin/nb_catalog/productimage/review/"


@pytest.fixture
def mug():
    return factories.product(photo=factories.photo_bytes((400, 500)), name="Blue mug")


def asked(mug, **wishes):
    return {"nonce": "n1", "model": "testcatalog.mug", "key": mug.pk, **wishes}


def photo_picture(mug, **fields):
    (item,) = generation.plan_photos([mug]).items()
    return factories.image(mug, asked=item.spec, size=(400, 500), **fields)


def test_the_action_keeps_the_choice_and_leads_to_the_page(root, mug, monkeypatch):
    monkeypatch.setattr(MugSource, "slots", {"hero": "4:5", "banner": "1.91:1"})
    answer = root.post(
        reverse("admin:testcatalog_mug_changelist"),
        {"action": "use_catalog_photos", "_selected_action": [mug.pk]},
    )
    assert answer.url.startswith(PHOTOS)
    page = root.get(answer.url).content.decode()
    assert "Use the photos themselves" in page and "<strong>1 mug</strong>" in page
    assert 'name="slot" value="" checked' in page and "hero (4:5)" in page
    assert 'name="ratio" value="" checked' in page and 'name="ratio" value="1.91:1"' in page
    assert 'name="every"' in page and 'data-needs="slot ratio"' in page


def test_the_plan_says_what_is_possible(root, mug):
    page = root.post(PLAN, asked(mug)).content.decode()
    assert "1 picture to generate" in page and "free" in page
    page = root.post(PLAN, asked(factories.product(photo=False))).content.decode()
    assert "The product has no photo. Upload one." in page
    page = root.post(PLAN, asked(mug, ratio="5:1")).content.decode()
    assert "Aspect ratio: Select a valid choice." in page


@pytest.mark.django_db(transaction=True)
def test_starting_makes_the_picture_once(root, mug):
    for _ in range(2):
        answer = root.post(PHOTOS, asked(mug, start="1", ratio="1:1"))
    assert answer.url == reverse("admin:nb_catalog_run_change", args=[Run.objects.get().pk])
    page = root.get(answer.url).content.decode()
    assert "Mugs: the photos themselves, 1:1" in page
    worker.drain()
    image = ProductImage.objects.get()
    assert (image.width, image.height, image.scene) == (400, 400, "")
    assert "Blue mug: the photo itself" in root.get(answer.url).content.decode()


def test_another_option_is_another_plan(root, mug):
    for every in ("", "on"):
        root.post(PHOTOS, asked(mug, start="1", ratio="1:1", **({"every": every} if every else {})))
    root.post(PHOTOS, asked(mug, start="1", ratio="4:5"))
    assert Run.objects.count() == 2, "of one photo, every photo is the first: it is underway"


@pytest.mark.parametrize("permission", [None, Permission.REVIEW, Permission.PUBLISH])
@pytest.mark.parametrize("url", [PHOTOS, PLAN])
def test_nobody_plans_without_the_permission(sign_in, mug, permission, url):
    client = sign_in(*([permission] if permission else []))
    assert client.post(url, asked(mug, start="1")).status_code == 403
    assert not Run.objects.exists()


def test_without_products_the_page_says_so(root):
    page = root.get(PHOTOS)
    assert page.status_code == 200 and b"No products are selected" in page.content


def test_the_review_page_shows_and_finds_them(root, mug):
    image = photo_picture(mug, checks={"decoded": True, "photo_changes": ["turned", "cropped"]})
    other = factories.image(mug, scene=factories.scene().key)
    page = root.get(REVIEW, {"scene": OWN_PHOTO}).content.decode()
    assert f'id="picture-{image.pk}"' in page and f'id="picture-{other.pk}"' not in page
    assert "Blue mug: the photo itself, variant 1" in page
    assert "turned upright, cropped" in page and "The photo itself" in page
    page = root.get(REVIEW, {"scene": "marble"}).content.decode()
    assert f'id="picture-{image.pk}"' not in page
    page = root.get(REVIEW, {"q": "photo itself"}).content.decode()
    assert f'id="picture-{image.pk}"' in page and f'id="picture-{other.pk}"' not in page


def test_lists_name_and_filter_them(root, mug):
    image = photo_picture(mug)
    factories.image(mug, scene="marble")
    url = reverse("admin:nb_catalog_productimage_changelist")
    page = root.get(url).content.decode()
    assert "The photo itself</td>" in page and "scene__exact=" in page
    page = root.get(url, {"scene__exact": ""}).content.decode()
    assert f"/{image.pk}/change/" in page and "marble</td>" not in page
    detail = root.get(reverse("admin:nb_catalog_productimage_change", args=[image.pk]))
    assert "The photo itself" in detail.content.decode()


def test_jobs_say_what_was_asked_for(root, mug):
    runs.start_run(generation.plan_photos([mug], ratio="1:1"))
    job = ImageJob.objects.get()
    page = root.get(reverse("admin:nb_catalog_imagejob_change", args=[job.pk])).content.decode()
    assert "The photo itself · 1:1 · #1" in page


def test_the_page_for_text_offers_them(root, mug, monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    factories.layout()
    factories.image(mug, scene="marble", size=(400, 500))
    photo_picture(mug)
    url = "/admin/nb_catalog/run/texts/"
    options = asked(mug, layouts=["banner"], locales=["en"])
    page = root.get(url, {"model": "testcatalog.mug", "key": mug.pk}).content.decode()
    assert f'name="scenes" value="{OWN_PHOTO}"' in page
    page = root.post(f"{url}plan/", {**options, "scenes": [OWN_PHOTO]}).content.decode()
    assert "1 picture to generate" in page
    page = root.post(f"{url}plan/", options).content.decode()
    assert "2 pictures to generate" in page


def test_generating_offers_no_photo_as_a_treatment(root, mug):
    factories.scene()
    page = root.get("/admin/nb_catalog/run/generate/", {"model": "testcatalog.mug", "key": mug.pk})
    assert 'name="treatment" value="photo"' not in page.content.decode()


@pytest.mark.parametrize("language", ["de", "fr"])
def test_titles_are_in_the_user_s_language(mug, language):
    with translation.override(language):
        title = generation.plan_photos([mug], ratio="4:5").title
    assert "4:5" in title and "themselves" not in title
