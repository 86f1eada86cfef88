"""Publishing, taking back, and the record of both."""

from urllib.parse import urlparse

import pytest

from nb_catalog import review
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import placements, places
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }


@pytest.fixture
def mug():
    return factories.product()


def approved(product, **fields):
    return factories.image(product, state=ImageState.APPROVED, **fields)


def publish(image, slot="hero", **place):
    return placements.publish(image, slot=slot, actor=None, **place)


def roll_back(product, slot="hero", **place):
    return placements.roll_back(product, slot=slot, actor=None, **place)


def standing(product, slot="hero", **place):
    found = Placement.objects.about(product).filter(slot=slot, **place).first()
    return found and found.image


def record(product):
    events = PlacementEvent.objects.about(product)
    return list(events.values_list("move", "image_before_id", "image_after_id"))


@pytest.mark.parametrize("state", ["pending", "rejected", "retired"])
def test_only_an_approved_picture_is_published(mug, state):
    image = factories.image(mug, state=state)
    with pytest.raises(RequestRefused, match="is not approved. Approve it first."):
        publish(image)
    assert standing(mug) is None and record(mug) == []


def test_the_state_that_counts_is_the_one_in_the_database(mug):
    image = approved(mug)
    review.retire(image, actor=None)
    image.state = ImageState.APPROVED
    with pytest.raises(RequestRefused, match="is not approved"):
        publish(image)


def test_a_picture_that_is_retired_while_its_renditions_are_made_is_not_published(mug, monkeypatch):
    image = approved(mug)
    make = placements.renditions.make_renditions

    def slowly(of):
        review.retire(of, actor=None)
        return make(of)

    monkeypatch.setattr(placements.renditions, "make_renditions", slowly)
    with pytest.raises(RequestRefused, match="is not approved"):
        publish(image)
    assert standing(mug) is None


def test_every_objection_is_said_at_once_with_the_nearest_name(mug):
    image = factories.image(mug, kind=ImageKind.BACKDROP)
    with pytest.raises(RequestRefused) as refusal:
        publish(image, slot="heroo", locale="dee")
    said = refusal.value.objections
    assert len(said) == 4
    assert "without the product" in said[0] and "not approved" in said[1]
    assert said[2] == "The product has no slot 'heroo'. Did you mean 'hero'?"
    assert said[3] == "The site has no language 'dee'. Did you mean 'de'?"


def test_slots_languages_and_positions_are_places_of_their_own(mug):
    places = [
        {"slot": "hero"},
        {"slot": "gallery"},
        {"slot": "gallery", "position": 1},
        {"slot": "gallery", "locale": "de"},
    ]
    images = [approved(mug) for _ in places]
    for image, place in zip(images, places, strict=True):
        publish(image, **place)
    full = {"locale": "", "position": 0}
    assert [standing(mug, **{**full, **place}) for place in places] == images


def test_a_second_picture_takes_the_place_of_the_first(mug):
    first, second = approved(mug), approved(mug)
    before = publish(first)
    after = publish(second)
    assert (after.pk, after.image) == (before.pk, second)
    assert Placement.objects.count() == 1
    assert urlparse(after.picture_data["src"]).path == f"/media/{second.renditions.get().file.name}"
    assert record(mug) == [("publish", None, first.pk), ("publish", first.pk, second.pk)]


def test_publishing_the_same_picture_again_changes_nothing(mug, django_capture_on_commit_callbacks):
    first = factories.published(mug)
    second = factories.published(mug)
    before = Placement.objects.values().get()
    image = second.image
    with django_capture_on_commit_callbacks() as signals:
        for _n in range(3):
            again = placements.publish(image, slot="hero", actor=factories.staff())
    assert again == second and not signals
    assert Placement.objects.values().get() == before
    assert PlacementEvent.objects.count() == 2
    # Each roll-back undoes a change that people saw.
    restored = placements.roll_back(mug, slot="hero", actor=None)
    assert restored.image_id == first.image_id
    assert placements.roll_back(mug, slot="hero", actor=None) is None


