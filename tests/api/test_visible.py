"""What the public reads: only what ``visible()`` returns. Staff see the rest, and what it is."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

import nb_catalog
from nb_catalog import registry, storefront
from nb_catalog.models import Placement, PlacementEvent
from nb_catalog.operations import pruning
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource, VaseSource
from tests.catalog.models import Article, Book, Mug, Poster, Vase

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}


@pytest.fixture
def hide(monkeypatch):
    """Hide every object whose title begins with "Hidden", of three kinds of keys."""
    for source, field in ((MugSource, "name"), (PosterSource, "title"), (VaseSource, "name")):
        hidden = {f"{field}__startswith": "Hidden"}

        def visible(self, hidden=hidden):
            return self.queryset().exclude(**hidden)

        monkeypatch.setattr(source, "visible", visible)


def rows_of(api, path="placements/", query=None):
    answer = api.get(path, query)
    assert answer.status_code == 200
    return answer.json()["results"]


def everything():
    """A visible and a hidden object of each kind of key, all published."""
    made = {}
    for prefix in ("Shown", "Hidden"):
        made[prefix] = [
            factories.published(each)
            for each in (
                factories.product(name=f"{prefix} mug"),
                factories.poster(title=f"{prefix} poster"),
                Vase.objects.create(slug=f"{prefix}-vase", name=f"{prefix} vase"),
            )
        ]
    return made


def test_hidden_products_are_not_listed_for_the_public(hide, anybody, api_as):
    made = everything()
    found = rows_of(anybody)
    assert {each["id"] for each in found} == {each.pk for each in made["Shown"]}
    assert {each["object_state"] for each in found} == {"visible"}
    states = {each["id"]: each["object_state"] for each in rows_of(api_as())}
    assert {states[each.pk] for each in made["Hidden"]} == {"hidden"}
    assert {states[each.pk] for each in made["Shown"]} == {"visible"}


def test_the_count_does_not_give_hidden_products_away(hide, anybody):
    everything()
    assert anybody.get("placements/").json()["count"] == 3


@pytest.mark.parametrize("model", [Mug, Poster, Vase])
def test_hidden_products_are_not_found_by_their_keys(hide, anybody, model):
    made = everything()
    for prefix, expected in (("Shown", 1), ("Hidden", 0)):
        [placement] = [each for each in made[prefix] if each.content_type.model_class() is model]
        query = {"model": model._meta.label_lower, "object": placement.object_id}
        assert len(rows_of(anybody, query=query)) == expected
        detail = anybody.get(f"placements/{placement.pk}/")
        assert detail.status_code == (200 if expected else 404)


def test_what_queryset_leaves_out_is_hidden_by_default(anybody, monkeypatch):
    factories.published(factories.product(name="Old"))
    shown = factories.published()
    monkeypatch.setattr(MugSource, "queryset", lambda self: Mug.objects.exclude(name="Old"))
    assert [each["id"] for each in rows_of(anybody)] == [shown.pk]


def test_keys_that_cannot_be_keys_are_of_nothing(anybody):
    factories.published()
    assert rows_of(anybody, query={"model": "testcatalog.mug", "object": "no-number"}) == []


def test_a_child_by_inheritance_is_hidden_by_its_own_row(anybody):
    class Source(nb_catalog.CatalogSource):
        title_field = "name"
        photo_field = "packshot"

        def visible(self):
            return self.queryset().filter(is_hidden=False)

    nb_catalog.register(Book)(Source)
    try:
        shown, hidden = (Book.objects.create(name="B", is_hidden=each) for each in (False, True))
        placements = [factories.published(each) for each in (shown, hidden)]
        assert [each["id"] for each in rows_of(anybody)] == [placements[0].pk]
        assert storefront.picture_for(shown, "hero").image_id
        assert storefront.picture_for(hidden, "hero") is None
    finally:
        registry.unregister(Book)
    assert Article.objects.count() == 2


def test_tags_show_nothing_of_a_hidden_product_not_even_its_photo(hide, django_assert_num_queries):
    products = [factories.product(name=name) for name in ("Shown", "Hidden", "Shown")]
    for each in products[:2]:
        factories.published(each)
    # Visible keys, placements, and what is known of the photos.
    with django_assert_num_queries(3):
        rows = storefront.prefetch_catalog_images(products, slots=["hero"])
        shown = [storefront.picture_for(each, "hero") for each in rows]
    assert [each is not None for each in shown] == [True, False, True]
    assert storefront.pictures_for(products[1], "hero") == []


@pytest.mark.parametrize("path", ["placements/", "placements/?model=testcatalog.mug"])
def test_the_list_costs_the_same_for_any_number_of_products(hide, anybody, path):
    counts = []
    for _n in range(2):
        for number in range(3):
            factories.published(factories.product(name=f"Shown {number}"))
            factories.published(factories.product(name=f"Hidden {number}"))
        rows_of(anybody, path)
        with CaptureQueriesContext(connection) as captured:
            rows_of(anybody, path)
        counts.append(len(captured))
    assert counts[0] == counts[1]


# Objects that were deleted.


def test_placements_of_deleted_products_are_named_as_such_and_hidden_from_the_public(
    anybody, api_as, client
):
    mug = factories.product()
    key = mug.pk
    factories.published(mug)
    mug.delete()
    assert rows_of(anybody) == []
    assert [each["object_state"] for each in rows_of(api_as())] == ["gone"]
    client.force_login(factories.superuser())
    assert f"{key} (deleted)" in client.get("/admin/nb_catalog/placement/").content.decode()


def test_what_a_manager_hides_is_not_deleted(client, monkeypatch):
    placement = factories.published()
    monkeypatch.setattr(MugSource, "queryset", lambda self: Mug.objects.none())
    client.force_login(factories.superuser())
    page = client.get("/admin/nb_catalog/placement/").content.decode()
    assert "(deleted)" not in page
    assert pruning.prune(days=90, orphans=False).placements == 0
    assert Placement.objects.filter(pk=placement.pk).exists()


def test_pruning_removes_placements_of_deleted_products_and_keeps_their_history(capsys):
    gone, kept = factories.product(), factories.product()
    placement = factories.published(gone)
    factories.published(kept)
    gone.delete()
    assert pruning.prune(days=90, orphans=False, dry_run=True).placements == 1
    assert Placement.objects.count() == 2
    call_command("nb_prune", "--no-orphans")
    assert "1 placement of a deleted product" in capsys.readouterr().out
    assert [each.object_id for each in Placement.objects.all()] == [str(kept.pk)]
    event = PlacementEvent.objects.filter(move="prune").get()
    assert (event.image_before_id, event.image_after_id) == (placement.image_id, None)
