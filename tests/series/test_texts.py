"""The text of a series: its layout and its deck on the pictures of its members, in the shop's locales."""

import pytest

from nb_catalog import copydecks, generation, publishing, review, storefront, worker
from nb_catalog import series as catalog_series
from nb_catalog.core.slots import Slot
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Variant
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import planning, runs
from nb_catalog.models import Placement, ProductImage, Series
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

FRAMED = (400, 500)


@pytest.fixture(autouse=True)
def locales(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "LOCALES": ["en", "de"], "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }  # fmt: skip


def words(**texts):
    return factories.deck("autumn", **{code: {"headline": text} for code, text in texts.items()})


def with_text(*members, **fields):
    if "deck" not in fields:
        fields["deck"] = words(en="Autumn", de="Herbst")
    return factories.series(*members, **{"layout": factories.layout(), **fields})


def fresh():
    return Series.objects.get(key="autumn")


def made(plan, *, state=ImageState.APPROVED):
    """The pictures of ``plan`` as if they had been made, by locale."""
    images = {}
    for item in plan.items():
        if not item.is_wanted:
            continue
        spec = item.spec
        about = source_for(spec.object_type).queryset().get(pk=spec.object_id)
        base = ProductImage.objects.filter(sha256=spec.base).first() if spec.base else None
        images[spec.object_id, spec.product_variant, spec.locale] = factories.image(
            about, asked=spec, state=state, size=FRAMED, parent=base, locale=spec.locale
        )
    return images


def complete(series, **options):
    """All pictures of ``series`` and its text."""
    pictures = made(generation.plan_series(series), **options)
    return pictures | made(generation.plan_series_texts(series), **options)


def text_states(series=None):
    items = generation.plan_series_texts(series or fresh()).items()
    return {item.spec.locale: item.status.value for item in items if item.spec}


def refused(call, *arguments, **options):
    with pytest.raises(RequestRefused) as refusal:
        call(*arguments, **options)
    return " ".join(refusal.value.objections)


# The look


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"deck": "autumn"}, "A series with a copy deck needs a text layout"),
        ({"layout": "baner"}, "There is no layout 'baner'. Did you mean 'banner'"),
        (
            {"layout": "banner", "deck": "autum"},
            "There is no copy deck 'autum'. Did you mean 'autumn'",
        ),
        ({"layout": "odd"}, "The layout “Odd” is invalid"),
        ({"layout": "banner", "slot": "plain"}, "takes no pictures with text"),
    ],
)
def test_a_layout_that_cannot_be_used_is_refused(fields, message, monkeypatch):
    monkeypatch.setattr(MugSource, "slots", (Slot("hero"), Slot("plain", words=False)))
    factories.layout(), words(en="Autumn"), factories.layout("odd", content={"boxes": "none"})
    assert message in refused(factories.series, **fields)
    assert not Series.objects.exists()
    series = factories.series()
    assert message in refused(catalog_series.with_changes, series, **fields)


def test_layout_and_deck_are_chosen_changed_and_given_up():
    series = with_text()
    assert (fresh().layout.key, fresh().deck.key, fresh().version) == ("banner", "autumn", 1)
    catalog_series.save_look(catalog_series.with_changes(series, layout=None, deck=""))
    assert (fresh().layout, fresh().deck, fresh().version) == (None, None, 2)
    assert "has no text layout" in refused(generation.plan_series_texts, "autumn")


# Plans


def test_the_pictures_come_first_and_then_their_text_in_every_locale():
    series = with_text(factories.product())
    waiting = generation.plan_series_texts(series).summary()
    assert (waiting.count_of("impossible"), waiting.wanted) == (2, 0)
    [reason] = waiting.problems
    assert reason == "The picture comes first: make the pictures of the series."
    [picture] = made(generation.plan_series(series)).values()
    plan = generation.plan_series_texts("autumn")
    summary = plan.summary()
    assert (summary.wanted, summary.price_usd, plan.is_free) == (2, 0, True)
    specs = [item.spec for item in plan.items()]
    assert [(spec.locale, spec.renderer["texts"]["headline"]) for spec in specs] == [
        ("en", "Autumn"), ("de", "Herbst"),
    ]  # fmt: skip
    assert {(spec.base, spec.series, spec.layout, spec.deck) for spec in specs} == {
        (picture.sha256, "autumn", "banner", "autumn")
    }
    assert len({spec.request_hash for spec in specs} | {picture.request_hash}) == 3
    made(plan)
    assert text_states() == {"en": "present", "de": "present"}
    # The pictures themselves are as they were.
    assert generation.plan_series("autumn").summary().count_of("present") == 1


