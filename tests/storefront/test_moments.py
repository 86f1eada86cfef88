"""What pages show at a moment: by the history, and by what is scheduled."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.views.decorators.cache import cache_page

from nb_catalog import storefront
from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, PlacementEvent
from nb_catalog.publishing import placements, request_publication, work_on_publications
from nb_catalog.storefront.middleware import PreviewMiddleware
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


def approved(mug, **fields):
    return factories.image(mug, state=ImageState.APPROVED, **fields)


def schedule(image, start=None, end=None, slot="hero", locale=""):
    key = (image.content_type_id, image.object_id, slot, locale, 0)
    moments = [None if each is None else ahead(each) for each in (start, end)]
    return request_publication([(key, image)], actor=None, starts_at=moments[0], ends_at=moments[1])


NOW = timezone.now()


def ahead(hours):
    return NOW + timedelta(hours=hours)


def shown(product, hours, **options):
    with storefront.at(ahead(hours)):
        picture = storefront.picture_for(product, "hero", **options)
    return picture and picture.image_id


def test_a_moment_to_come_shows_what_is_scheduled_and_what_comes_back_afterwards():
    before = factories.published(factories.product(photo=False))
    mug = before.image.catalog_object
    first, second, third = (approved(mug) for _ in range(3))
    schedule(first, 1, 3)
    schedule(second, 3, 5)
    schedule(third, 7)
    moments = {0.5: before.image, 1: first, 2.9: first, 3: second, 5: before.image, 8: third}
    for hours, image in moments.items():
        assert shown(mug, hours) == image.pk, hours
    assert storefront.picture_for(mug, "hero").image_id == before.image_id
    # A preview changes nothing, and neither does it once the shown one is there.
    assert Placement.objects.get() == before


def test_a_publication_that_is_shown_now_ends_in_a_preview_too():
    mug = factories.product(photo=False)
    image = approved(mug)
    publication = schedule(image, None, 2)
    assert publication.state == "published"
    assert (shown(mug, 1), shown(mug, 3)) == (image.pk, None)


def test_a_moment_that_has_passed_shows_what_was_there():
    mug = factories.product(photo=False)
    images = [approved(mug) for _ in range(3)]
    for hours, image in enumerate(images):
        placements.publish(image, slot="hero", actor=None)
        event = PlacementEvent.objects.latest("id")
        PlacementEvent.objects.filter(pk=event.pk).update(at=ahead(-3 + hours))
    assert [shown(mug, each) for each in (-9, -2.5, -1.5, -0.5)] == [
        None, *(image.pk for image in images)
    ]  # fmt: skip


def test_the_language_and_its_alternative_text_are_those_of_the_page():
    mug = factories.product(photo=False)
    german, all_languages = approved(mug), approved(mug)
    german.alts.create(locale="de", text="Becher")
    schedule(german, 1, locale="de")
    schedule(all_languages, 1)
    with storefront.at(ahead(2)):
        picture = storefront.picture_for(mug, "hero", locale="de-at")
        assert (picture.image_id, picture.alt) == (german.pk, "Becher")
    assert shown(mug, 2, locale="fr") == all_languages.pk


def test_a_picture_without_files_is_shown_by_its_original():
    mug = factories.product(photo=False)
    image = approved(mug)
    schedule(image, 1)
    with storefront.at(ahead(2)):
        assert image.file.name in storefront.picture_for(mug, "hero").src
    work_on_publications()
    with storefront.at(ahead(2)):
        assert "renditions" in storefront.picture_for(mug, "hero").src


def test_what_was_prefetched_for_the_present_is_not_taken_for_another_moment():
    mug = factories.product(photo=False)
    image = approved(mug)
    schedule(image, 1)
    [row] = storefront.prefetch_catalog_images([mug])
    assert storefront.picture_for(row, "hero") is None
    assert shown(row, 2) == image.pk


def test_a_preview_of_many_products_takes_a_constant_number_of_queries():
    def queries(number):
        mugs = [factories.product(photo=False) for _ in range(number)]
        for mug in mugs:
            schedule(approved(mug), 1, 2)
        with CaptureQueriesContext(connection) as captured, storefront.at(ahead(1.5)):
            rows = storefront.prefetch_catalog_images(mugs)
            assert all(storefront.picture_for(row, "hero") for row in rows)
        return len(captured)

    assert queries(2) == queries(12)


def test_only_those_who_may_view_placements_preview_the_shops_pages(rf):
    mug = factories.product(photo=False)
    image = approved(mug)
    schedule(image, 1)

    def view(request):
        picture = storefront.picture_for(mug, "hero")
        return HttpResponse(str(picture and picture.image_id))

    def get(user, moment):
        request = rf.get("/", {"nb_at": moment})
        request.user = user
        return PreviewMiddleware(view)(request)

    preview = get(factories.staff(), ahead(2).isoformat())
    assert preview.content == str(image.pk).encode()
    assert preview["Cache-Control"] == "private, no-store"
    present = get(factories.staff(views=False), ahead(2).isoformat())
    assert (present.content, present.has_header("Cache-Control")) == (b"None", False)
    assert get(factories.staff(), "tomorrow").status_code == 400


@pytest.fixture
def pages(rf, settings):
    """Returns what a user gets from a cached view that shows a picture, at 2 hours from now."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    mug = factories.product(photo=False)
    image = approved(mug)
    schedule(image, 1)
    part = (
        "{% cache 60 part request.nb_preview %}{{ picture.image_id|default:'none' }}{% endcache %}"
    )

    def whole(request):
        picture = storefront.picture_for(mug, "hero")
        return HttpResponse(f"{picture and picture.image_id} {sorted(request.GET)}")

    def fragment(request):
        context = {"picture": storefront.picture_for(mug, "hero")}
        return HttpResponse(
            Template("{% load cache %}" + part).render(RequestContext(request, context))
        )

    views = {"whole": cache_page(60)(whole), "fragment": fragment}

    def get(user, view, method="get"):
        request = getattr(rf, method)("/", {"nb_at": ahead(2).isoformat()})
        request.user = user
        response = PreviewMiddleware(views[view])(request)
        return response.content.decode().replace(str(image.pk), "scheduled")

    yield get
    cache.clear()


@pytest.mark.parametrize("editor_first", [True, False])
def test_a_cached_page_of_a_preview_is_shown_to_nobody_else(pages, editor_first):
    editor, visitor = factories.staff(), AnonymousUser()
    expected = {editor: "scheduled ['nb_at']", visitor: "None ['nb_at']"}
    order = [editor, visitor] if editor_first else [visitor, editor]
    assert [pages(user, "whole") for user in order * 2] == [expected[user] for user in order * 2]
    assert pages(visitor, "whole", method="head") == expected[visitor]


@pytest.mark.parametrize("editor_first", [True, False])
def test_a_fragment_whose_key_names_the_preview_is_shown_to_nobody_else(pages, editor_first):
    editor, visitor = factories.staff(), AnonymousUser()
    expected = {editor: "scheduled", visitor: "none"}
    order = [editor, visitor] if editor_first else [visitor, editor]
    assert [pages(user, "fragment") for user in order] == [expected[user] for user in order]
