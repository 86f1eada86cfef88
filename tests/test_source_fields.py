"""Fields of a catalog source that are methods, relations, or raise."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

import nb_catalog
from nb_catalog import checks, generation, registry
from nb_catalog.admin import catalog_objects
from nb_catalog.copydecks.resolution import CopyResolver
from nb_catalog.core import attributes
from nb_catalog.exceptions import RegistryError
from nb_catalog.generation import ItemStatus
from nb_catalog.publishing import placements
from tests import factories
from tests.catalog.models import Mug, Poster, PosterPhoto

pytestmark = pytest.mark.django_db


@pytest.fixture
def source_of(request):
    """source_of(model, **attributes): its source for the length of one test."""

    def source_of(model, **more):
        former = registry.source_for(model) if registry.is_registered(model) else None
        if former is not None:
            registry.unregister(model)
        nb_catalog.register(model)(type("TestSource", (nb_catalog.CatalogSource,), more))

        def restore():
            registry.unregister(model)
            if former is not None:
                nb_catalog.register(model)(type(former))

        request.addfinalizer(restore)
        return registry.source_for(model)

    return source_of


@pytest.fixture
def on_mug(monkeypatch):
    """on_mug(name, value): an attribute that the model Mug has for one test."""
    return lambda name, value: monkeypatch.setattr(Mug, name, value, raising=False)


def problems(source):
    return [f"{what} {hint}" for what, hint in source.problems()]


def broken(*_args):
    raise ValueError("no stock record")


def delete_all(_mug):
    raise AssertionError("It was called.")


delete_all.alters_data = True


# Methods.


def test_a_method_is_called_as_templates_do(source_of, on_mug):
    on_mug("get_title", lambda mug: mug.name.upper())
    on_mug("get_material", lambda mug, language="en": f"stoneware ({language})")
    on_mug("weight", property(lambda mug: 320))
    on_mug("get_photo", lambda mug: mug.packshot)
    on_mug("changed", lambda mug: 7)
    source = source_of(
        Mug, title_field="get_title", fact_fields=("get_material", "weight"),
        photo_field="get_photo", photo_version_field="changed",
    )  # fmt: skip
    mug = factories.product(name="Blue")
    assert problems(source) == []
    assert source.title(mug) == "BLUE"
    assert source.facts(mug) == {"material": "stoneware (en)", "weight": "320"}
    assert source.values(mug, "en") == {
        "title": "BLUE", "get_material": "stoneware (en)", "weight": 320,
    }  # fmt: skip
    (photo,) = source.photos(mug)
    assert (photo.name, photo.version, photo.alt) == (mug.packshot.name, "7", "BLUE")


def test_a_choice_has_its_label_and_a_method_its_description(source_of, on_mug):
    def finish(_mug):
        return "matt"

    finish.short_description = "surface finish"
    on_mug("get_colour_display", lambda mug: "Ocean blue")
    on_mug("finish", finish)
    source = source_of(Mug, fact_fields=("get_colour_display", "finish"), photo_field="packshot")
    assert source.facts(Mug(name="x")) == {"colour": "Ocean blue", "surface finish": "matt"}


@pytest.mark.parametrize("attribute", ["title_field", "photo_field", "photo_version_field"])
@pytest.mark.parametrize(
    ("method", "said"),
    [(delete_all, "changes data"), (lambda mug, size: size, "needs")],
)
def test_a_method_that_cannot_be_called_is_refused_by_check(
    source_of, on_mug, attribute, method, said
):
    on_mug("odd", method)
    source_of(Mug, **{"photo_field": "packshot", attribute: "odd"})
    messages = [m for m in checks.check_registry() if "TestSource" in m.msg]
    assert [m.id for m in messages] == ["nb_catalog.E030"]
    assert f"TestSource.{attribute} names 'odd'" in messages[0].msg and said in messages[0].msg


@pytest.mark.parametrize("method", [delete_all, lambda mug, size: size, lambda mug: print])
def test_no_function_gets_out_whatever_reads_it(source_of, on_mug, method):
    on_mug("odd", method)
    mug = factories.product()
    for attribute, read in (
        ({"title_field": "odd"}, lambda s: s.title(mug)),
        ({"title_field": "odd"}, lambda s: s.alt(mug, "en")),
        ({"title_field": "odd"}, lambda s: s.copy(mug, "en")),
        ({"fact_fields": ("odd",)}, lambda s: s.facts(mug)),
        ({"fact_fields": ("odd",)}, lambda s: s.values(mug, "en")),
        ({"photo_field": "odd"}, lambda s: s.photos(mug)),
    ):
        source = type("Odd", (nb_catalog.CatalogSource,), attribute)(Mug)
        with pytest.raises(RegistryError) as error:
            read(source)
        assert "<" not in str(error.value).replace("<lambda>", "").replace("<locals>", "")


def test_a_method_in_the_host_s_own_texts_is_called_too(source_of, on_mug):
    on_mug("get_title", lambda mug: "Named by a method")
    source = source_of(
        Mug,
        photo_field="packshot",
        copy=lambda self, mug, locale: {"headline": mug.get_title},
        values=lambda self, mug, locale: {"title": mug.get_title},
    )
    mug = factories.product()
    assert CopyResolver(source=source).resolve(mug, "en").texts == {"headline": "Named by a method"}
    deck = factories.deck(en={"claim": "This is {title}"})
    resolved = CopyResolver(source=source, deck=deck).resolve(mug, "en")
    assert resolved.texts["claim"] == "This is Named by a method"


# Errors.


def test_a_field_that_raises_is_told_by_its_name(source_of, on_mug):
    on_mug("price", property(broken))
    source = source_of(Mug, fact_fields=("price",), photo_field="packshot")
    with pytest.raises(RegistryError) as error:
        source.facts(Mug())
    assert str(error.value) == (
        "TestSource.fact_fields names 'price', which raised ValueError: no stock record"
    )


def test_a_relation_without_an_object_is_empty(source_of, on_mug):
    def without(_mug):
        raise ObjectDoesNotExist

    on_mug("stock", property(without))
    on_mug("empty", None)
    source = source_of(Mug, title_field="empty", fact_fields=("stock",), photo_field="stock")
    assert source.facts(Mug()) == {} and source.title(Mug()) == "" and source.photos(Mug()) == []


def test_errors_of_the_database_stay_what_they_are(source_of, on_mug):
    def away(_mug):
        raise OperationalError("server closed the connection")

    on_mug("stock", property(away))
    source = source_of(Mug, title_field="stock", photo_field="packshot")
    with pytest.raises(OperationalError):
        source.title(Mug())


def test_a_path_that_leads_to_no_photo_says_where_it_leads(source_of, on_mug):
    on_mug("get_photo", lambda mug: {"original": "/media/missing.png"})
    source = source_of(Mug, photo_field="get_photo__original")
    with pytest.raises(RegistryError, match="leads to str, and not to an image field"):
        source.photos(Mug())


@pytest.mark.parametrize(
    "attributes_of_source",
    [
        {"fact_fields": ("price",), "photo_field": "packshot"},
        {"title_field": "price", "photo_field": "packshot"},
        {"photo_field": "price"},
        {"photo_field": "packshot", "photo_version_field": "price"},
        {"photos": broken},
        {"photo_field": "packshot", "pose": broken},
        {"photo_field": "packshot", "facts": broken},
    ],
)
def test_a_product_that_cannot_be_read_is_an_objection_of_its_own(
    source_of, on_mug, settings, attributes_of_source
):
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}
    factories.scene()
    whole, other = factories.product(name="Whole"), factories.product(name="Other")
    on_mug("price", property(lambda mug: broken() if mug.name == "Other" else mug.packshot))
    changed = {
        name: (lambda self, mug, value=value, name=name: value()
               if mug.name == "Other"
               else getattr(nb_catalog.CatalogSource, name)(self, mug))
        if callable(value) and name != "photos" else value
        for name, value in attributes_of_source.items()
    }  # fmt: skip
    if "photos" in changed:
        own = registry.source_for(Mug).photos
        changed["photos"] = lambda self, mug: broken() if mug.name == "Other" else own(mug)
    source_of(Mug, **changed)
    items = list(generation.plan_backgrounds([whole, other], scenes=["marble"]).items())
    by_key = {item.object_id: item for item in items}
    assert by_key[str(whole.pk)].status == ItemStatus.MISSING
    problem = by_key[str(other.pk)].problem
    assert by_key[str(other.pk)].status == ItemStatus.IMPOSSIBLE
    assert "TestSource" in problem and "raised ValueError: no stock record" in problem


@pytest.mark.parametrize("refresh", [False, True])
def test_texts_that_cannot_be_read_are_an_objection_of_their_product(source_of, refresh):
    def copy(self, mug, locale):
        return broken() if mug.name == "Other" else {"headline": "Hello"}

    source_of(Mug, photo_field="packshot")
    mugs = [factories.product(name=name) for name in ("Whole", "Other")]
    for mug in mugs:
        factories.image(mug)
    layouts = [factories.layout().key]
    plan = generation.plan_texts(mugs, layouts=layouts, locales=["en"])
    if refresh:
        for mug, item in zip(mugs, plan.items(), strict=True):
            image = factories.image(mug, asked=item.spec, locale="en", state="approved")
            placements.publish(image, slot="hero", locale="en", actor=None)
        plan = generation.plan_refresh(mugs)
    registry.unregister(Mug)
    nb_catalog.register(Mug)(
        type("TestSource", (nb_catalog.CatalogSource,), {"photo_field": "packshot", "copy": copy})
    )
    if refresh:
        plan = generation.plan_refresh(mugs)
    else:
        plan = generation.plan_texts(mugs, layouts=layouts, locales=["en"])
    found = {item.object_id: (item.status, item.problem) for item in plan.items()}
    assert found[str(mugs[0].pk)][0] != ItemStatus.IMPOSSIBLE
    assert found[str(mugs[1].pk)] == (
        ItemStatus.IMPOSSIBLE, "TestSource.copy() raised ValueError: no stock record",
    )  # fmt: skip


def test_a_descriptor_that_raises_is_told_by_check(source_of, on_mug):
    class Broken:
        def __get__(self, instance, owner):
            raise LookupError

    on_mug("odd", Broken())
    assert "which raises LookupError" in problems(source_of(Mug, title_field="odd"))[0]


# Relations.


@pytest.fixture
def twelve_photos():
    for _ in range(12):
        PosterPhoto.objects.create(
            poster=Poster.objects.create(title="A poster"), image="posters/a.png"
        )


def read_everything(source, rows):
    return [
        (source.title(r), source.facts(r), source.photos(r), source.values(r, "en")) for r in rows
    ]


def test_a_list_follows_foreign_keys_in_a_constant_number_of_queries(source_of, twelve_photos):
    source = source_of(
        PosterPhoto, title_field="poster", fact_fields=("poster", "position"), photo_field="image"
    )
    with CaptureQueriesContext(connection) as queries:
        assert read_everything(source, source.queryset())[0][1]["poster"] == "A poster"
    assert len(queries) == 2


def test_a_plan_follows_foreign_keys_of_any_queryset(source_of, twelve_photos, settings):
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}
    factories.scene()
    source_of(PosterPhoto, title_field="poster", fact_fields=("poster",), photo_field="image")

    def queries_of(products):
        plan = generation.plan_backgrounds(products, scenes=["marble"])
        with CaptureQueriesContext(connection) as queries:
            assert {item.status for item in plan.items()} == {ItemStatus.MISSING}
        return len(queries)

    few = PosterPhoto.objects.filter(pk__in=PosterPhoto.objects.values("pk")[:2])
    ContentType.objects.get_for_model(PosterPhoto)
    assert queries_of(PosterPhoto.objects.all()) == queries_of(few) < 8
    rows = list(PosterPhoto.objects.all())
    assert queries_of(rows) < 8


def test_members_of_a_relation_are_listed_in_a_constant_number_of_queries(source_of):
    groups = [Group.objects.create(name=name) for name in ("Editors", "Reviewers")]
    for _ in range(12):
        factories.staff(views=False).groups.set(groups)
    source = source_of(
        User, title_field="username", fact_fields=("groups",), photos=lambda self, user: []
    )
    with CaptureQueriesContext(connection) as queries:
        read = read_everything(source, source.queryset())
    assert {facts["groups"] for _t, facts, _p, _v in read} == {"Editors, Reviewers"}
    assert {values["groups"] for _t, _f, _p, values in read} == {"Editors, Reviewers"}
    assert len(queries) == 2


def test_text_of_values_of_any_kind():
    assert attributes.as_text(None) == ""
    assert attributes.as_text(["red", None, ("blue", lambda: "green")]) == "red, blue, green"
    assert attributes.as_text(0) == "0"


def test_a_list_of_the_admin_names_the_product_that_cannot_be_read(source_of, on_mug):
    on_mug("price", property(broken))
    source_of(Mug, title_field="price", photo_field="packshot")
    mug = factories.product()
    info = catalog_objects.info_for_product(mug, site=admin.site)
    assert info.title == (
        f"{mug.pk}: TestSource.title_field names 'price', which raised ValueError: no stock record"
    )


def test_a_height_is_a_positive_number_of_centimetres_or_not_known(source_of, on_mug):
    source = source_of(Mug, title_field="name", photo_field="packshot", height_field="tall")
    for value, height in ((12, 12.0), ("12.5", 12.5), (0, None), (None, None), ("", None)):
        on_mug("tall", value)
        assert registry.height_of(Mug(name="A")) == height
    for value in (-3, "high", float("nan"), float("inf")):
        on_mug("tall", value)
        with pytest.raises(RegistryError, match="height"):
            registry.height_of(Mug(name="A"))
    assert source.height_cm(Mug(name="A")) is not None


def test_a_height_field_that_is_not_there_is_a_problem(source_of):
    source = source_of(Mug, photo_field="packshot", height_field="hight")
    assert any("height_field names 'hight'" in each for each in problems(source))


def test_without_a_height_field_no_height_is_known(source_of):
    source_of(Mug, photo_field="packshot")
    assert registry.height_of(Mug(name="A")) is None
