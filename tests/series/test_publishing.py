"""A series is approved, published and rolled back as one, and shown on pages in its order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import generation, publishing, review, storefront
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import (
    Placement,
    PlacementEvent,
    ProductImage,
    Publication,
    Rendition,
    Series,
    SeriesMember,
)
from nb_catalog.publishing import publications, renditions
from nb_catalog.storage import catalog_storage
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


def make(series, *, state=ImageState.APPROVED, only=None):
    """The missing pictures of ``series``, as if they had been made."""
    images = []
    for item in generation.plan_series(series).items():
        if item.is_wanted and (only is None or item.object_id in only):
            about = series.content_type.model_class().objects.get(pk=item.object_id)
            images.append(factories.image(about, asked=item.spec, state=state, size=(50, 50)))
    return images


def ready(number=3, **fields):
    mugs = [factories.product() for _ in range(number)]
    series = factories.series(*mugs, **fields)
    return series, mugs, make(series)


def shown(slot="hero"):
    rows = Placement.objects.filter(slot=slot).order_by("object_id")
    return {int(key): image for key, image in rows.values_list("object_id", "image_id")}


def refused(call, *arguments, **options):
    with pytest.raises(RequestRefused) as refusal:
        call(*arguments, actor=None, **options)
    return " ".join(refusal.value.objections)


def newer_look(series, **changes):
    changes = changes or {"seed_number": series.seed_number + 1}
    catalog_series.save_look(catalog_series.with_changes(series, **changes))
    return Series.objects.get(pk=series.pk)


# The pictures that members have now.


def test_each_member_has_its_picture_with_the_look_of_now_or_its_latest_one():
    mugs = [factories.product() for _ in range(3)]
    bare = factories.product(photo=False)
    series = factories.series(*mugs, bare)
    old = make(series, only={str(mugs[0].pk), str(mugs[1].pk)})
    series = newer_look(series)
    [new] = make(series, only={str(mugs[1].pk)}, state=ImageState.PENDING)
    seen = list(generation.member_pictures(series))
    assert [each.status.value for each in seen] == ["stale", "present", "missing", "impossible"]
    assert [each.image for each in seen] == [old[0], new, None, None]
    assert [each.product for each in seen] == [*mugs, bare]
    assert seen[3].problem == "The product has no photo. Upload one."


def test_an_approved_picture_stands_for_a_pending_one_with_the_same_look():
    series, _mugs, [image] = ready(1)
    factories.image(
        image.catalog_object, asked=next(generation.plan_series(series).items()).spec, size=(50, 50)
    )
    assert [each.image for each in generation.member_pictures(series)] == [image]


def test_a_deleted_product_is_said():
    series, mugs, _images = ready(2)
    mugs[0].delete()
    first, second = generation.member_pictures(series)
    assert (first.product, first.problem) == (None, "The product no longer exists.")
    assert second.is_current


def test_pictures_of_many_members_take_a_constant_number_of_queries():
    def queries(number, key):
        series, _mugs, _images = ready(number, key=key)
        with CaptureQueriesContext(connection) as captured:
            assert len(list(generation.member_pictures(series))) == number
        return len(captured)

    assert queries(2, "few") == queries(9, "many")


def test_no_photo_is_read_for_the_pictures_of_members(monkeypatch):
    series, mugs, _images = ready(2)
    mugs[0].packshot.save("new.png", factories.ContentFile(factories.photo_bytes()))

    def read(photo):
        raise AssertionError(photo.name)

    monkeypatch.setattr("nb_catalog.generation.photos.read_photo", read)
    pictures = list(generation.member_pictures(series))
    assert [each.status.value for each in pictures] == ["stale", "present"]


# Approving.


def test_pending_pictures_with_the_look_of_now_are_approved_as_one():
    mugs = [factories.product() for _ in range(2)]
    series = factories.series(*mugs)
    [old] = make(series, only={str(mugs[0].pk)}, state=ImageState.PENDING)
    series = newer_look(series)
    new = make(series, state=ImageState.PENDING)
    new[1].checks = {"finish_reason": "OTHER"}
    new[1].save()
    result = review.approve_series(series, actor=None)
    assert result.approved == (new[0].pk,)
    assert len(result.refused) == 1
    old.refresh_from_db()
    assert old.state == ImageState.PENDING


# Publishing.


def test_a_series_is_published_as_one_and_rolled_back_as_one():
    series, mugs, images = ready()
    before = factories.published(mugs[0])
    publication = publishing.publish_series(series, actor=None)
    assert shown() == {mug.pk: image.pk for mug, image in zip(mugs, images, strict=True)}
    assert (publication.look_version, publication.events.count()) == (1, 3)
    publishing.roll_back_series(series, actor=None)
    assert shown() == {mugs[0].pk: before.image_id}
    assert "no publication of the series “Autumn” to undo" in refused(
        publishing.roll_back_series, series
    )


def test_two_roll_backs_undo_two_publications():
    series, mugs, first = ready(2)
    publishing.publish_series(series, actor=None)
    series = newer_look(series)
    second = make(series)
    publishing.publish_series(series, actor=None)
    assert set(shown().values()) == {image.pk for image in second}
    publishing.roll_back_series(series, actor=None)
    assert set(shown().values()) == {image.pk for image in first}
    publishing.roll_back_series(series, actor=None)
    assert shown() == {}
    assert len(mugs) == 2


def test_a_series_that_is_not_whole_is_refused_with_each_reason_and_nothing_is_published():
    mugs = [factories.product(name=name) for name in ("Old", "Missing", "Pending", "Good")]
    bare = factories.product(name="Bare", photo=False)
    series = factories.series(*mugs, bare)
    make(series, only={str(mugs[0].pk)})
    series = newer_look(series)
    make(series, only={str(mugs[2].pk)}, state=ImageState.PENDING)
    [good] = make(series, only={str(mugs[3].pk)})
    said = refused(publishing.publish_series, series)
    for sentence in (
        "The picture of “Old” is out of date. Make it again.",
        "“Missing” has no picture. Make it first.",
        "The picture of “Pending” is not approved. Approve it first.",
        "“Bare” has no picture. The product has no photo. Upload one.",
    ):
        assert sentence in said
    assert shown() == {}
    publishing.publish_series(series, actor=None, partial=True)
    assert shown() == {mugs[3].pk: good.pk}


def test_a_member_is_not_shown_in_two_versions_of_the_look_unless_somebody_says_so():
    series, mugs, images = ready(2)
    publishing.publish(images[0], slot="gallery", actor=None)
    publishing.publish_series(series, actor=None)
    series = newer_look(series)
    make(series)
    said = refused(publishing.publish_series, series)
    assert f"“{mugs[0]}” would be shown in two versions of the look" in said
    assert "slot “gallery”" in said and str(mugs[1]) not in said
    assert set(shown().values()) == {image.pk for image in images}
    publishing.publish_series(series, actor=None, partial=True)
    assert not set(shown().values()) & {image.pk for image in images}


def test_another_series_in_the_slot_is_replaced_only_if_somebody_says_so():
    summer, mugs, images = ready(2, key="summer")
    publishing.publish_series(summer, actor=None)
    autumn = factories.series(*mugs)
    newer = make(autumn)
    said = refused(publishing.publish_series, autumn)
    assert "The slot “hero” shows the series 'summer' for 2 of these products." in said
    assert set(shown().values()) == {image.pk for image in images}
    publishing.publish_series(autumn, actor=None, replace=True)
    assert set(shown().values()) == {image.pk for image in newer}


def test_a_look_that_was_changed_meanwhile_is_not_published():
    series, _mugs, _images = ready(2)
    newer_look(Series.objects.get())
    with pytest.raises(InvalidTransition, match="Someone else has changed the series “Autumn”"):
        publishing.publish_series(series, actor=None)
    assert shown() == {}


@pytest.mark.parametrize(
    "is_first", [True, False], ids=["empty places", "places that show another"]
)
def test_publishing_and_rolling_back_take_a_constant_number_of_queries(is_first):
    def queries(number, key):
        series, mugs, images = ready(number, key=key)
        if not is_first:
            for mug in mugs:
                factories.published(mug)
        for image in images:
            renditions.make_renditions(image)
        with CaptureQueriesContext(connection) as published:
            publication = publishing.publish_series(series, actor=None)
        assert publication.events.count() == number
        assert {shown()[mug.pk] for mug in mugs} == {image.pk for image in images}
        with CaptureQueriesContext(connection) as undone:
            publishing.roll_back_series(series, actor=None)
        assert len(shown().keys() & {mug.pk for mug in mugs}) == (0 if is_first else number)
        return len(published), len(undone)

    queries(2, "first")
    assert queries(5, "few") == queries(50, "many")


def test_pictures_that_need_a_reason_take_no_query_each(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": {"REQUIRE": "block"}}
    boss = factories.superuser()

    def queries(number, key):
        series, _mugs, images = ready(number, key=key)
        failing = {"fidelity": Fidelity(score=0.2, reasons=("colour",)).as_dict()}
        ProductImage.objects.filter(pk__in=[image.pk for image in images]).update(checks=failing)
        publishing.publish_series(series, actor=boss, reason="seen")
        publishing.roll_back_series(series, actor=boss)
        with CaptureQueriesContext(connection) as captured:
            publishing.publish_series(series, actor=boss)
        return len(captured)

    assert queries(2, "few") == queries(9, "many")


def test_a_request_leaves_files_to_a_worker_and_then_all_are_published_at_once():
    series, _mugs, images = ready(3)
    publication = publishing.publish_series(series, actor=None, background=True)
    assert (publication.state, shown()) == ("waiting", {})
    publishing.work_on_publications()
    assert Rendition.objects.filter(image__in=images).count() == 3
    assert len(shown()) == publication.events.count() == 3
    publishing.roll_back_series(series, actor=None)
    assert shown() == {}


def test_a_series_whose_look_was_changed_while_files_were_made_is_not_published():
    series, _mugs, _images = ready(3)
    publication = publishing.publish_series(series, actor=None, background=True)
    newer_look(series)
    publishing.work_on_publications()
    publication.refresh_from_db()
    assert (publication.state, shown()) == ("stopped", {})
    assert "changed the look of the series “Autumn” meanwhile" in publication.problem


def test_publishing_the_same_again_changes_nothing_and_is_said():
    series, _mugs, _images = ready(2)
    publishing.publish_series(series, actor=None)
    assert "is published already" in refused(publishing.publish_series, series)
    assert (Publication.objects.count(), PlacementEvent.objects.count()) == (1, 2)


def test_a_series_of_none_and_one_without_a_ready_picture_are_refused():
    assert "has no members" in refused(publishing.publish_series, factories.series())
    series = factories.series(factories.product(name="Mug"), key="winter")
    said = refused(publishing.publish_series, series, partial=True)
    assert said == "“Mug” has no picture. Make it first."


def test_a_picture_that_does_not_fit_keeps_all_others_from_being_published(monkeypatch):
    series, _mugs, images = ready(3)
    monkeypatch.setattr(MugSource, "slots", {"hero": "1:1"})
    ProductImage.objects.filter(pk=images[2].pk).update(width=90)
    assert refused(publishing.publish_series, series)
    assert shown() == {}
    assert not Publication.objects.exists()


def test_a_place_that_somebody_changed_since_keeps_its_picture():
    series, mugs, images = ready(2)
    publishing.publish_series(series, actor=None)
    other = factories.published(mugs[1])
    said = refused(publishing.roll_back_series, series)
    assert "Somebody has changed 1 of these places" in said
    assert shown() == {mugs[0].pk: images[0].pk, mugs[1].pk: other.image_id}
    publishing.roll_back_series(series, actor=None, partial=True)
    assert shown() == {mugs[1].pk: other.image_id}


# Lookbook pages.


def test_a_lookbook_shows_the_published_pictures_in_the_order_of_the_series():
    series, mugs, images = ready(3)
    publishing.publish_series(series, actor=None)
    keys = [str(mug.pk) for mug in mugs]
    catalog_series.reorder(series, [keys[2], keys[0], keys[1]], version=1)
    page = storefront.series_for("autumn")
    assert [entry.product for entry in page] == [mugs[2], mugs[0], mugs[1]]
    assert [entry.picture.image_id for entry in page] == [images[2].pk, images[0].pk, images[1].pk]
    assert [entry.product for entry in storefront.series_for("autumn", limit=2)] == [
        mugs[2],
        mugs[0],
    ]


def test_a_lookbook_leaves_out_what_is_not_of_the_series_or_not_for_the_public(monkeypatch):
    series, mugs, _images = ready(3)
    publishing.publish_series(series, actor=None)
    factories.published(mugs[0])
    catalog_series.remove(series, [mugs[1]])
    assert [entry.product for entry in storefront.series_for("autumn")] == [mugs[2]]
    monkeypatch.setattr(MugSource, "visible", lambda self: self.queryset().exclude(pk=mugs[2].pk))
    assert not storefront.series_for("autumn")
    assert not storefront.series_for("no-such-series")


def shown_at(moment, **options):
    with storefront.at(moment):
        page = storefront.series_for("autumn", **options)
    return [(entry.product, entry.picture.image_id) for entry in page]


def test_a_preview_of_a_lookbook_shows_the_members_and_pictures_of_its_moment():
    series, mugs, images = ready(3)
    moments = [timezone.now()]

    def then(change):
        change()
        moments.append(timezone.now())

    then(lambda: publishing.publish_series(series, actor=None))
    then(lambda: catalog_series.remove(series, [mugs[1]]))
    then(lambda: catalog_series.add(series, [mugs[1]]))
    then(lambda: factories.published(mugs[0]))
    then(lambda: catalog_series.remove(series, [mugs[2]]))
    first, second, third = zip(mugs, images, strict=True)
    expected = [[], [first, second, third], [first, third], [first, third, second], [third, second],
                [second]]  # fmt: skip
    found = [shown_at(moment) for moment in moments]
    # In today's order: what was added again comes last.
    assert [sorted(each, key=str) for each in found] == [
        sorted([(mug, image.pk) for mug, image in each], key=str) for each in expected
    ]
    assert found[1] == [(mug, image.pk) for mug, image in (first, third, second)]
    assert shown_at(moments[1], product=mugs[2]) == [(mugs[2], images[2].pk)]
    assert shown_at(moments[1], limit=1) == [(mugs[0], images[0].pk)]


def test_a_member_of_today_is_not_shown_before_it_was_added():
    mug = factories.product()
    series, mugs, images = ready(1)
    catalog_series.add(series, [mug])
    [image] = make(series)
    publishing.publish_series(series, actor=None)
    SeriesMember.objects.about(mug).update(added_at=timezone.now() + timedelta(hours=1))
    assert shown_at(timezone.now()) == [(mugs[0], images[0].pk)]


def test_a_lookbook_shows_what_is_scheduled_at_a_moment_to_come():
    series, mugs, images = ready(2)
    start = timezone.now() + timedelta(hours=1)
    pictures = publications.placed(images, slot="hero")
    publishing.request_publication(pictures, actor=None, starts_at=start)
    assert not storefront.series_for("autumn")
    shown = shown_at(start + timedelta(minutes=1))
    assert shown == [(mug, image.pk) for mug, image in zip(mugs, images, strict=True)]


def test_a_preview_of_a_lookbook_takes_a_constant_number_of_queries():
    def queries(number):
        Series.objects.all().delete()
        series, *_rest = ready(number)
        publishing.publish_series(series, actor=None)
        with CaptureQueriesContext(connection) as captured:
            assert len(shown_at(timezone.now())) == number
        return len(captured)

    assert queries(2) == queries(5)


def test_a_lookbook_leaves_out_what_a_language_shows_instead_of_the_series():
    series, mugs, _images = ready(2)
    publishing.publish_series(series, actor=None)
    factories.published(mugs[0], locale="en")
    assert [entry.product for entry in storefront.series_for("autumn", locale="en")] == [mugs[1]]
    assert len(storefront.series_for("autumn", locale="de")) == 2


def test_a_lookbook_takes_a_constant_number_of_queries_and_no_storage(monkeypatch):
    def queries(number, key):
        series, _mugs, _images = ready(number, key=key)
        publishing.publish_series(series, actor=None)
        template = Template(
            "{% load nb_catalog %}{% catalog_series key as book %}"
            "{% for each in book %}{{ each.product }} {% catalog_picture each.picture %}{% endfor %}"
        )
        with monkeypatch.context() as patch, CaptureQueriesContext(connection) as captured:
            for name in ("open", "url", "exists", "size"):
                patch.setattr(type(catalog_storage()), name, None)
            html = template.render(Context({"key": key}))
        assert html.count("<picture>") == number
        return len(captured)

    assert queries(2, "few") == queries(7, "many")


def test_the_tag_alone_renders_the_pictures_escaped():
    series, _mugs, _images = ready(2)
    publishing.publish_series(series, actor=None)
    html = Template('{% load nb_catalog %}{% catalog_series "autumn" limit=1 %}').render(Context())
    assert html.startswith("<picture>") and html.count("<img") == 1
    assert Template('{% load nb_catalog %}{% catalog_series "no" %}').render(Context()) == ""


# The successor of a model that has retired.


@pytest.fixture
def paid(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {
            "standard": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-image", "SIZE": "1K"}
        },
        "MODEL_SPECS": {"gemini-3.1-flash-image": {"retired_on": None}},
    }


def retire_model(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MODEL_SPECS": {}}


def test_a_retired_model_stops_the_series_until_its_successor_is_accepted(paid, settings):
    mugs = [factories.product() for _ in range(2)]
    series = factories.series(*mugs, tier="standard", treatment="painted")
    [item] = generation.plan_series(series, products=[mugs[1]]).items()
    anchor = factories.image(mugs[1], asked=item.spec, state=ImageState.APPROVED, size=(50, 50))
    catalog_series.save_look(catalog_series.with_anchor(series, anchor))
    series = Series.objects.get()
    retire_model(settings)
    with pytest.raises(RequestRefused) as refusal:
        generation.plan_series(series)
    said = " ".join(refusal.value.objections)
    assert "gemini-3.1-flash-image was retired on 2026-10-29." in said
    assert "make one member with gemini-nano-banana-2.1 as a trial" in said
    trial = generation.plan_trial(series)
    [item] = trial.items()
    assert (item.object_id, item.spec.model) == (str(mugs[1].pk), "gemini-nano-banana-2.1")
    assert (item.spec.anchor, item.spec.seed) == (anchor.sha256, replace(item.spec, model="x").seed)
    assert Series.objects.get().model == "gemini-3.1-flash-image"
    made = factories.image(mugs[1], asked=item.spec, state=ImageState.APPROVED, size=(50, 50))
    catalog_series.save_look(catalog_series.with_successor(series))
    series = Series.objects.get()
    assert (series.model, series.anchor) == ("gemini-nano-banana-2.1", anchor)
    seen = list(generation.member_pictures(series))
    assert [each.image for each in seen] == [None, made]
    assert seen[1].is_current


def test_without_a_successor_another_tier_is_needed():
    series = factories.series(factories.product())
    with pytest.raises(RequestRefused, match="No successor of local-studio is known."):
        generation.plan_trial(series)