def test_text_goes_on_the_picture_that_the_member_has_now():
    series = with_text(factories.product())
    complete(series)
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    assert generation.plan_series_texts(fresh()).summary().count_of("impossible") == 2
    [newer] = made(generation.plan_series(fresh())).values()
    assert text_states() == {"en": "stale", "de": "stale"}
    assert {i.spec.base for i in generation.plan_series_texts(fresh()).items()} == {newer.sha256}


def test_a_changed_text_makes_its_own_locale_stale_and_nothing_else():
    series = with_text(factories.product())
    complete(series)
    copydecks.save_texts(series.deck, {("de", "headline"): "Goldener Herbst"})
    assert text_states() == {"en": "present", "de": "stale"}
    assert generation.plan_series(fresh()).summary().count_of("present") == 1


def test_a_changed_layout_makes_all_text_stale_and_no_picture():
    series = with_text(factories.product())
    complete(series)
    layout = series.layout
    layout.content["boxes"][0]["place"]["top"] = 0.5
    layout.save()
    assert text_states() == {"en": "stale", "de": "stale"}
    assert generation.plan_series(fresh()).summary().count_of("present") == 1


@pytest.mark.parametrize("field", ["layout", "deck"])
def test_another_layout_or_deck_replaces_the_text_there_is(field):
    series = with_text(factories.product())
    complete(series)
    other = factories.layout("split") if field == "layout" else None
    if field == "layout":
        other.content["boxes"][0]["place"]["top"] = 0.4
        other.save()
    else:
        other = factories.deck("winter", en={"headline": "Winter"}, de={"headline": "Winter"})
    newer = catalog_series.with_changes(series, **{field: other.key})
    # Seen before it is written.
    assert text_states(newer) == {"en": "stale", "de": "stale"}
    assert generation.plan_series(newer).summary().count_of("present") == 1
    assert text_states() == {"en": "present", "de": "present"}


def test_each_variant_has_text_of_its_own(monkeypatch):
    red = factories.product()
    variants = [Variant(key="de", product=red)]
    monkeypatch.setattr(MugSource, "variants", lambda self, mug: variants, raising=False)
    mug, series = factories.product(), with_text()
    catalog_series.add_variants(series, [mug])
    made(generation.plan_series(series))
    specs = [item.spec for item in generation.plan_series_texts(series).items()]
    assert {(spec.product_variant, spec.locale) for spec in specs} == {
        ("", "en"), ("", "de"), ("de", "en"), ("de", "de"),
    }  # fmt: skip
    # A variant that is called like a locale is not mistaken for its text.
    pictures = [item.spec for item in generation.plan_series(series).items()]
    assert len({spec.request_hash for spec in (*specs, *pictures)}) == 6


def test_text_that_is_missing_in_a_locale_is_named():
    series = with_text(factories.product(), deck=words(en="Autumn"))
    made(generation.plan_series(series))
    german, english = generation.plan_series_texts(series).items()
    assert english.status == "missing"
    assert "needs headline, and there is none in 'de'" in german.problem


def test_sizes_of_some_members_are_those_of_all(monkeypatch):
    layout = factories.layout("even")
    layout.content["same_size"] = True
    layout.save()
    short, long = (
        factories.product(name="Mug"),
        factories.product(name="A mug for the autumn in green"),
    )
    words_of = {"headline": "{title}"}
    deck = factories.deck("names", en=words_of, de=words_of)
    series = with_text(short, long, layout=layout, deck=deck)
    made(generation.plan_series(series))
    alone = next(iter(generation.plan_series_texts(series, products=[short]).items()))
    other = next(
        i for i in generation.plan_series_texts(series).items() if i.object_id == str(short.pk)
    )
    assert (alone.fingerprint, bool(alone.spec.renderer["sizes"])) == (other.fingerprint, True)