def test_publishing_again_takes_up_new_renditions(mug):
    placement = factories.published(mug)
    Placement.objects.update(picture_data={**placement.picture_data, "src": "/old.jpg"})
    placements.publish(placement.image, slot="hero", actor=None)
    placement.refresh_from_db()
    assert placement.picture_data["src"] != "/old.jpg"
    assert PlacementEvent.objects.count() == 1


def test_who_did_it_is_kept(mug):
    editor = factories.staff()
    placement = placements.publish(approved(mug), slot="hero", actor=editor)
    assert placement.actor == PlacementEvent.objects.get().actor == editor


def test_rolling_back_goes_back_step_by_step_until_nothing_is_left(mug):
    first, second, third = (approved(mug) for _ in range(3))
    for image in (first, second, third):
        publish(image)
    assert roll_back(mug).image == second
    assert roll_back(mug).image == first
    assert roll_back(mug) is None and standing(mug) is None
    with pytest.raises(RequestRefused, match="no change of this place to undo"):
        roll_back(mug)


def test_after_a_roll_back_a_new_picture_is_undone_to_what_stood_there(mug):
    first, second, third = (approved(mug) for _ in range(3))
    publish(first)
    publish(second)
    roll_back(mug)
    publish(third)
    assert roll_back(mug).image == first
    assert roll_back(mug) is None


def test_what_is_delivered_goes_back_with_the_picture(mug):
    first, second = approved(mug), approved(mug)
    kept = publish(first).picture_data
    publish(second)
    assert roll_back(mug).picture_data == kept


def test_a_withdrawal_leaves_the_picture_approved_and_can_be_undone(mug):
    image = approved(mug)
    placements.withdraw(publish(image), actor=None)
    assert standing(mug) is None
    image.refresh_from_db()
    assert image.state == ImageState.APPROVED
    assert roll_back(mug).image == image
    assert record(mug) == [
        ("publish", None, image.pk),
        ("withdraw", image.pk, None),
        ("roll_back", None, image.pk),
    ]


def test_what_is_withdrawn_already_is_not_withdrawn_again(mug):
    placement = publish(approved(mug))
    other = Placement.objects.get()
    placements.withdraw(placement, actor=None)
    with pytest.raises(RequestRefused, match="Nothing is published there"):
        placements.withdraw(other, actor=None)


def test_a_retired_picture_does_not_come_back(mug):
    first, second = approved(mug), approved(mug)
    publish(first)
    publish(second)
    review.retire(first, actor=None)
    with pytest.raises(RequestRefused, match=f"Picture {first.pk} was there before"):
        roll_back(mug)
    assert standing(mug) == second


def test_rolling_back_one_place_leaves_the_others(mug):
    image = approved(mug)
    publish(image)
    publish(image, slot="social")
    roll_back(mug, slot="social")
    assert standing(mug) == image and standing(mug, slot="social") is None


def test_the_picture_that_is_replaced_is_locked_like_the_one_that_replaces_it(mug, monkeypatch):
    """The event refers to both. Someone who publishes the other way round in another slot waits, instead of
    each waiting for the other."""
    first, second = approved(mug), approved(mug)
    publish(first)
    locked, lock = [], places.lock_images

    def recorded(keys):
        locked.append(set(keys))
        return lock(locked[-1])

    monkeypatch.setattr(places, "lock_images", recorded)
    publish(second)
    roll_back(mug)
    assert locked == [{first.pk, second.pk}] * 2


def test_a_change_and_its_record_commit_together(mug, monkeypatch):
    first, second = approved(mug), approved(mug)
    publish(first)

    def broken(rows):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(PlacementEvent.objects, "bulk_create", broken)
    with pytest.raises(RuntimeError):
        publish(second)
    assert standing(mug) == first


def test_withdrawing_takes_away_what_was_seen_and_nothing_newer():
    about = factories.product(photo=False)
    seen = factories.published(about)
    newer = factories.image(about, state="approved")
    placements.publish(newer, slot="hero", actor=None)
    with pytest.raises(InvalidTransition, match="meanwhile"):
        placements.withdraw(seen, actor=None)
    assert Placement.objects.get().image == newer
