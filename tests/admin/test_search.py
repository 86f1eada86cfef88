"""Lists and the review page find rows by the names that people know."""

import re

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog import registry
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, Placement, ProductImage, Run
from nb_catalog.operations import search
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource
from tests.catalog.models import Article, Edition, Mug

pytestmark = pytest.mark.django_db

REVIEW = reverse("admin:nb_catalog_productimage_review")


def shown(client, name, term):
    """The keys of the rows that a list shows for ``term``."""
    url = reverse(f"admin:nb_catalog_{name}_changelist")
    page = client.get(url, {"q": term}).content.decode()
    return {int(key) for key in re.findall(rf"/{name}/(\d+)/change/", page)}


def reviewed(client, term):
    page = client.get(REVIEW, {"q": term}).content.decode()
    return {int(key) for key in re.findall(r'id="picture-(\d+)"', page)}


@pytest.fixture
def stoneware():
    """One row of each table about a mug called "Stoneware mug", and others about another mug."""
    mug, other = (factories.product(name=name) for name in ("Stoneware mug", "Glass mug"))
    runs = [factories.run(title="Mugs") for _ in range(2)]
    jobs = [factories.job(each, of=run) for each, run in zip((mug, other), runs, strict=True)]
    images = [factories.image(each, job=job) for each, job in zip((mug, other), jobs, strict=True)]
    places = [factories.published(each, size=(20, 20)) for each in (mug, other)]
    return {"run": runs[0], "imagejob": jobs[0], "productimage": images[0], "placement": places[0]}


@pytest.mark.parametrize("term", ["Stoneware", "stoneware MUG", "mug ston"])
def test_rows_are_found_by_the_name_of_their_product(root, stoneware, term):
    for name, row in stoneware.items():
        found = shown(root, name, term)
        expected = {row.pk, stoneware["placement"].image_id} if name == "productimage" else {row.pk}
        assert found == expected, name
    assert reviewed(root, term) == {stoneware["productimage"].pk}
    assert shown(root, "imagejob", "porcelain") == set()


def test_the_fields_of_the_source_are_searched(root, monkeypatch):
    job = factories.job(factories.product(name="Plain", colour="turquoise"))
    assert shown(root, "imagejob", "turquoise") == set()
    monkeypatch.setattr(MugSource, "search_fields", ("name", "^colour"))
    assert shown(root, "imagejob", "turq") == shown(root, "imagejob", "plain turq") == {job.pk}
    assert shown(root, "imagejob", "quoise") == set()


def test_a_related_field_finds_each_product_once(monkeypatch):
    monkeypatch.setattr(PosterSource, "search_fields", ("title", "photos__image"))
    poster = factories.poster(photos=3)
    found = search.Search(term="poster-", rows=ImageJob.objects).named
    assert [key for _type, key in found] == [str(poster.pk)]


def test_a_field_that_cannot_hold_the_word_is_skipped(monkeypatch):
    monkeypatch.setattr(MugSource, "search_fields", ("=id", "name"))
    mug = factories.product(name="Stoneware")
    assert list(registry.source_for(Mug).search("stoneware")) == [mug]
    assert list(registry.source_for(Mug).search(str(mug.pk))) == [mug]


def test_a_source_without_a_searchable_field_finds_nothing(monkeypatch):
    monkeypatch.setattr(MugSource, "title_field", "")
    factories.product(name="Stoneware")
    assert list(registry.source_for(Mug).search("Stoneware")) == []


def test_a_misspelt_search_field_is_reported(monkeypatch):
    monkeypatch.setattr(MugSource, "search_fields", ("nam", "pk"))
    [(what, instead)] = registry.source_for(Mug).problems()
    assert "search_fields names 'nam'" in what and "name" in instead


def test_a_variant_is_found_where_its_product_s_pictures_are_kept(root):
    class Shows(registry.CatalogSource):
        title_field = "name"

        def subject(self, product):
            return product.article if isinstance(product, Edition) else product

    registry.register(Article, Edition)(Shows)
    try:
        article = Article.objects.create(name="Atlas")
        Edition.objects.create(article=article, name="Leather edition")
        job = factories.job(article)
        factories.job(Article.objects.create(name="Novel"))
        assert shown(root, "imagejob", "leather") == {job.pk}
    finally:
        registry.unregister(Article)
        registry.unregister(Edition)


