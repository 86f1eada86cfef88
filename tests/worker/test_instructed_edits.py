"""Edits in words: asked of a model, merged with the picture before, compared, and kept as a chain."""

from decimal import Decimal
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from nb_catalog import generation, review, storage, worker
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NoPicture, PlanRefused
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.imaging.pictures import saved
from tests.imaging.test_fidelity import PHOTO
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

PART = {"object_type": "testcatalog.mug", "object_id": "1", "photo": "a.png"}
TIERS = {
    "draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
    "standard": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "2K"},
    "local": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
}


@pytest.fixture(autouse=True)
def script(settings, monkeypatch):
    monkeypatch.setattr("nb_catalog.worker.outcomes.SHORTEST_WAIT", 0.0)
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": TIERS,
    }
    return script


@pytest.fixture
def mug():
    return factories.product(photo=PHOTO, name="Bottle", colour="green")


@pytest.fixture
def image(mug):
    """A locked picture of the local renderer."""
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()], ratio="1:1", tier="local")
    run = generation.start_run(plan)
    worker.drain()
    return ProductImage.objects.get(job__run=run)


def opened(data):
    with Image.open(BytesIO(data)) as picture:
        return picture.convert("RGB")


def pixels(image):
    return np.asarray(opened(storage.read(image.file.name)))


def redrawn(change):
    """What a model makes of the picture that it is given, as a JPEG at 1K."""

    def step(request):
        picture = opened(request.references[0].data).resize((1024, 1024))
        return saved(change(picture), "JPEG", quality=92)

    return step


def brighter(picture):
    return ImageEnhance.Brightness(picture).enhance(1.08)


def with_a_patch(picture):
    picture = brighter(picture)
    ImageDraw.Draw(picture).rectangle((0, 0, 1023, 300), fill=(200, 40, 40))
    return picture


def mask_for(image, box):
    """White in ``box``, in shares of the picture."""
    mask = Image.new("L", (image.width, image.height), 0)
    left, top, right, bottom = box
    ImageDraw.Draw(mask).rectangle(
        (left * image.width, top * image.height, right * image.width, bottom * image.height),
        fill=255,
    )
    return saved(mask)


def edited(image, instruction, script=None, step=None, **options):
    if step is not None:
        script.add(redrawn(step))
    run = generation.start_run(generation.plan_edit(image, instruction, **options))
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return ProductImage.objects.get(job__run=run, kind="picture")


def test_the_photo_travels_with_the_picture_and_words_say_which_is_which(image, mug, script):
    child = edited(image, "  Warmer\nlight ", script, brighter)
    request = script.requests[-1]
    assert [each.role for each in request.references] == ["parent", "product"]
    assert np.array_equal(np.asarray(opened(request.references[0].data)), pixels(image)), (
        "the picture first"
    )
    assert opened(request.references[1].data).size == opened(PHOTO).size, "then the photo"
    for words in ("first image is a product photograph", "second image is the shop's own photo"):
        assert words in request.prompt
    assert "Warmer light." in request.prompt and "“Bottle”" in request.prompt
    assert "mask" not in request.prompt
    assert child.parent == image and child.state == "pending"
    assert child.spec["edit"]["instruction"] == "Warmer light"
    assert child.spec["treatment"] == "painted", "a model has drawn all of it"
    assert read_mark(storage.read(child.file.name)) in (None, "trainedAlgorithmicMedia")
    assert child.digital_source_type == "trainedAlgorithmicMedia"
    assert (child.width, child.height) == (1024, 1024)
    assert money_is_sound() > 0 and ProviderCall.objects.count() == 1


def test_an_edit_is_compared_with_the_photo_and_with_the_picture_before(image, script):
    child = edited(image, "A little brighter", script, brighter)
    assert child.checks["fidelity"]["score"] >= 0.5
    edit = child.checks["edit"]
    assert edit["fidelity"]["score"] >= 0.5
    assert edit["drift"]["score"] > 0
    # The product is where it was, found by looking.
    scale = 1024 / image.width
    for ours, theirs in zip(child.checks["product"], image.checks["product"], strict=True):
        assert ours == pytest.approx(theirs * scale, abs=16)
    grey = edited(
        image, "Another product", script, lambda picture: Image.new("RGB", picture.size, "#888888")
    )
    assert grey.checks["fidelity"]["score"] < 0.5 and "product" not in grey.checks
    assert review.needs_individual_review(grey)


