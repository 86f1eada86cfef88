"""The page of a picture shows its history, and one like it begins there."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db

GENERATE = reverse("admin:nb_catalog_run_generate")


def page_of(client, image):
    return client.get(reverse("admin:nb_catalog_productimage_change", args=[image.pk]))


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def family(mug=None):
    """A draft with a rejected crop that has a final's look, from the photo of ``mug``."""
    mug = mug or factories.product(name="Stoneware mug")
    photo = mug.packshot.name
    backdrop = factories.image(mug, kind="backdrop", asked=factories.spec(mug, photo=photo))
    draft = factories.image(mug, parent=backdrop, state="approved")
    asked = factories.spec(
        mug, edit={"parent": draft.sha256, "adjustments": [{"kind": "crop", "ratio": "1:1"}]}
    )
    crop = factories.image(mug, parent=draft, asked=asked, state="rejected")
    return backdrop, draft, crop


def test_the_page_shows_family_recipe_decisions_and_places(root):
    factories.scene("marble")
    backdrop, draft, crop = family()
    review.reconsider(draft, actor=None, note="Look again.")
    review.approve(draft, actor=factories.superuser("ada"))
    placements.publish(draft, slot="gallery", position=1, actor=None)
    response = page_of(root, draft)
    page, text = response.content.decode(), text_of(response)
    tree = page[page.index('<ul class="nbc-tree"') : page.index('id="nbc-recipe"')]
    assert tree.count("<ul") == tree.count("</ul") and tree.count("<li") == tree.count("</li")
    places = [
        tree.index(each) for each in ("Photo of the product", "Background", "this one", "Adjusted")
    ]
    assert places == sorted(places)
    assert "cropped to 1:1" in tree and "Rejected" in tree and "Published: gallery 2" in tree
    for other in (backdrop, crop):
        assert reverse("admin:nb_catalog_productimage_change", args=[other.pk]) in tree
    assert "words that only those may read who may generate" in page
    assert "Look again." in text and "Approved" in text and "ada" in text
    assert "gallery 2 now" in text


def test_what_is_gone_is_shown_as_gone(root):
    backdrop, draft, crop = family()
    ProductImage.objects.filter(pk=crop.pk).update(pruned_at=timezone.now())
    draft.catalog_object.delete()
    text = text_of(page_of(root, draft))
    assert "File deleted" in text and "The product was deleted." in text
    assert "Make one like this" not in text
    page = page_of(root, ProductImage.objects.get(pk=crop.pk))
    assert "Its file was deleted on" in text_of(page)


def test_queries_do_not_depend_on_the_family(root):
    factories.scene("marble")
    _backdrop, small, _crop = family()
    _other, first, crop = family()
    for _ in range(10):
        asked = factories.spec(
            crop.catalog_object,
            edit={"parent": crop.sha256, "adjustments": [{"kind": "crop", "ratio": "1:1"}]},
        )
        crop = factories.image(crop.catalog_object, parent=crop, asked=asked)
    counts = []
    for image in (small, first):
        page_of(root, image)
        with CaptureQueriesContext(connection) as queries:
            page_of(root, image)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_prompts_costs_and_publications_are_for_those_who_may_read_them(sign_in):
    _backdrop, draft, _crop = family()
    viewer = sign_in("nb_catalog.view_productimage", views=False)
    page = page_of(viewer, draft).content.decode()
    assert "may read who may generate" not in page and "Copy the prompt" not in page
    assert "Free: made here" not in page and "Make one like this" not in page
    assert 'id="nbc-published"' not in page
    page = page_of(sign_in(), draft).content.decode()
    assert "Free: made here" in page and 'id="nbc-published"' in page


def test_one_like_it_begins_with_its_options(root):
    factories.scene("marble")
    factories.scene("oak")
    _backdrop, draft, _crop = family()
    page = page_of(root, draft).content.decode()
    [url] = re.findall(r'href="([^"]*generate/[^"]*)"', page)
    form = root.get(url.replace("&amp;", "&")).content.decode()
    assert re.search(r'name="scenes" value="marble" checked', form)
    assert not re.search(r'name="scenes" value="oak" checked', form)
    assert re.search(r'name="ratio" value="4:5" checked', form)
    assert re.search(r'name="variants" value="2"', form)
    assert f"picture {draft.pk}</a>" in form


def test_one_like_it_of_other_products_begins_in_their_list(root):
    factories.scene("marble")
    _backdrop, draft, _crop = family()
    other = factories.product()
    url = reverse("admin:nb_catalog_productimage_like", args=[draft.pk])
    response = root.post(url, follow=True)
    assert response.redirect_chain == [(reverse("admin:testcatalog_mug_changelist"), 302)]
    assert f"options of picture {draft.pk}" in text_of(response)
    chosen = {"action": "generate_catalog_pictures", "_selected_action": [other.pk]}
    form = root.post(reverse("admin:testcatalog_mug_changelist"), chosen, follow=True)
    page = form.content.decode()
    assert re.search(r'name="scenes" value="marble" checked', page)
    assert re.search(r'name="variants" value="1"', page)
    # The next selection begins with nothing.
    again = root.post(reverse("admin:testcatalog_mug_changelist"), chosen, follow=True)
    assert 'value="marble" checked' not in again.content.decode()


def test_text_like_it_begins_on_the_page_of_texts(root):
    layout = factories.layout()
    mug = factories.product()
    asked = factories.spec(mug, prompt="", base="b" * 64, layout=layout.key, locale="de")
    image = factories.image(mug, asked=asked, locale="de")
    page = page_of(root, image).content.decode()
    [url] = re.findall(r'href="([^"]*texts/[^"]*)"', page)
    form = root.get(url.replace("&amp;", "&")).content.decode()
    assert re.search(r'name="layouts" value="banner" checked', form)
    assert re.search(r'name="locales" value="de" checked', form)
    assert not re.search(r'name="locales" value="en" checked', form)


def test_only_those_who_may_plan_begin_one_like_it(sign_in):
    _backdrop, draft, _crop = family()
    url = reverse("admin:nb_catalog_productimage_like", args=[draft.pk])
    assert sign_in().post(url).status_code == 403
    assert sign_in(Permission.GENERATE).post(url).status_code == 403
    with_products = sign_in(Permission.GENERATE, "testcatalog.view_mug")
    assert with_products.post(url).status_code == 302


def test_the_objects_history_is_this_page(root):
    image = factories.image()
    url = reverse("admin:nb_catalog_productimage_history", args=[image.pk])
    assert root.get(url).url == reverse("admin:nb_catalog_productimage_change", args=[image.pk])