def test_pictures_are_found_by_scene_layout_and_run(root):
    factories.scene("oak-table", name="Oak table")
    layout = factories.layout("corner", name="Small corner")
    mug = factories.product(photo=False)
    run = factories.run()
    oak = factories.spec(mug, scene="oak-table")
    words = factories.spec(mug, base="b" * 64, layout=layout.key, locale="de")
    jobs = [factories.job(mug, of=run, asked=asked) for asked in (oak, words)]
    images = [
        factories.image(mug, job=job, asked=asked, locale=asked.locale)
        for job, asked in zip(jobs, (oak, words), strict=True)
    ]
    factories.job(mug)
    factories.image(mug)
    for number, term in enumerate(("oak TABLE", "small corner")):
        assert shown(root, "imagejob", term) == {jobs[number].pk}
        assert shown(root, "productimage", term) == {images[number].pk}
        assert reviewed(root, term) == {images[number].pk}
    for name, rows in {"imagejob": jobs, "productimage": images, "run": [run]}.items():
        assert shown(root, name, f"#{run.pk}") == {row.pk for row in rows}


def test_a_place_is_found_by_its_name(root):
    mug = factories.product(photo=False)
    first, second = (
        factories.published(mug, slot="gallery", position=number, size=(20, 20))
        for number in range(2)
    )
    assert shown(root, "placement", "gallery") == {first.pk, second.pk}
    assert shown(root, "placement", "gallery 2") == {second.pk}


def test_a_product_s_number_means_that_product_only(root):
    mug = factories.product(photo=False)
    job = factories.job(mug)
    factories.job(factories.product(photo=False, name=f"Mug of {mug.pk}"))
    assert shown(root, "imagejob", str(mug.pk)) == {job.pk}


@pytest.mark.parametrize("name", ["productimage", "imagejob", "placement", "run"])
def test_too_many_products_are_said_to_be_too_many(root, monkeypatch, name):
    monkeypatch.setattr(search, "MAX_KEYS", 2)
    for _ in range(3):
        factories.job(factories.product(photo=False, name="Stoneware"))
    url = reverse(f"admin:nb_catalog_{name}_changelist")
    assert "More than 2 products are called" in root.get(url, {"q": "ware"}).content.decode()
    assert "More than 2 products" in root.get(REVIEW, {"q": "ware"}).content.decode()
    Mug.objects.first().delete()
    assert "More than 2 products" not in root.get(url, {"q": "ware"}).content.decode()


@pytest.mark.parametrize(
    ("rows", "condition"),
    [(ImageJob, "jobs"), (ProductImage, "images"), (Placement, "images"), (Run, "runs")],
)
def test_a_search_takes_as_many_queries_for_many_products(rows, condition):
    def queries():
        found = search.Search(term="Stoneware", rows=ImageJob.objects)
        prefix = ("image__",) if rows is Placement else ()
        with CaptureQueriesContext(connection) as captured:
            list(rows.objects.filter(getattr(found, condition)(*prefix)))
        assert isinstance(getattr(found, condition)(*prefix), Q)
        return len(captured)

    queries()  # content types are kept from now on
    few = queries()
    for _ in range(5):
        factories.job(factories.product(photo=False, name="Stoneware"))
    assert queries() == few


def test_the_jobs_of_a_list_say_what_was_requested(root):
    factories.scene("marble", name="White marble")
    factories.layout("banner", name="Sale banner")
    mug = factories.product(photo=False)
    factories.job(mug, asked=factories.spec(mug, scene="marble", ratio="9:16", variant=2))
    asked = factories.spec(mug, base="b" * 64, layout="banner", locale="de")
    factories.job(mug, asked=asked, state=JobState.FAILED, error="It did not fit.")
    page = root.get(reverse("admin:nb_catalog_imagejob_changelist")).content.decode()
    assert "White marble · 9:16 · 1K · #2" in page
    assert "Sale banner · White marble · Deutsch · 4:5 · 1K · #1" in page
    assert factories.spec(mug).prompt not in page
