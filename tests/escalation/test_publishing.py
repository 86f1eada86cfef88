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


def cropped_with_text(image):
    """A published banner on a crop of a crop of ``image``."""
    for ratio, width in (("4:5", 300), ("1:1", 200)):
        items = [{"kind": "crop", "ratio": ratio}, {"kind": "resize", "width": width}]
        [image] = make(generation.plan_adjustments([image], items)).images
        review.approve(image, actor=None)
    [banner] = with_text(image, locales=("de",)).values()
    assert banner.parent == image and (banner.width, banner.height) == (200, 200)
    return banner


def test_text_above_an_adjusted_draft_follows_step_by_step(script):
    image = paid(state="approved", size=(400, 500))
    banner = cropped_with_text(image)
    final = final_row(image, size=(800, 1000))
    review.approve(final, actor=None)
    result = publishing.publish_final(final, actor=None)
    assert [each.slot for each in result.waiting] == ["social"]
    # Two crops, then the text: the place shows what it did until all of it is made.
    for _step in range(2):
        worker.drain()
        assert follow_finals() == 0 and shown("social", "de").image == banner
    worker.drain()
    assert follow_finals() == 1
    picture = shown("social", "de").image
    crop = picture.parent
    assert crop.parent.parent == final and (picture.width, picture.height) == (200, 200)
    assert picture.spec["renderer"]["texts"] == {"headline": "Now"}
    # What the text is on was approved with it, and is not left in the queue.
    assert {crop.state, crop.parent.state, picture.state} == {"approved"}
    assert ReviewEvent.objects.get(image=crop).actor is None
    assert publishing.mark_stale([image.catalog_object]) == []
    assert follow_finals() == 0 and shown("social", "de").next_base is None


def test_text_above_an_adjusted_final_s_draft_starts_at_the_draft(script):
    """A final of an adjusted picture has the adjustments already: they are not made again."""
    image = paid(state="approved", size=(400, 500))
    banner = cropped_with_text(image)
    final = final_row(banner.parent, size=(600, 600))
    review.approve(final, actor=None)
    publishing.publish_final(final, actor=None)
    worker.drain()
    assert follow_finals() == 1
    assert shown("social", "de").image.parent == final


def test_what_a_model_edited_stays_and_is_named(script):
    image = paid(state="approved", size=(400, 500))
    placements.publish(image, slot="hero", actor=None)
    asked = factories.spec(
        image.catalog_object, edit={"parent": image.sha256, "instruction": "Warmer light"}
    )
    edited = factories.image(image.catalog_object, asked=asked, parent=image, size=(400, 500))
    review.approve(edited, actor=None)
    placements.publish(edited, slot="gallery", actor=None)
    other = factories.published(image.catalog_object, slot="gallery", position=1).image
    result = publishing.publish_final(chosen(image), actor=None)
    assert [each.image for each in result.staying] == [edited]
    assert shown("hero").image.draft == image and not result.waiting
    assert {each.image for each in Placement.objects.filter(slot="gallery")} == {edited, other}
    Placement.objects.filter(slot="hero").delete()
    with pytest.raises(RequestRefused, match=r"only pictures that a model edited .*\(gallery\)"):
        publishing.publish_final(result.published[0].image, actor=None)


def test_steps_that_are_not_possible_on_the_final_keep_the_place(script, caplog):
    image = paid(state="approved", size=(400, 500))
    banner = cropped_with_text(image)
    final = final_row(image, size=(800, 1000))
    review.approve(final, actor=None)
    publishing.publish_final(final, actor=None)
    [job] = runs.Run.objects.filter(title__contains="text on finals").get().jobs.all()
    job.run.jobs.update(state="failed", live_key=None)
    assert follow_finals() == 0 and shown("social", "de").image == banner


def test_a_step_that_is_made_in_this_moment_is_not_published_without_its_text(script, monkeypatch):
    image = paid(state="approved", size=(400, 500))
    banner = cropped_with_text(image)
    final = final_row(image, size=(800, 1000))
    review.approve(final, actor=None)
    publishing.publish_final(final, actor=None)
    worker.drain()
    # Looked for before it was there, and made before it was looked for again.
    monkeypatch.setattr("nb_catalog.generation.final_texts.usable_picture", lambda spec: None)
    assert follow_finals() == 0 and shown("social", "de").image == banner
