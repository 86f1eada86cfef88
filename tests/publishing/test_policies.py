"""What happens without a person when the text on a published picture is no longer true."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

import nb_catalog
from nb_catalog import copydecks, generation, publishing, review, storefront, worker
from nb_catalog.core import Money
from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    ImageJob,
    Placement,
    PlacementEvent,
    ProductImage,
    ProviderCall,
    Run,
    StaleScan,
    TextLayout,
)
from nb_catalog.publishing import placements, upkeep
from nb_catalog.tasks import work_a_while
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"RENDITION_WIDTHS": [320], "RENDITION_FORMATS": ["jpeg"], "LOCALES": ["en"]}
OLD, NEW = "24", "26"


@pytest.fixture
def shop(settings, monkeypatch):
    """``shop(policy)``: a mug whose price, its colour, is published in a slot with this policy."""
    settings.NB_CATALOG = {**settings.NB_CATALOG, **SMALL}
    monkeypatch.setattr(
        MugSource, "values", lambda self, mug, locale: {"price": Money(Decimal(mug.colour), "EUR")}
    )

    def shop(policy, *, photo=True):
        monkeypatch.setattr(MugSource, "slots", (nb_catalog.Slot("hero", stale=policy),))
        factories.layout()
        factories.deck(en={"headline": "Now {price}"})
        mug = factories.product(colour=OLD)
        factories.image(mug, size=(400, 500), state=ImageState.APPROVED)
        plan = generation.plan_texts([mug], layouts=["banner"], deck="autumn")
        run = generation.start_run(plan)
        worker.drain()
        image = run.jobs.get().images.get()
        review.approve(image, actor=None)
        placements.publish(image, slot="hero", actor=None)
        return mug

    return shop


def cost(mug, price):
    """The price changes as in an import: nobody is told."""
    Mug.objects.filter(pk=mug.pk).update(colour=price)


def picture(mug):
    return storefront.picture_for(Mug.objects.get(pk=mug.pk), "hero", locale="en")


def says(mug):
    """The text on the published picture, if any."""
    placement = Placement.objects.about(mug).first()
    return placement and placement.image.spec["renderer"]["texts"]["headline"]


def moves(mug):
    return list(PlacementEvent.objects.about(mug).values_list("move", flat=True))


def work():
    """A worker that runs until nothing is to be done."""
    call_command("nb_worker", once=True, verbosity=0)


def later():
    """Published texts are compared again: the last time is long ago."""
    StaleScan.objects.update(started_at=timezone.now() - timedelta(days=1))


def test_a_new_price_is_on_the_picture_without_a_person(shop):
    mug = shop("renew")
    before = picture(mug)
    cost(mug, NEW)
    work()
    assert says(mug) == "Now €26.00"
    after = picture(mug)
    assert after.src != before.src and "€26.00" in after.alt and "€24.00" not in after.alt
    image = ProductImage.objects.get(pk=after.image_id)
    assert image.state == ImageState.APPROVED and image.checks
    assert Placement.objects.get().stale_since is None
    event = PlacementEvent.objects.about(mug).latest("pk")
    assert (event.move, event.actor_id, event.image_before_id) == ("renew", None, before.image_id)
    decision = image.review_events.get()
    assert (decision.move, decision.actor_id) == ("approve", None)
    assert not ProviderCall.objects.exists(), "nothing was paid for"


def test_nothing_happens_while_the_text_is_true(shop):
    mug = shop("renew")
    jobs = ImageJob.objects.count()
    work()
    assert moves(mug) == ["publish"] and ImageJob.objects.count() == jobs


def test_a_kept_picture_is_only_reported(shop):
    mug = shop("keep")
    cost(mug, NEW)
    work()
    assert says(mug) == "Now €24.00"
    assert len(publishing.mark_stale([mug.__class__.objects.get()])) == 1
    assert says(mug) == "Now €24.00" and Placement.objects.get().stale_since


def test_a_withdrawn_picture_is_gone_and_its_history_says_why(shop):
    mug = shop("withdraw")
    cost(mug, NEW)
    work()
    assert says(mug) is None and picture(mug).image_id is None
    assert moves(mug) == ["publish", "withdraw_stale"]
    assert ProductImage.objects.filter(locale="en").get().state == ImageState.APPROVED


@pytest.mark.parametrize("policy", ["withdraw", "renew"])
def test_a_roll_back_brings_the_old_picture_back_and_it_stays(shop, policy):
    mug = shop(policy)
    cost(mug, NEW)
    work()
    person = factories.superuser()
    placements.roll_back(mug, slot="hero", actor=person)
    assert says(mug) == "Now €24.00"
    later()
    work()
    assert says(mug) == "Now €24.00" and moves(mug)[-1] == "roll_back"
    assert Placement.objects.get().stale_since, "but it is reported"


def test_a_price_that_comes_back_shows_the_old_picture_again_at_once(shop):
    mug = shop("renew")
    first = picture(mug).image_id
    cost(mug, NEW)
    work()
    cost(mug, OLD)
    assert publishing.mark_stale([Mug.objects.get()]) == []
    assert picture(mug).image_id == first
    assert moves(mug) == ["publish", "renew", "renew"]


def test_a_price_that_changes_again_meanwhile_is_never_shown(shop):
    mug = shop("renew")
    cost(mug, NEW)
    publishing.mark_stale([Mug.objects.get()])
    cost(mug, "28")
    worker.drain()
    upkeep.run_due()
    assert says(mug) == "Now €24.00", "€26.00 would be wrong too"
    work()
    assert says(mug) == "Now €28.00"


def test_saving_in_the_admin_renews_at_once_and_the_task_queue_publishes(shop, client):
    mug = shop("renew")
    client.force_login(factories.superuser())
    url = reverse("admin:testcatalog_mug_change", args=[mug.pk])
    client.post(url, {"name": mug.name, "colour": NEW})
    assert Run.objects.latest("pk").actor is None
    work_a_while.func()
    assert says(mug) == "Now €26.00"


def test_a_renewed_picture_that_a_person_rejected_is_not_published(shop):
    mug = shop("renew")
    cost(mug, NEW)
    publishing.mark_stale([Mug.objects.get()])
    worker.drain()
    review.reject(ProductImage.objects.filter(state=ImageState.PENDING).get(), actor=None)
    later()
    work()
    assert says(mug) == "Now €24.00"
    assert not ProductImage.objects.filter(state=ImageState.PENDING).exists()


def test_a_changed_layout_alone_waits_for_a_person(shop):
    mug = shop("renew")
    row = TextLayout.objects.get()
    row.content["boxes"][0]["colour"] = "#ffe0a0"
    row.save()
    later()
    work()
    assert moves(mug) == ["publish"] and Placement.objects.get().stale_since


def test_another_picture_published_meanwhile_is_not_replaced(shop):
    mug = shop("renew")
    stale = Placement.objects.select_related("image").get()
    image = factories.image(mug, state=ImageState.APPROVED)
    placements.publish(image, slot="hero", actor=None)
    with pytest.raises(nb_catalog.exceptions.InvalidTransition):
        placements.renew(stale, factories.image(mug))
    assert Placement.objects.get().image_id == image.pk


def test_a_text_that_cannot_be_made_today_leaves_the_picture_and_is_reported(shop, monkeypatch):
    mug = shop("renew")
    monkeypatch.setattr(MugSource, "values", lambda self, product, locale: {})
    monkeypatch.setattr(MugSource, "copy", lambda self, product, locale: {})
    copydecks.save_texts(factories.deck(), {("en", "headline"): ""})
    later()
    work()
    assert says(mug) == "Now €24.00" and Placement.objects.get().stale_since


def test_one_product_whose_texts_break_does_not_hold_up_the_others(shop, monkeypatch, caplog):
    mug = shop("renew")
    other = factories.product(colour="no price")
    image = Placement.objects.get().image
    copied = factories.image(
        other, state=ImageState.APPROVED, locale="en", asked=generation.plan.ImageSpec.from_dict(
            {**image.spec, "object_id": str(other.pk)}
        ),
    )  # fmt: skip
    placements.publish(copied, slot="hero", actor=None)
    cost(mug, NEW)
    work()
    assert says(mug) == "Now €26.00"
    assert "could not be compared" in caplog.text


def test_texts_are_compared_by_one_process_and_not_all_the_time(shop, settings):
    mug = shop("renew")
    upkeep.run_due()
    cost(mug, NEW)
    upkeep.run_due()
    assert Placement.objects.get().stale_since is None
    later()
    upkeep.run_due()
    assert Placement.objects.get().stale_since
