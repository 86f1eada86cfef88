"""Registering models: third-party ones too, without touching their code."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.db import models
from django.test.utils import isolate_apps

import nb_catalog
from nb_catalog import registry
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import (
    AlreadyRegistered,
    NotRegistered,
    PictureMissing,
    RegistryError,
)
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource
from tests.catalog.models import Mug, Poster, PosterPhoto, Unlisted, Vase


@pytest.fixture
def register():
    """Register for the length of one test."""
    done = []

    def register(model, **attributes):
        source = type(f"{model.__name__}Source", (nb_catalog.CatalogSource,), attributes)
        nb_catalog.register(model)(source)
        done.append(model)
        return registry.source_for(model)

    yield register
    for model in done:
        registry.unregister(model)


def test_sources_are_found_in_the_hosts_apps():
    assert isinstance(registry.source_for(Mug), MugSource)
    assert {Mug, Poster, Vase} <= set(registry.registered())


def test_a_source_is_found_by_model_instance_and_label():
    source = registry.source_for(Mug)
    assert registry.source_for(Mug(name="x")) is source
    assert registry.source_for("testcatalog.mug") is source
    assert registry.source_for("testcatalog.Mug") is source
    assert source.label == "testcatalog.mug"


def test_a_model_of_another_package_registers_the_same_way(register):
    source = register(Group, title_field="name")
    assert source.title(Group(name="Editors")) == "Editors"
    assert registry.is_registered(Group)


def test_a_model_that_is_not_registered_is_told_how():
    with pytest.raises(NotRegistered) as refusal:
        registry.source_for(Unlisted)
    assert "@nb_catalog.register(Unlisted)" in str(refusal.value)
    assert "catalog_images.py" in str(refusal.value)
    assert not registry.is_registered(Unlisted)


def test_a_misspelt_label_names_the_nearest():
    with pytest.raises(NotRegistered, match="Did you mean 'testcatalog.mug'"):
        registry.source_for("testcatalog.mugg")


def test_a_second_registration_is_refused():
    with pytest.raises(AlreadyRegistered, match="already registered with MugSource"):
        nb_catalog.register(Mug)(type("Other", (nb_catalog.CatalogSource,), {}))
    assert isinstance(registry.source_for(Mug), MugSource)


def test_a_source_can_be_replaced(register):
    register(Unlisted, title_field="name")
    registry.unregister(Unlisted)
    assert not registry.is_registered(Unlisted)
    nb_catalog.register(Unlisted)(MugSource)
    assert isinstance(registry.source_for(Unlisted), MugSource)


def test_forgetting_what_nobody_registered_is_an_error():
    with pytest.raises(NotRegistered):
        registry.unregister(Unlisted)


@pytest.mark.parametrize("given", [(), (object,), ("testcatalog.mug",)])
def test_only_models_can_be_registered(given):
    with pytest.raises(RegistryError, match="takes models"):
        nb_catalog.register(*given)


@isolate_apps("tests.catalog")
def test_an_abstract_model_cannot_be_registered():
    class Thing(models.Model):
        class Meta:
            abstract = True
            app_label = "testcatalog"

    with pytest.raises(RegistryError, match="abstract"):
        nb_catalog.register(Thing)(type("ThingSource", (nb_catalog.CatalogSource,), {}))


@pytest.mark.parametrize("wrong", [object, lambda: None])
def test_only_a_source_can_serve_a_model(wrong):
    with pytest.raises(RegistryError, match="CatalogSource"):
        nb_catalog.register(Unlisted)(wrong)
    assert not registry.is_registered(Unlisted)


@isolate_apps("tests.catalog")
def test_a_proxy_is_served_by_the_source_of_its_model():
    class LoudMug(Mug):
        class Meta:
            proxy = True
            app_label = "testcatalog"

    assert registry.source_for(LoudMug) is registry.source_for(Mug)
    assert registry.is_registered(LoudMug)


def test_the_title_falls_back_to_the_objects_own_text(register):
    assert register(Unlisted).title(Unlisted(name="x")).startswith("Unlisted object")


def test_facts_leave_out_what_is_not_known():
    source = registry.source_for(Mug)
    assert source.facts(Mug(name="x", colour="blue")) == {"colour": "blue"}
    assert source.facts(Mug(name="x")) == {}


def test_soft_goods_lie_by_their_title_or_category_unless_the_host_says_otherwise():
    class Plain(nb_catalog.CatalogSource):
        title_field = "name"

    class Own(Plain):
        def pose(self, product):
            return "standing"

    plain, own = Plain(Mug), Own(Mug)
    for name, pose in (("Wool scarf", "lying"), ("Blue mug", ""), ("Towel rail", "")):
        assert plain.pose(Mug(name=name)) == pose
        assert own.pose(Mug(name=name)) == "standing"


def test_copy_and_alternative_text_begin_with_the_title(settings):
    settings.LANGUAGE_CODE = "en-us"
    source = registry.source_for(Mug)
    mug = Mug(name="Blue mug")
    assert source.copy(mug, "en-gb") == {"headline": "Blue mug"}
    assert source.copy(mug, "de") == {}, "a title in English is no German headline"
    assert source.alt(mug, "de") == "Blue mug"


@pytest.mark.django_db
def test_a_photo_comes_from_an_image_field():
    mug = factories.product(name="Blue mug")
    [photo] = registry.source_for(mug).photos(mug)
    assert photo.name == mug.packshot.name
    assert photo.alt == "Blue mug"
    with mug.packshot.storage.open(photo.name) as file:
        assert registry.read_photo(photo) == file.read()


@pytest.mark.django_db
def test_an_empty_image_field_is_no_photo():
    assert registry.source_for(Mug).photos(factories.product(photo=False)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["photos", "photos__image"])
def test_photos_come_through_a_relation_in_its_order(monkeypatch, path):
    monkeypatch.setattr(PosterSource, "photo_field", path)
    poster = factories.poster(photos=3)
    source = registry.source_for(poster)
    names = [each.image.name for each in PosterPhoto.objects.filter(poster=poster)]
    assert [photo.name for photo in source.photos(poster)] == names
    assert source.photo_lookups() == ("photos",)


@pytest.mark.django_db
def test_photos_of_any_number_of_products_cost_two_queries(django_assert_num_queries):
    for _n in range(3):
        factories.poster(photos=2)
    source = registry.source_for(Poster)
    with django_assert_num_queries(2):
        assert [len(source.photos(poster)) for poster in source.queryset()] == [2, 2, 2]


@pytest.mark.django_db
def test_a_photo_that_is_replaced_under_its_name_gets_another_version(monkeypatch):
    monkeypatch.setattr(MugSource, "photo_version_field", "colour")
    mug = factories.product(colour="2026-01-01")
    assert registry.source_for(mug).photos(mug)[0].version == "2026-01-01"


@pytest.mark.django_db
def test_a_photo_is_read_from_the_storage_it_lives_in(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "photos": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    (tmp_path / "a.png").write_bytes(b"bytes")
    assert registry.read_photo(Photo(name="a.png", storage="photos")) == b"bytes"


@pytest.mark.django_db
def test_a_photo_whose_file_is_gone_is_told_by_name():
    mug = factories.product()
    mug.packshot.storage.delete(mug.packshot.name)
    [photo] = registry.source_for(mug).photos(mug)
    with pytest.raises(PictureMissing, match=mug.packshot.name):
        registry.read_photo(photo)


@pytest.mark.django_db
def test_two_photos_are_the_same_by_name_and_version_and_not_by_file():
    mug = factories.product()
    mug.packshot.save("other.png", ContentFile(b"x"), save=False)
    name = mug.packshot.name
    assert Photo(name=name, file=mug.packshot) == Photo(name=name)


def test_fields_that_exist_are_no_problem():
    for source in registry.registered().values():
        assert list(source.problems()) == []


def test_a_field_two_relations_away_is_looked_for_where_it_should_be(register):
    source = register(Permission, title_field="name", photo_field="content_type__picture")
    [(what, _instead)] = source.problems()
    assert "'picture'" in what
    assert "contenttypes.ContentType" in what