def test_a_large_plan_is_planned_again_unless_the_look_was_changed():
    mug = factories.product()
    series = with_text(mug)
    made(generation.plan_series(series))
    stored = planning.stored_request(generation.plan_series_texts(series).planner)
    assert [item.spec.locale for item in planning.plan_again(stored, [mug]).items()] == ["en", "de"]
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    with pytest.raises(Exception, match="was changed after this run was confirmed"):
        planning.plan_again(stored, [mug])


# Approving and publishing


def test_pictures_and_their_text_are_approved_as_one():
    series = with_text(factories.product())
    complete(series, state=ImageState.PENDING)
    assert len(review.approve_series(series, actor=None).approved) == 3
    assert set(ProductImage.objects.values_list("state", flat=True)) == {"approved"}


def test_text_is_published_in_its_locale_beside_the_picture_and_rolled_back_with_it():
    mug = factories.product()
    series = with_text(mug)
    images = complete(series)
    publishing.publish_series(series, actor=None)
    places = Placement.objects.filter(slot="hero").values_list("locale", "image_id")
    assert dict(places) == {code: images[str(mug.pk), "", code].pk for code in ("", "en", "de")}
    for code, key in (("de", "de"), ("de-at", "de"), ("fr", "")):
        [entry] = storefront.series_for("autumn", locale=code)
        assert entry.picture.image_id == images[str(mug.pk), "", key].pk, code
    publishing.roll_back_series(series, actor=None)
    assert not Placement.objects.exists()


def test_a_series_is_not_published_while_its_text_is_not_ready():
    mug = factories.product(name="Mug")
    series = with_text(mug)
    made(generation.plan_series(series))
    assert refused(publishing.publish_series, series, actor=None) == (
        "“Mug” has no text of today in 'en'. Make the text of the series. "
        "“Mug” has no text of today in 'de'. Make the text of the series."
    )
    made(generation.plan_series_texts(series), state=ImageState.PENDING)
    message = refused(publishing.publish_series, series, actor=None)
    assert "The text of “Mug” in 'de' is not approved. Approve it first." in message
    publishing.publish_series(series, actor=None, partial=True)
    assert list(Placement.objects.values_list("locale", flat=True)) == [""]


def test_text_that_there_cannot_be_is_a_reason_of_its_own():
    series = with_text(factories.product(name="Mug"), deck=words(en="Autumn"))
    complete(series)
    message = refused(publishing.publish_series, series, actor=None)
    assert message.startswith("“Mug” has no text in 'de'. The layout “Banner” needs headline")


def test_text_on_the_old_look_in_another_place_is_two_looks():
    mug = factories.product(name="Mug")
    series = with_text(mug)
    old = complete(series)
    publishing.publish_series(series, actor=None)
    publishing.publish(old[str(mug.pk), "", "de"], slot="gallery", locale="de", actor=None)
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    complete(fresh())
    message = refused(publishing.publish_series, fresh(), actor=None)
    assert "is in the slot “gallery” (de)" in message


def test_text_in_another_place_on_the_same_picture_is_not_two_looks():
    mug = factories.product()
    series = with_text(mug)
    old = complete(series)
    publishing.publish(old[str(mug.pk), "", "de"], slot="gallery", locale="de", actor=None)
    copydecks.save_texts(series.deck, {("de", "headline"): "Goldener Herbst"})
    made(generation.plan_series_texts(series))
    publishing.publish_series(series, actor=None)
    assert Placement.objects.filter(slot="hero").count() == 3


def test_publishing_after_someone_else_changed_the_text_layout_loses():
    series = with_text(factories.product())
    complete(series)
    stale = fresh()
    catalog_series.save_look(catalog_series.with_changes(series, layout=None, deck=None))
    with pytest.raises(InvalidTransition):
        publishing.publish_series(stale, actor=None)


@pytest.mark.django_db(transaction=True)
def test_a_worker_sets_the_text_on_the_members_own_pictures():
    mug = factories.product(photo=factories.photo_bytes((600, 750)))
    series = with_text(mug)
    runs.start_run(generation.plan_series(series))
    worker.drain()
    run = runs.start_run(generation.plan_series_texts(series))
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    texts = ProductImage.objects.filter(job__run=run)
    picture = ProductImage.objects.get(locale="", kind="picture")
    assert {(each.locale, each.series, each.parent_id) for each in texts} == {
        ("en", "autumn", picture.pk), ("de", "autumn", picture.pk),
    }  # fmt: skip
    assert text_states() == {"en": "present", "de": "present"}