def test_outside_of_a_mask_the_picture_is_the_parents_to_the_last_bit(image, script):
    mask = mask_for(image, (0, 0, 1, 0.04))
    child = edited(image, "Red ceiling", script, with_a_patch, mask=mask)
    request = script.requests[-1]
    assert [each.role for each in request.references] == ["parent", "product", "area"]
    assert "third image is a mask" in request.prompt
    assert opened(request.references[2].data).size == opened(request.references[0].data).size
    before, after = pixels(image), pixels(child)
    assert before.shape == after.shape
    band = round(0.04 * image.height) + 1 + max(3, round(0.012 * max(image.width, image.height)))
    assert np.array_equal(after[band:], before[band:])
    assert (after[: band - 20, :, 0].astype(int) - after[: band - 20, :, 1] > 100).mean() > 0.5
    # The model's answer is paid for and kept, beside the picture rather than between the two.
    answer = ProductImage.objects.get(job=child.job, kind="unmerged")
    assert answer.parent == child.parent == image
    assert opened(storage.read(answer.file.name)).size == (1024, 1024)
    # It has the size of the picture before, not that of the tier.
    run = generation.start_run(
        generation.plan_adjustments([image], [{"kind": "resize", "width": 500}])
    )
    worker.drain()
    small = ProductImage.objects.get(job__run=run)
    again = edited(small, "Red", script, with_a_patch, mask=mask_for(small, (0, 0, 1, 0.04)))
    assert (again.width, again.height) == (500, 500) and "size" not in again.checks


def test_a_mask_beside_the_product_leaves_it_locked(image, script):
    child = edited(
        image, "Red ceiling", script, with_a_patch, mask=mask_for(image, (0, 0, 1, 0.03))
    )
    assert child.spec["treatment"] == "locked"
    assert "fidelity" not in child.checks and "relit" not in child.checks
    assert child.checks["product"] == image.checks["product"]
    assert child.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
    assert read_mark(storage.read(child.file.name)) == "compositeWithTrainedAlgorithmicMedia"
    # What is known of its pixels is still known: it can have another background.
    run = generation.start_run(
        generation.plan_adjustments([child], [{"kind": "background", "colour": "#0000ff"}])
    )
    worker.drain()
    blue = ProductImage.objects.get(job__run=run)
    assert blue.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
    over = edited(image, "Red cap", script, with_a_patch, mask=mask_for(image, (0.4, 0, 0.6, 0.5)))
    assert over.spec["treatment"] == "painted" and "fidelity" in over.checks
    assert over.digital_source_type == "trainedAlgorithmicMedia"


def test_a_shop_that_forbids_painted_products_allows_masks_beside_them(image, script, monkeypatch):
    monkeypatch.setattr(MugSource, "treatments", ("locked", "relit", "photo"))
    [item] = generation.plan_edit(image, "Warmer light").items()
    assert item.status == "impossible"
    assert "does not allow" in item.problem and "mask that leaves the product out" in item.problem
    edited(image, "Red ceiling", script, with_a_patch, mask=mask_for(image, (0, 0, 1, 0.03)))


def test_the_price_is_known_before_and_counts_what_is_sent(image):
    plain = generation.plan_edit(image, "Warmer light").summary()
    masked = generation.plan_edit(
        image, "Warmer light", mask=mask_for(image, (0, 0, 1, 0.1))
    ).summary()
    assert Decimal(0) < plain.price_usd < masked.price_usd
    several = generation.plan_edit(image, "Warmer light", candidates=3).summary()
    assert several.wanted == 3 and several.price_usd == 3 * plain.price_usd
    batch = generation.plan_edit(image, "Warmer light", tier="draft")
    assert not batch.in_batch and not ProviderCall.objects.exists()


def test_the_same_edit_is_not_paid_for_twice(image, script):
    child = edited(image, "Warmer light", script, brighter)
    [item] = generation.plan_edit(image, "warmer light").items()
    assert item.status == "missing", "other words"
    [item] = generation.plan_edit(image, "Warmer  light").items()
    assert (item.status, item.fingerprint) == ("present", child.fingerprint)
    review.reject(child, actor=None)
    [again] = generation.plan_edit(image, "Warmer light").items()
    assert again.is_wanted and again.fingerprint != child.fingerprint


def test_a_budget_stops_an_edit_before_it_costs(image, script):
    plan = generation.plan_edit(image, "Warmer light")
    run = generation.start_run(plan, budget_usd=Decimal("0.0001"))
    worker.drain()
    run.refresh_from_db()
    assert run.paused_reason and not script.requests


def test_a_call_that_fails_is_tried_again_like_every_other(image, script):
    script.add(NoPicture("No picture this time.", reason="NO_IMAGE"))
    script.add(redrawn(brighter))
    run = generation.start_run(generation.plan_edit(image, "Warmer light"))
    # The second slice takes up what waits.
    for _ in range(2):
        worker.drain()
    child = ProductImage.objects.get(job__run=run)
    assert child.parent == image and ProviderCall.objects.count() == 2 and money_is_sound() > 0


def test_an_answer_that_cannot_be_merged_is_kept_and_the_job_fails(image, script):
    script.add(saved(Image.new("RGB", (1376, 768), "red")))
    mask = mask_for(image, (0, 0, 1, 0.05))
    run = generation.start_run(generation.plan_edit(image, "Red ceiling", mask=mask))
    worker.drain()
    job = run.jobs.get()
    assert job.state == "failed" and "another ratio" in job.error
    kept = ProductImage.objects.get(job=job)
    assert kept.kind == "unmerged" and kept.parent == image and money_is_sound() > 0


