"""Publishing a final: it replaces its draft in every place, and the text above follows."""

import pytest

from nb_catalog import generation, publishing, review, worker
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import Placement, PlacementEvent, ProductImage, ReviewEvent
from nb_catalog.publishing import placements, upkeep
from nb_catalog.publishing.finals import follow_finals
from tests import factories
from tests.escalation.conftest import final_row, make, paid

pytestmark = pytest.mark.django_db(transaction=True)


def chosen(image, *, tier="premium"):
    """An approved final of ``image``."""
    final = final_row(image, tier=tier, size=(400, 500))
    review.approve(final, actor=None)
    return final


def with_text(image, *, locales=("en", "de"), headline="Now"):
    """Published banners with text on ``image``, by locale."""
    factories.deck(**{locale: {"headline": headline} for locale in locales})
    plan = generation.plan_texts(
        [image.catalog_object], layouts=[factories.layout()], locales=locales, deck="autumn"
    )
    made = {each.locale: each for each in make(plan).images}
    for locale, each in made.items():
        review.approve(each, actor=None)
        placements.publish(each, slot="social", locale=locale, actor=None)
    return made


def shown(slot, locale=""):
    return Placement.objects.get(slot=slot, locale=locale)


def test_a_final_replaces_its_draft_in_all_its_places(script):
    image = paid(state="approved", size=(200, 250))
    for slot, position in (("hero", 0), ("gallery", 2)):
        placements.publish(image, slot=slot, position=position, actor=None)
    other = factories.published(slot="hero")
    final = chosen(image)
    user = factories.staff()
    result = publishing.publish_final(final, actor=user)
    assert {(each.slot, each.position) for each in result.published} == {
        ("hero", 0),
        ("gallery", 2),
    }
    assert {each.image for each in Placement.objects.about(image.catalog_object)} == {final}
    assert Placement.objects.get(pk=other.pk).image == other.image
    event = PlacementEvent.objects.filter(slot="hero", image_after=final).get()
    assert (event.image_before, event.actor, event.move) == (image, user, "publish")
    placements.roll_back(image.catalog_object, slot="hero", actor=None)
    assert Placement.objects.about(image.catalog_object).get(slot="hero").image == image


def test_it_replaces_an_earlier_final_and_a_draft_further_back_too(script):
    image = paid(state="approved", size=(200, 250))
    placements.publish(image, slot="hero", actor=None)
    middle = chosen(image, tier="standard")
    placements.publish(middle, slot="gallery", actor=None)
    best = chosen(middle)
    publishing.publish_final(best, actor=None)
    assert {each.image for each in Placement.objects.all()} == {best}


def test_text_above_the_draft_is_set_on_the_final_and_follows_by_itself(script):
    image = paid(state="approved", size=(200, 250))
    placements.publish(image, slot="hero", actor=None)
    made = with_text(image)
    publishing.set_alt_texts(made["de"], {"de": "Ein Becher, jetzt"}, actor=None)
    final = chosen(image)
    result = publishing.publish_final(final, actor=None)
    # The places show what they did until the text is set.
    assert {each.locale for each in result.waiting} == {"en", "de"}
    assert shown("social", "de").image == made["de"] and shown("hero").image == final
    worker.drain()
    assert follow_finals() == 2
    for locale in ("en", "de"):
        placement = shown("social", locale)
        assert placement.image.parent == final and placement.next_base is None
        assert placement.image.spec["renderer"]["texts"] == {"headline": "Now"}
        assert (placement.image.width, placement.image.height) == (final.width, final.height)
        assert publishing.mark_stale([image.catalog_object]) == []
    assert shown("social", "de").image.alts.get().text == "Ein Becher, jetzt"
    event = ReviewEvent.objects.get(image=shown("social", "de").image)
    assert event.actor is None and f"on picture {final.pk} now" in event.note
    assert PlacementEvent.objects.filter(move="follow_final").count() == 2
    assert follow_finals() == 0


def test_the_upkeep_of_a_worker_lets_the_text_follow(script):
    image = paid(state="approved", size=(200, 250))
    with_text(image, locales=("en",))
    publishing.publish_final(chosen(image), actor=None)
    worker.drain()
    upkeep.run_due()
    assert shown("social", "en").next_base is None
    assert shown("social", "en").image.parent.draft == image


def test_text_that_was_changed_meanwhile_is_set_as_it_is_today(script):
    image = paid(state="approved", size=(200, 250))
    with_text(image, locales=("en",))
    final = chosen(image)
    factories.deck(en={"headline": "Tomorrow"})
    publishing.publish_final(final, actor=None)
    worker.drain()
    follow_finals()
    assert shown("social", "en").image.spec["renderer"]["texts"] == {"headline": "Tomorrow"}


def test_another_picture_that_somebody_publishes_meanwhile_stays(script):
    image = paid(state="approved", size=(200, 250))
    with_text(image, locales=("en",))
    publishing.publish_final(chosen(image), actor=None)
    other = factories.published(image.catalog_object, slot="social", locale="en").image
    worker.drain()
    assert follow_finals() == 0 and shown("social", "en").image == other


def test_failing_text_keeps_the_place_as_it_is_and_is_requested_once_a_day(script):
    image = paid(state="approved", size=(200, 250))
    made = with_text(image, locales=("en",))
    final = chosen(image)
    publishing.publish_final(final, actor=None)
    [run] = runs.Run.objects.filter(title__contains="text on finals")
    run.jobs.update(state="failed", live_key=None)
    assert follow_finals() == 0 and shown("social", "en").image == made["en"]
    assert runs.Run.objects.filter(title__contains="text on finals").count() == 1


@pytest.mark.parametrize("state", ["pending", "rejected", "retired"])
def test_only_an_approved_final_is_published(script, state):
    image = paid(state="approved", size=(200, 250))
    placements.publish(image, slot="hero", actor=None)
    with_text(image, locales=("en",))
    final = chosen(image)
    ProductImage.objects.filter(pk=final.pk).update(state=state)
    final.refresh_from_db()
    with pytest.raises(RequestRefused, match="is not approved"):
        publishing.publish_final(final, actor=None)
    Placement.objects.filter(slot="hero").delete()
    with pytest.raises(RequestRefused, match="is not approved"):
        publishing.publish_final(final, actor=None)
    assert shown("social", "en").next_base is None


def test_a_picture_that_is_no_final_or_whose_draft_is_nowhere_is_refused(script):
    image = paid(state="approved", size=(200, 250))
    with pytest.raises(RequestRefused, match="is not the final of a draft"):
        publishing.publish_final(image, actor=None)
    with pytest.raises(RequestRefused, match="Choose a slot"):
        publishing.publish_final(chosen(image), actor=None)


def test_a_crop_of_the_draft_is_made_of_the_final_and_follows(script):
    image = paid(state="approved", size=(400, 500))
    [cropped] = make(
        generation.plan_adjustments([image], [{"kind": "crop", "ratio": "1:1"}])
    ).images
    review.approve(cropped, actor=None)
    placements.publish(cropped, slot="gallery", actor=None)
    final = final_row(image, size=(800, 1000))
    review.approve(final, actor=None)
    result = publishing.publish_final(final, actor=None)
    assert [each.slot for each in result.waiting] == ["gallery"] and not result.published
    worker.drain()
    assert follow_finals() == 1
    picture = shown("gallery").image
    assert (picture.parent, picture.width, picture.height) == (final, 800, 800)
