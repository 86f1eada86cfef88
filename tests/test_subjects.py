"""One function decides under which object the pictures of a product are kept."""

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.db.models import Value
from django.test import RequestFactory

import nb_catalog
from nb_catalog import generation, registry, storefront
from nb_catalog.admin import CatalogImagesMixin
from nb_catalog.exceptions import PlanRefused, RegistryError
from nb_catalog.models import Placement, ProductImage, ProductSelection
from nb_catalog.models.generic import object_key, own_key
from nb_catalog.publishing import placements
from tests import factories
from tests.api.conftest import Api
from tests.catalog.models import Article, Book, Ebook, Edition, LoudArticle, Page

pytestmark = pytest.mark.django_db


class ArticleSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "packshot"


class EditionSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "article__packshot"

    def subject(self, edition):
        return edition.article


class PageSource(nb_catalog.CatalogSource):
    title_field = "title"
    photo_field = "photo"

    def subject(self, page):
        return page.original or page


@pytest.fixture
def register():
    done = []

    def register(model, source):
        nb_catalog.register(model)(source)
        done.append(model)

    yield register
    for model in done:
        registry.unregister(model)


@pytest.fixture
def articles(register):
    register(Article, ArticleSource)


@pytest.fixture
def pages(register):
    register(Page, PageSource)


def with_photo(row, field="packshot"):
    getattr(row, field).save("photo.png", ContentFile(factories.photo_bytes()), save=True)
    return row


def book(**fields):
    return with_photo(Book.objects.create(**{"name": "Book", "pages": 7} | fields))


# Children by multi-table inheritance, and proxies.


def test_a_child_by_inheritance_shows_what_was_published_for_its_parents_row(articles):
    made = book()
    placement = factories.published(Article.objects.get(pk=made.pk))
    assert storefront.picture_for(made, "hero").image_id == placement.image_id
    assert storefront.picture_for(LoudArticle.objects.get(), "hero").image_id == placement.image_id


def test_a_child_is_planned_published_and_rolled_back_under_its_parents_row(articles):
    factories.scene()
    made = book()
    [item] = generation.plan_backgrounds([made], scenes=["marble"]).items()
    assert (item.spec.object_type, item.object_id) == ("testcatalog.article", str(made.pk))
    placement = factories.published(made)
    assert placement.content_type.model_class() is Article
    assert Placement.objects.about(made).get() == placement
    placements.roll_back(made, slot="hero", actor=None)
    assert not Placement.objects.exists()


def test_a_grandchild_whose_key_is_not_its_parents_is_found_by_its_parents(articles):
    Book.objects.create(name="First")
    made = with_photo(Ebook.objects.create(name="Second"))
    assert made.pk != made.book_ptr_id
    placement = factories.published(Article.objects.get(name="Second"))
    assert storefront.picture_for(made, "hero").image_id == placement.image_id


def test_a_parents_row_is_whole_and_takes_no_query(articles, django_assert_num_queries):
    made = Book.objects.get(pk=book().pk)
    with django_assert_num_queries(0):
        row = registry.subject_of(made)
        assert type(row) is Article
        assert (row.pk, row.name, row.packshot.name) == (made.pk, "Book", made.packshot.name)


@pytest.mark.parametrize(
    "rows",
    [
        lambda: Book.objects.only("pages"),
        lambda: Book.objects.defer("name"),
        lambda: Book.objects.annotate(extra=Value(1)),
        lambda: Article.objects.only("name"),
    ],
)
def test_deferred_and_annotated_rows_find_their_pictures(articles, rows, django_assert_num_queries):
    placement = factories.published(book())
    product = rows().get()
    # The title is deferred in some: reading it is a query of its own.
    with django_assert_num_queries(1):
        picture = storefront.picture_for(product, "hero", alt="")
        assert picture.image_id == placement.image_id


def test_a_registered_proxy_serves_the_rows_of_its_table(register):
    register(LoudArticle, ArticleSource)
    row = with_photo(Article.objects.create(name="Quiet"))
    placement = factories.published(LoudArticle.objects.get())
    for product in (row, LoudArticle.objects.get(), placement.catalog_object):
        assert storefront.picture_for(product, "hero").image_id == placement.image_id
    assert registry.source_for("testcatalog.article").label == "testcatalog.loudarticle"


# Products that show the pictures of others.


def test_variants_show_the_pictures_of_their_product_with_their_own_words(articles, register):
    register(Edition, EditionSource)
    article = with_photo(Article.objects.create(name="Chair"))
    placement = factories.published(article)
    red = Edition.objects.create(article=article, name="Red chair")
    picture = storefront.picture_for(red, "hero")
    assert (picture.image_id, picture.alt) == (placement.image_id, "Red chair")
    assert object_key(red) == own_key(article)