@pytest.mark.matrix
@pytest.mark.long
def test_a_conversation_of_thirty_steps_with_a_branch(image, script):
    steps = [image]
    for number in range(30):
        steps.append(edited(steps[-1], f"Step {number}", script, lambda picture: picture))
    last = script.requests[-1]
    # The photo is there again, and the last steps are told; the prompt does not grow.
    assert len(last.references) == 2
    assert "Step 24; Step 25; Step 26; Step 27; Step 28." in last.prompt
    assert "Step 23" not in last.prompt and "Step 29." in last.prompt
    branch = edited(steps[3], "Another way", script, brighter)
    assert branch.parent == steps[3] and "Step 0; Step 1; Step 2." in script.requests[-1].prompt
    review.reject(branch, actor=None)
    assert ProductImage.objects.filter(parent=steps[3], kind="picture").count() == 2
    assert len({each.fingerprint for each in steps}) == 31
    # No detail is lost by repeating: each answer is the parent's, encoded once.
    assert np.abs(pixels(steps[30]).astype(int) - pixels(steps[1])).mean() < 3


def test_painted_text_is_read_again_after_an_edit(image, mug, script, monkeypatch):
    factories.layout()
    text = factories.image(
        mug,
        asked=factories.spec(
            mug, treatment="painted", photo=mug.packshot.name, prompt="Write.", base="b" * 64,
            layout="banner", locale="en", ratio="1:1",
            renderer={"layout": factories.layout().content, "texts": {"headline": "New"}, "locale": "en"},
        ),
        size=(300, 300), locale="en",
    )  # fmt: skip
    child = edited(text, "Warmer light", script, brighter)
    assert "ocr" in child.checks and child.locale == "en" and child.parent == text


def test_bad_input_has_a_sentence(image, mug, script):
    for options, message in (
        ({"instruction": ""}, "Say what is to change"),
        ({"instruction": " \u200b\n"}, "Say what is to change"),
        ({"instruction": "x" * 10_000}, "10,000 characters; at most 1,000"),
        ({"instruction": "x", "tier": "locl"}, "no tier 'locl'.*local"),
        ({"instruction": "x", "tier": "local"}, "does not understand words"),
        ({"instruction": "x", "mask": b"x"}, "not a picture"),
        (
            {"instruction": "x", "mask": saved(Image.new("L", (9, 9)))},
            "9 × 9 pixels and the picture",
        ),
        ({"instruction": "x", "mask": mask_for(image, (2, 2, 3, 3))}, "mask is empty"),
        ({"instruction": "x", "mask": mask_for(image, (0, 0, 1, 1))}, "covers the whole picture"),
        ({"instruction": "x", "candidates": 5}, "1 to 4 candidates"),
        ({"instruction": "x", "mode": "batsh"}, "batsh"),
        ({"instruction": "x", "mode": "batch"}, "batch"),
    ):
        with pytest.raises(PlanRefused, match=message):
            generation.plan_edit(image, **options)
    wide = factories.image(
        mug, size=(300, 180), data=saved(Image.new("RGB", (300, 180), "#777777")),
        asked=factories.spec(mug, photo=mug.packshot.name),
    )  # fmt: skip
    with pytest.raises(PlanRefused, match="no ratio close to 300 × 180.*16:9"):
        generation.plan_edit(wide, "x")
    bundle = factories.image(mug, asked=factories.spec(mug, ratio="1:1", parts=[PART] * 2))
    with pytest.raises(
        PlanRefused, match="several products can be edited in words beside them only"
    ):
        generation.plan_edit(bundle, "x")
    other = factories.image(mug, asked=factories.spec(mug), size=(400, 400))
    [item] = generation.plan_edit(other, "x").items()
    assert "no longer has the photo" in item.problem
    storage.catalog_storage().delete(image.file.name)
    [item] = generation.plan_edit(image, "x").items()
    assert item.status == "impossible" and "no longer exists" in item.problem
    assert not script.requests


def test_the_exact_request_can_be_seen_before_it_is_sent(image, script):
    plan = generation.plan_edit(image, "Warmer light", mask=mask_for(image, (0, 0, 1, 0.1)))
    [preview] = generation.preview_requests(plan)
    assert "Warmer light." in preview.prompt and not preview.problem
    assert not script.requests


def test_an_edit_of_a_final_is_no_draft_of_it(image, script):
    ProductImage.objects.filter(pk=image.pk).update(
        spec={**image.spec, "draft": "d" * 64, "draft_request": "r" * 64, "candidate": 2}
    )
    image.refresh_from_db()
    spec = next(iter(generation.plan_edit(image, "Warmer light").items())).spec
    assert isinstance(spec, ImageSpec) and (spec.draft, spec.candidate) == ("", 0)
    assert spec.request_hash != "r" * 64
