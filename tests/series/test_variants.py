"""Variants in a series: other colours and other sides of a product, each a member with its own identity."""

import pytest
from django.utils import timezone

from nb_catalog import generation, publishing, registry, review, storefront
from nb_catalog import series as catalog_series
from nb_catalog.core.colours import hex_colour
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Variant
from nb_catalog.exceptions import PlanRefused, RegistryError, RequestRefused
from nb_catalog.models import Placement, ProductImage, Series
from nb_catalog.registry import source_for, variants_of
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Unlisted
from tests.series.test_planning import PAINTED, with_anchor

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, **PAINTED}


@pytest.fixture
def offers(monkeypatch):
    """Set the variants of all mugs; a function gets the mug."""

    def offer(*variants):
        monkeypatch.setattr(
            MugSource,
            "variants",
            lambda self, mug: [each(mug) if callable(each) else each for each in variants],
            raising=False,
        )

    return offer


@pytest.fixture
def red():
    """A mug of its own that shows the red variant of another one."""
    return factories.product(
        name="Red mug", colour="red", photo=factories.photo_bytes(colour=(180, 20, 30))
    )


def members_of(series):
    return [each.key for each in series.members.filter(removed_at=None)]


def items_of(series, **options):
    return list(generation.plan_series(series, **options).items())


def specs_of(series, **options):
    return [item.spec for item in items_of(series, **options)]


def problems_of(series):
    return {item.variant: item.problem for item in items_of(series) if item.problem}


def approved(series):
    """An approved picture for each member of ``series`` that can have one, by its key."""
    images = {}
    for spec in filter(None, specs_of(series)):
        about = source_for(spec.object_type).queryset().get(pk=spec.object_id)
        made = factories.image(about, asked=spec, state=ImageState.APPROVED, size=(50, 50))
        images[spec.product_variant] = made
    return images


def shown(mug):
    rows = Placement.objects.filter(object_id=str(mug.pk), slot="hero", locale="")
    return list(rows.order_by("position").values_list("image__variant", flat=True))


def set_of(mug, *keys, **fields):
    series = factories.series(**fields)
    catalog_series.add_variants(series, [mug], keys=keys or None)
    return series


# What a source may name


def test_further_photos_of_a_product_are_its_variants_unless_the_source_says_otherwise():
    poster = factories.poster(photos=3)
    first, second, third = source_for(poster).photos(poster)
    variants = variants_of(poster)
    assert list(variants) == ["photo-2", "photo-3"]
    assert [each.photo for each in variants.values()] == [second, third]
    assert variants_of(factories.poster()) == {}


def test_a_colour_is_a_name_of_css_or_hexadecimal():
    assert [hex_colour(each) for each in ("Navy", "dark green", "#ABC", "#0a0b0c")] == [
        "#000080", "#006400", "#aabbcc", "#0a0b0c",
    ]  # fmt: skip
    for text in ("", "#12345", "rgb(1,2,3)", "#١٢٣"):
        with pytest.raises(ValueError, match="cannot be read"):
            hex_colour(text)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([Variant(key="red")], "neither a photo nor a colour"),
        ([Variant(key="red", colour="redd")], "cannot be read.*navy.*Did you mean.*red"),
        (
            [Variant(key="a", colour="red"), Variant(key="a", colour="blue")],
            "several variants.*'a'",
        ),
        ([Variant(key=f"v{n}", colour="red") for n in range(51)], "51 variants.*At most 50"),
        ([Variant(key="dark red", colour="red")], "'dark red'.*not valid"),
        ([Variant(key="", colour="red")], "''.*not valid"),
        ([Variant(key="x" * 41, colour="red")], "1 to 40"),
        ([Variant(key="red", product=Unlisted(name="x"))], "not of a registered model"),
        (["red"], "a list of nb_catalog.core.Variant"),
    ],
)
def test_variants_that_are_not_valid_are_refused_with_what_to_write(offers, variants, message):
    offers(*variants)
    mug, series = factories.product(), factories.series()
    with pytest.raises(RegistryError, match=message):
        catalog_series.add_variants(series, [mug])
    assert members_of(series) == []


def test_photos_of_a_product_are_known_with_those_of_its_variants(offers, red):
    mug = factories.product()
    offers(
        Variant(key="red", product=red),
        Variant(key="same", photo=source_for(mug).photos(mug)[0]),
        Variant(key="green", colour="green"),
    )
    names = [photo.name for photo in registry.all_photos(mug)]
    assert names == [mug.packshot.name, red.packshot.name]
    offers(Variant(key="broken"))
    assert [photo.name for photo in registry.all_photos(mug)] == [mug.packshot.name]


# Members


