"""Finals as workers make them: what the model is sent, and what is recorded beside the picture."""

from hashlib import sha256

import pytest

from nb_catalog import generation, review, storage, worker
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import ProviderError, RequestRefused
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.models.db.money import micros
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import placements
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.worker.batches import schedule
from tests import factories
from tests.escalation.conftest import draft, finals_of, make
from tests.factories import OUR_RULES
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

SMALL, LARGE = (1024, 1024), (2048, 2048)


def final(image, *, tier="best", **options):
    made = make(generation.plan_escalation([image], tier=tier, candidates=1, **options))
    assert {(job.state, job.error) for job in made.run.jobs.all()} == {("succeeded", "")}
    [picture] = made.images
    return picture


def test_a_painted_final_is_made_of_the_photo_and_the_draft(script):
    script.add(factories.photo_bytes(SMALL), factories.photo_bytes(LARGE))
    image = draft()
    made = final(image)
    request = script.requests[-1]
    assert [each.role for each in request.references] == ["product", "draft"]
    assert request.references[1].data == storage.read(image.file.name)
    assert (made.parent, made.draft, made.tier, made.state) == (image, image, "best", "pending")
    assert made.request_hash == image.request_hash and made.fingerprint != image.fingerprint
    assert made.checks["composition"] == {
        "score": 0.0, "worst": "light", "draft": image.pk,
        "parts": pytest.approx({"light": 0.0, "edges": 0.0, "place": 0.0}, abs=0.1),
    } or made.checks["composition"]["score"] < 0.3  # fmt: skip
    assert "size" not in made.checks and not review.needs_individual_review(made)


def test_the_price_of_draft_and_final_is_recorded_as_it_was_billed(script):
    image = draft()
    made = final(image)
    before, after = ProviderCall.objects.order_by("pk").values_list("cost_microusd", flat=True)
    assert 0 < before < after and made.checks["final"] == {
        "draft": image.pk, "draft_microusd": before, "final_microusd": after,
        "difference_microusd": after - before,
    }  # fmt: skip
    assert money_is_sound() == before + after


def test_a_price_that_nobody_reported_is_not_known(script):
    image = draft()
    script.usage = {}
    check = final(image).checks["final"]
    assert check["draft_microusd"] > 0
    assert (check["final_microusd"], check["difference_microusd"]) == (None, None)


def test_a_locked_final_has_the_product_where_the_draft_has_it(script):
    image = draft(treatment="locked")
    # As if it had been elsewhere: what is measured is the final, not what the composer would do anyway.
    left, top, width, height = image.checks["product"]
    moved = [left + 100, top - 60, width * 3 // 4, height * 3 // 4]
    ProductImage.objects.filter(pk=image.pk).update(checks={**image.checks, "product": moved})
    made = final(image)
    assert [each.role for each in script.requests[-1].references] == ["draft"]
    assert script.requests[-1].references[0].data == storage.read(image.parent.file.name)
    assert made.checks["product"] == pytest.approx([2 * side for side in moved], abs=3)
    assert made.parent.kind == ImageKind.BACKDROP and made.parent.parent == image
    assert (made.draft, made.parent.draft) == (image, None)


def test_what_the_renderer_drafted_is_painted_around_the_same_place(script):
    image = draft(tier="sketch", treatment="locked")
    made = final(image, tier="draft")
    assert [each.role for each in script.requests[-1].references] == ["draft"]
    assert made.checks["product"] == pytest.approx(image.checks["product"], abs=2)
    assert made.checks["final"]["draft_microusd"] == 0
    assert made.digital_source_type == "compositeWithTrainedAlgorithmicMedia"


def test_a_larger_render_is_rendered_anew_and_not_enlarged(script):
    product = factories.product(photo=factories.photo_bytes((2400, 3000)))
    image = draft(product, tier="sketch", treatment="locked")
    made = final(image, tier="large")
    assert (made.width, made.height) == (2 * image.width, 2 * image.height)
    plan = generation.plan_backgrounds(
        [product], scenes=["marble"], tier="large", treatment="locked"
    )
    [rendered] = make(plan).images
    # To the byte what is rendered at that size without a draft.
    assert made.sha256 == rendered.sha256
    assert made.checks["composition"]["score"] < 0.5 and script.count == 0
    assert made.checks["final"]["difference_microusd"] == 0


def test_another_composition_is_flagged_and_needs_a_person(script):
    script.add(factories.photo_bytes(SMALL, colour="black"))
    image = draft()
    aside = factories.photo_bytes(LARGE, ground="black", colour="white")
    script.add(aside)
    made = final(image)
    assert made.checks["composition"]["score"] > 1
    with pytest.raises(RequestRefused, match="differs from that of its draft. Bright and dark"):
        review.require_individual_review(made)
    assert review.approve_all([made], actor=None).decided == 0
    review.approve(made, actor=None)


@pytest.mark.parametrize("size", [(1024, 1024), (2048, 1536)])
def test_a_final_of_another_size_than_was_asked_for_is_flagged(script, size):
    image = draft()
    script.add(factories.photo_bytes(size))
    made = final(image)
    assert made.checks["size"] == {"requested": [2048, 2048], "actual": list(size)}
    with pytest.raises(RequestRefused, match="pixels instead of 2048 × 2048"):
        review.require_individual_review(made)


def test_a_final_that_fails_leaves_the_published_draft_where_it_is(script):
    image = draft()
    placement = placements.publish(image, slot="hero", actor=None)
    script.add(ProviderError("No."))
    run = review.escalate(image, candidates=1, actor=None)
    worker.drain()
    assert run.jobs.get().state == "failed" and finals_of(image) == []
    placement.refresh_from_db()
    image.refresh_from_db()
    assert placement.image == image and image.state == ImageState.APPROVED
    # And may be made final again.
    assert review.escalate(image, candidates=1, actor=None).jobs.count() == 1


def test_finals_come_in_batches_at_half_the_price(script, settings, monkeypatch):
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(schedule, "GRACE", 0.0)
    image = draft()
    with GeminiServer(**OUR_RULES, keys={"key"}) as server:
        gemini = {
            "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
            "OPTIONS": {"api_key": "key", "base_url": server.url},
        }
        ours = settings.NB_CATALOG
        settings.NB_CATALOG = {
            **ours,
            "PROVIDERS": {**ours["PROVIDERS"], "gemini": gemini},
            "TIERS": {**ours["TIERS"], "batched": {
                "PROVIDER": "gemini", "MODEL": "gemini-3-pro-image", "SIZE": "1K"}},
        }  # fmt: skip
        direct = generation.plan_escalation([image], tier="batched")
        plan = generation.plan_escalation([image], tier="batched", mode="batch")
        assert 2 * micros(plan.price_each_usd) == micros(direct.price_each_usd)
        run = make(plan).run
        for _ in range(10):
            worker.drain()
        sent = {entry.prompt for entry in server.request_log.for_operation("batch item")}
    finals = finals_of(image)
    # A batch comes back in any order.
    assert sorted(each.spec["candidate"] for each in finals) == [1, 2]
    assert {sha256(each.spec["prompt"].encode()).hexdigest() for each in finals} == sent
    assert {each.checks["final"]["draft"] for each in finals} == {image.pk}
    run.refresh_from_db()
    assert 0 < run.spent_usd <= 2 * plan.price_each_usd