def test_a_translated_page_shows_its_originals_pictures_with_its_own_words(pages):
    original = with_photo(Page.objects.create(title="Chair"), "photo")
    german = Page.objects.create(title="Stuhl", original=original)
    photo = storefront.picture_for(german, "hero")
    assert (photo.src, photo.alt) == (original.photo.url, "Stuhl")
    placement = factories.published(original)
    shown = [storefront.picture_for(page, "hero") for page in (original, german)]
    assert [each.image_id for each in shown] == [placement.image_id] * 2
    assert [each.alt for each in shown] == ["Chair", "Stuhl"]


def test_a_page_of_any_number_of_variants_costs_the_same(
    articles, register, django_assert_num_queries
):
    register(Edition, EditionSource)
    for number in range(4):
        article = Article.objects.create(name=f"Chair {number}")
        factories.published(article)
        Edition.objects.create(article=article, name="Red")
    # Editions, their articles, and the placements.
    with django_assert_num_queries(3):
        rows = storefront.prefetch_catalog_images(Edition.objects.all(), slots=["hero"])
        assert all(storefront.picture_for(each, "hero").image_id for each in rows)


@pytest.mark.parametrize("streamed", [False, True])
def test_pictures_of_several_variants_are_planned_once(articles, register, monkeypatch, streamed):
    register(Edition, EditionSource)
    # A relation that articles have and editions do not.
    monkeypatch.setattr(ArticleSource, "photo_lookups", lambda self: ("editions",))
    factories.scene()
    articles_made = [with_photo(Article.objects.create(name=f"Chair {n}")) for n in range(2)]
    for article in articles_made:
        for name in ("Red", "Blue"):
            Edition.objects.create(article=article, name=name)
    rows = Edition.objects.order_by("pk")
    plan = generation.plan_backgrounds(rows if streamed else list(rows), scenes=["marble"])
    assert plan.source.label == "testcatalog.article"
    assert [item.object_id for item in plan.items()] == [str(each.pk) for each in articles_made]
    assert {item.status for item in plan.items()} == {"missing"}


def test_a_plan_of_products_that_show_different_models_pictures_is_refused(articles, pages):
    rows = [Article.objects.create(name="Chair"), Page.objects.create(title="Chair")]
    with pytest.raises(PlanRefused, match="these are Article, Page"):
        generation.plan_backgrounds(rows, scenes=[])


@pytest.mark.parametrize("returned", [None, "a text", factories.Scene()])
def test_a_subject_that_is_no_row_of_a_registered_model_is_an_error(register, returned):
    source = type("OddSource", (PageSource,), {"subject": lambda self, page: returned})
    register(Page, source)
    with pytest.raises(RegistryError, match=r"OddSource\.subject\(\) returned"):
        storefront.picture_for(Page.objects.create(title="x"), "hero")


# The API and the admin.


def test_the_api_finds_the_pictures_of_those_that_were_asked_for(pages, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    original = Page.objects.create(title="Chair")
    german = Page.objects.create(title="Stuhl", original=original)
    placement = factories.published(original)
    for api in (Api(), Api(factories.staff())):
        query = {"model": "testcatalog.page", "object": german.pk}
        [found] = api.get("placements/", query).json()["results"]
        assert (found["id"], found["object"]) == (placement.pk, str(original.pk))
        assert (found["shown_for"], found["alt"]) == ([str(german.pk)], "Stuhl")
    query = {"model": "testcatalog.page", "object": german.pk}
    [image] = Api(factories.staff()).get("images/", query).json()["results"]
    assert image["id"] == placement.image_id


class BookAdmin(CatalogImagesMixin, admin.ModelAdmin):
    pass


def test_the_admin_page_of_a_child_leads_to_its_parents_pictures(articles, rf, admin_user):
    made = book()
    model_admin = BookAdmin(Book, admin.site)
    url = model_admin.catalog_pictures_url(made)
    assert f"model=testcatalog.article&product={made.pk}" in url
    request = rf.post("/")
    request.user = admin_user
    model_admin.generate_catalog_pictures(request, Book.objects.all())
    selection = ProductSelection.objects.get()
    assert (selection.label, selection.keys) == ("testcatalog.article", [str(made.pk)])


def test_a_list_of_variants_in_the_admin_costs_no_query_per_row(
    articles, register, admin_user, django_assert_num_queries
):
    register(Edition, EditionSource)
    article = Article.objects.create(name="Chair")
    for name in ("Red", "Blue", "Green"):
        Edition.objects.create(article=article, name=name)
    model_admin = BookAdmin(Edition, admin.site)
    request = RequestFactory().get("/")
    request.user = admin_user
    with django_assert_num_queries(2):
        links = [model_admin.catalog_pictures(row) for row in model_admin.get_queryset(request)]
    assert all(f"product={article.pk}" in link for link in links)


def test_nothing_is_made_of_a_product_that_only_shows_pictures(articles, register):
    register(Edition, EditionSource)
    edition = Edition.objects.create(article=Article.objects.create(name="Chair"), name="Red")
    factories.image(edition.article)
    assert ProductImage.objects.about(edition).count() == 1