def test_a_product_comes_before_its_variants_and_each_is_added_once(offers):
    offers(Variant(key="red", name="Red", colour="red"), Variant(key="blue", colour="blue"))
    first, second = factories.product(), factories.product()
    series = factories.series(second)
    added = catalog_series.add_variants(series, [first, second])
    assert (added.added, added.present) == (5, 1)
    assert members_of(series) == [
        str(second.pk), str(first.pk), f"{first.pk}:red", f"{first.pk}:blue",
        f"{second.pk}:red", f"{second.pk}:blue",
    ]  # fmt: skip
    assert set(series.members.values_list("variant", "variant_name")) == {
        ("", ""), ("red", "Red"), ("blue", ""),
    }  # fmt: skip
    again = catalog_series.add_variants(series, [first], keys=["red"])
    assert (again.added, again.present) == (0, 2)


def test_a_variant_that_the_product_does_not_have_is_refused(offers):
    offers(Variant(key="red", colour="red"))
    mug, series = factories.product(), factories.series()
    with pytest.raises(RequestRefused, match="no variant 'rod'. Did you mean 'red'"):
        catalog_series.add_variants(series, [mug], keys=["rod"])
    offers()
    with pytest.raises(RequestRefused, match="None of these products has variants"):
        catalog_series.add_variants(series, [mug])
    assert members_of(series) == []


def test_one_variant_is_removed_alone_and_a_product_with_all_of_its_own(offers):
    offers(Variant(key="red", colour="red"), Variant(key="blue", colour="blue"))
    mug, other = factories.product(), factories.product()
    series = factories.series()
    catalog_series.add_variants(series, [mug, other])
    assert catalog_series.remove_members(series, [f"{mug.pk}:red", str(other.pk), "999:red"]) == 2
    assert members_of(series) == [
        str(mug.pk), f"{mug.pk}:blue", f"{other.pk}:red", f"{other.pk}:blue",
    ]  # fmt: skip
    assert catalog_series.remove(series, [mug]) == 2
    assert members_of(series) == [f"{other.pk}:red", f"{other.pk}:blue"]
    assert catalog_series.add_variants(series, [mug], keys=["red"]).added == 2
    assert members_of(series)[-2:] == [str(mug.pk), f"{mug.pk}:red"]


def test_variants_are_sorted_like_all_members(offers):
    offers(Variant(key="red", colour="red"))
    mug = factories.product()
    series = set_of(mug)
    catalog_series.reorder(series, [f"{mug.pk}:red", str(mug.pk)], version=1)
    assert members_of(series) == [f"{mug.pk}:red", str(mug.pk)]


def test_a_variant_lies_where_its_product_lies(offers, monkeypatch):
    monkeypatch.setattr(MugSource, "pose", lambda self, mug: "lying")
    offers(Variant(key="red", colour="red"))
    series = set_of(factories.product(), view="groups")
    assert set(series.members.values_list("group", flat=True)) == {"lying"}


# Plans


def test_each_variant_has_the_look_of_the_series_and_an_identity_of_its_own(offers, red):
    offers(Variant(key="red", product=red), lambda mug: Variant(key="side", photo=photo_of(red)))
    mug = factories.product()
    own, of_red, side = specs_of(set_of(mug))
    assert [spec.product_variant for spec in (own, of_red, side)] == ["", "red", "side"]
    assert {spec.object_id for spec in (own, of_red, side)} == {str(mug.pk)}
    assert own.photo == mug.packshot.name
    assert of_red.photo == side.photo == red.packshot.name
    for each in (of_red, side):
        for name in ("seed", "camera", "renderer", "treatment", "series", "scene", "pose"):
            assert getattr(each, name) == getattr(own, name), name
    for name in ("fingerprint", "request_hash"):
        assert len({getattr(each, name) for each in (own, of_red, side)}) == 3, name


def photo_of(mug):
    return source_for(mug).photos(mug)[0]


def test_a_changed_photo_makes_the_picture_of_its_variant_stale_and_no_other(offers, red):
    offers(Variant(key="red", product=red))
    mug = factories.product()
    series = set_of(mug)
    approved(series)
    red.packshot.save("new.png", factories.ContentFile(factories.photo_bytes(colour=(9, 9, 9))))
    assert [(item.variant, item.status.value) for item in items_of(series)] == [
        ("red", "stale"), ("", "present"),
    ] or [(item.variant, item.status.value) for item in items_of(series)] == [
        ("", "present"), ("red", "stale"),
    ]  # fmt: skip


def test_a_renderer_cannot_paint_a_colour_and_says_so(offers):
    offers(Variant(key="red", name="Red", colour="#b3202a"))
    series = set_of(factories.product())
    [problem] = problems_of(series).values()
    assert problem == (
        "There is no photo of this variant, and “local” cannot paint a product in another colour. Give the "
        "variant a photo, or choose a tier with a model for the series."
    )
    assert items_of(series)[-1].status == "missing"


def anchored_set(mug, **fields):
    """A set of ``mug`` and its variants, made by a model, with an approved picture of the mug as anchor."""
    series = set_of(mug, tier="standard", **fields)
    [spec] = specs_of(series, members=[str(mug.pk)])
    image = factories.image(mug, asked=spec, state=ImageState.APPROVED, size=(50, 50))
    return with_anchor(series, image)


@pytest.mark.parametrize("treatment", ["painted", "locked"])
def test_a_model_paints_a_colour_without_a_photo_and_nothing_that_has_one(
    offers, red, paid, treatment
):
    offers(
        Variant(key="red", product=red, colour="red"),
        Variant(key="green", name="Green", colour="#1f6b3a"),
    )
    mug = factories.product(colour="blue")
    specs = {
        each.product_variant: each for each in specs_of(anchored_set(mug, treatment=treatment))
    }
    assert {key: spec.treatment for key, spec in specs.items()} == {
        "": treatment, "red": treatment, "green": "painted",
    }  # fmt: skip
    assert [specs[key].colour for key in ("", "red", "green")] == ["", "", "#1f6b3a"]
    assert specs["green"].photo == mug.packshot.name
    assert "another colour than in the first image" in specs["green"].prompt
    assert "#1f6b3a" in specs["green"].prompt
    # Facts would name the colour that the product does not have.
    assert "blue" not in specs["green"].prompt
    if treatment == "painted":
        assert "“Red mug”" in specs["red"].prompt and "“red”" in specs["red"].prompt
        assert "#" not in specs["red"].prompt
    hashes = {spec.fingerprint for spec in specs.values()}
    offers(Variant(key="red", product=red), Variant(key="green", colour="#1f6b3b"))
    other = {each.product_variant: each for each in specs_of(Series.objects.get())}
    assert other["green"].fingerprint not in hashes and other["red"].fingerprint in hashes
    assert other["green"].request_hash == specs["green"].request_hash


def test_the_photo_that_a_colour_is_painted_from_is_part_of_the_price(offers, paid):
    offers(Variant(key="green", colour="green"))
    series = anchored_set(factories.product(), treatment="locked")
    dearer = generation.plan_series(series).price_each_usd
    catalog_series.remove_members(series, [members_of(series)[1]])
    assert generation.plan_series(series).price_each_usd < dearer


def test_a_shop_that_forbids_painting_gets_no_painted_colour(offers, paid, monkeypatch):
    monkeypatch.setattr(MugSource, "treatments", ("locked",))
    offers(Variant(key="green", colour="green"))
    mug = factories.product()
    series = anchored_set(mug, treatment="locked")
    assert "does not allow" in problems_of(series)["green"]


def test_variants_of_one_product_wait_for_an_anchor_like_several_products(offers, paid):
    offers(Variant(key="green", colour="green"))
    mug = factories.product()
    series = set_of(mug, tier="standard", treatment="painted")
    with pytest.raises(PlanRefused, match="has no anchor"):
        generation.plan_series(series)
    plan = generation.plan_series(series, members=[str(mug.pk)])
    assert [item.variant for item in plan.items()] == [""]
    assert plan.request["members"] == [str(mug.pk)]
    with pytest.raises(PlanRefused, match="not members of the series: nobody"):
        generation.plan_series(series, members=["nobody"])


def test_a_large_plan_of_some_members_is_planned_again_as_it_was(offers):
    offers(Variant(key="green", colour="green"), Variant(key="side", photo=None, colour="red"))
    mug = factories.product()
    plan = generation.plan_series(set_of(mug), members=[str(mug.pk)])
    stored = generation.planning.stored_request(plan.planner)
    again = generation.planning.plan_again(stored, [mug])
    assert [item.variant for item in again.items()] == [""]


def test_a_variant_whose_object_has_no_photo_is_named(offers):
    bare = factories.product(photo=False, name="Bare")
    offers(Variant(key="red", product=bare))
    assert problems_of(set_of(factories.product())) == {
        "red": "The variant 'red' has no photo. Upload one for “Bare”, or name its colour."
    }


def test_what_breaks_one_variant_leaves_the_product_and_the_others_alone(offers):
    offers(Variant(key="red", colour="red"))
    series = set_of(factories.product())
    offers(Variant(key="red"))
    assert [item.status.value for item in items_of(series)] == ["impossible", "missing"]


# Pictures


def test_the_picture_of_a_variant_that_the_shop_dropped_stays_and_says_so(offers, red):
    offers(Variant(key="red", name="Red", product=red))
    mug = factories.product()
    series = set_of(mug)
    images = approved(series)
    publishing.publish_series(series, actor=None)
    offers()
    own, gone = generation.member_pictures(series)
    assert own.is_current and own.image == images[""]
    assert (gone.image, gone.is_current, gone.name) == (images["red"], False, f"{mug}, Red")
    assert "does not have the variant 'red' of this product any more" in gone.problem
    with pytest.raises(RequestRefused, match="Red” cannot be made again. The shop does not have"):
        publishing.publish_series(series, actor=None)
    assert shown(mug) == ["", "red"]


def test_variants_are_published_beside_their_product_in_the_order_of_the_series(offers, red):
    offers(Variant(key="red", name="Red", product=red), Variant(key="side", product=red))
    mug, other = factories.product(), factories.product()
    series = set_of(mug)
    catalog_series.add(series, [other])
    approved(series)
    publishing.publish_series(series, actor=None)
    assert (shown(mug), shown(other)) == (["", "red", "side"], [""])
    keys = members_of(series)
    catalog_series.reorder(series, [keys[1], keys[0], *keys[2:]], version=1)
    entries = storefront.series_for("autumn")
    assert [(each.product, each.variant, each.variant_name) for each in entries] == [
        (mug, "red", "Red"), (mug, "", ""), (mug, "side", ""), (other, "", ""),
    ]  # fmt: skip
    publishing.publish_series(series, actor=None)
    assert shown(mug) == ["red", "", "side"]
    assert [each.variant for each in storefront.series_for("autumn", product=mug)] == [
        "red", "", "side",
    ]  # fmt: skip
    assert len(storefront.series_for("autumn", limit=2)) == 2
    assert storefront.series_for("autumn", product=factories.poster()) == []


def test_the_place_of_a_variant_that_was_removed_is_emptied_and_comes_back(offers, red):
    offers(Variant(key="red", product=red), Variant(key="side", product=red))
    mug = factories.product()
    series = set_of(mug)
    approved(series)
    publishing.publish_series(series, actor=None)
    catalog_series.remove_members(series, [f"{mug.pk}:red"])
    publishing.publish_series(series, actor=None)
    assert shown(mug) == ["", "side"]
    publishing.roll_back_series(series, actor=None)
    assert shown(mug) == ["", "red", "side"]


def test_what_a_person_has_published_further_on_stays(offers, red):
    offers(Variant(key="red", product=red))
    mug = factories.product()
    series = set_of(mug)
    images = approved(series)
    publishing.publish(images["red"], slot="hero", position=5, actor=None)
    publishing.publish_series(series, actor=None)
    assert shown(mug) == ["", "red", "red"]


def test_two_looks_of_one_variant_are_refused_and_another_variant_is_not_one(offers, red):
    offers(Variant(key="red", product=red))
    mug = factories.product()
    series = set_of(mug)
    old = approved(series)
    publishing.publish(old["red"], slot="gallery", actor=None)
    publishing.publish_series(series, actor=None)
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    series.refresh_from_db()
    approved(series)
    with pytest.raises(RequestRefused) as refusal:
        publishing.publish_series(series, actor=None)
    [objection] = refusal.value.objections
    assert f"“{mug}, red” would be shown in two versions" in objection


def test_all_variants_are_approved_as_one(offers, red):
    offers(Variant(key="red", product=red))
    mug = factories.product()
    series = set_of(mug)
    for spec in specs_of(series):
        factories.image(mug, asked=spec, size=(50, 50))
    assert len(review.approve_series(series, actor=None).approved) == 2
    assert set(ProductImage.objects.values_list("state", "variant")) == {
        ("approved", ""), ("approved", "red"),
    }  # fmt: skip


def test_text_goes_on_the_picture_of_the_product_itself(offers, red):
    offers(Variant(key="red", product=red))
    mug = factories.product()
    images = approved(set_of(mug))
    layout = factories.layout()
    [item] = generation.plan_texts([mug], layouts=[layout], locales=["en"]).items()
    assert item.spec.base == images[""].sha256


def test_a_variant_that_is_added_again_was_not_a_member_while_it_was_removed(offers):
    offers(Variant(key="red", colour="red"))
    mug = factories.product()
    series = set_of(mug)
    moments = [timezone.now()]
    catalog_series.remove_members(series, [f"{mug.pk}:red"])
    moments.append(timezone.now())
    catalog_series.add_variants(series, [mug])
    member = series.members.get(variant="red")
    moments.append(timezone.now())
    assert [member.was_member_at(each) for each in moments] == [True, False, True]
