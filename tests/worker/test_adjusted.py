"""Pictures adjusted without a model, from the plan to the storage."""

from io import BytesIO

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image

from nb_catalog import generation, publishing, review, storage, worker
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import PlanRefused
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ProductImage
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)


def contents(image):
    return storage.read(image.file.name)


def pixels(image):
    with Image.open(BytesIO(contents(image))) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def rendered(mug=None, **options):
    """A picture of the local renderer, with its cut-out."""
    mug = mug or factories.product(photo=factories.photo_bytes((480, 600)))
    plan = generation.plan_backgrounds(
        [mug], scenes=[factories.scene()], ratio="1:1", tier="draft", **options
    )
    run = generation.start_run(plan)
    worker.drain()
    return ProductImage.objects.get(job__run=run)


def adjusted(image, *adjustments):
    run = generation.start_run(generation.plan_adjustments([image], adjustments))
    worker.drain()
    assert not run.jobs.exclude(state="succeeded").exists(), list(run.jobs.values_list("error"))
    return ProductImage.objects.get(job__run=run)


def refusal(image, *adjustments):
    [item] = generation.plan_adjustments([image], adjustments).items()
    assert item.status == "impossible"
    return item.problem


def failure(image, *adjustments):
    run = generation.start_run(generation.plan_adjustments([image], adjustments))
    worker.drain()
    job = run.jobs.get()
    assert job.state == "failed" and not ProductImage.objects.filter(job=job).exists()
    return job.error


def test_each_adjustment_is_a_picture_with_its_parent_and_its_list():
    image = rendered()
    items = ({"kind": "crop", "ratio": "4:5"}, {"kind": "resize", "width": 300})
    child = adjusted(image, *items)
    assert child.parent == image and child.state == "pending"
    assert (child.width, child.height) == (300, 375)
    assert [each["kind"] for each in child.spec["edit"]["adjustments"]] == ["crop", "resize"]
    assert (child.scene, child.object_id) == (image.scene, image.object_id)
    assert child.spec["ratio"] == "4:5" and child.spec["treatment"] == "locked"
    assert read_mark(contents(child)) == child.digital_source_type == image.digital_source_type
    assert child.provenance["provider"] == "editor" and not child.job.estimate_microusd


def test_the_same_list_is_the_same_picture_byte_for_byte():
    image = rendered()
    items = ({"kind": "straighten", "degrees": 1.0}, {"kind": "sharpen", "amount": 0.4})
    first = adjusted(image, *items)
    [again] = generation.plan_adjustments([image], items).items()
    assert again.status == "present" and again.fingerprint == first.fingerprint
    # Rejected, and asked for again: another picture of the same pixels.
    review.reject(first, actor=None)
    second = adjusted(image, *items)
    assert second.fingerprint != first.fingerprint and second.sha256 == first.sha256
    # Its file comes from the parent's bytes and the spec alone, whatever became of scene and photo.
    spec = ImageSpec.from_dict(
        {name: value for name, value in first.spec.items() if name != "photo_sent"}
    )
    assert spec.fingerprint == first.fingerprint
    other = adjusted(image, *reversed(items))
    assert other.sha256 != first.sha256 and other.fingerprint != first.fingerprint


def test_a_fingerprint_counts_the_parents_bytes_and_not_where_they_are():
    image = rendered()
    spec = ImageSpec.of_image(adjusted(image, {"kind": "crop", "ratio": "4:5"}).spec)
    elsewhere = ImageSpec.of_image({**spec.as_dict(), "edit": {**spec.edit, "file": "moved.jpg"}})
    other = ImageSpec.of_image({**spec.as_dict(), "edit": {**spec.edit, "parent": "0" * 64}})
    assert elsewhere.fingerprint == spec.fingerprint != other.fingerprint
    assert spec.request_hash != ImageSpec.of_image(image.spec).request_hash


def test_an_edit_makes_nothing_out_of_date_that_it_was_not_made_from():
    mug = factories.product(photo=factories.photo_bytes((480, 600)))
    image = rendered(mug)
    adjusted(image, {"kind": "crop", "ratio": "4:5"})
    review.approve(image, actor=None)
    plan = generation.plan_backgrounds([mug], scenes=["marble"], ratio="1:1")
    assert [item.status for item in plan.items()] == ["present"]


def test_the_whole_picture_brighter_makes_a_locked_product_relit_and_says_by_how_much():
    image = rendered()
    child = adjusted(image, {"kind": "exposure", "stops": 0.2})
    assert child.spec["treatment"] == "relit"
    assert 0 < child.checks["relit"]["median"] <= 6
    assert "most 6 are allowed" in failure(image, {"kind": "exposure", "stops": 1.5})
    # A second step counts on top of the first.
    twice = adjusted(child, {"kind": "exposure", "stops": 0.2})
    assert twice.checks["relit"]["median"] > 1.7 * child.checks["relit"]["median"]
    assert "most 6 are allowed" in failure(twice, {"kind": "exposure", "stops": 0.4})


def test_a_brighter_background_leaves_the_product_locked_to_the_pixel():
    image = rendered()
    child = adjusted(image, {"kind": "exposure", "stops": 0.8, "area": "background"})
    assert child.spec["treatment"] == "locked" and "relit" not in child.checks
    left, top, width, height = image.checks["product"]
    # Without its round corners.
    inside = np.s_[top + 50 : top + height - 50, left + 50 : left + width - 50]
    before, after = pixels(image), pixels(child)
    # Byte for byte before the file was encoded; a JPEG of quality 95 at full chroma moves it by a little.
    assert np.abs(after[inside] - before[inside]).max() <= 4
    assert (after[:40, :40] - before[:40, :40]).mean() > 4


def test_a_shop_that_allows_no_relit_pictures_keeps_its_products_locked(monkeypatch):
    image = rendered()
    monkeypatch.setattr(MugSource, "treatments", ("locked", "photo"))
    problem = refusal(image, {"kind": "exposure", "stops": 0.2})
    assert "does not allow" in problem and "background only" in problem
    adjusted(image, {"kind": "exposure", "stops": 0.2, "area": "background"})


def test_the_product_is_found_after_any_chain_of_adjustments():
    image = rendered()
    for item in (
        {"kind": "straighten", "degrees": 3},
        {"kind": "crop", "ratio": "4:5"},
        {"kind": "resize", "width": 320},
    ):
        image = adjusted(image, item)
    green = adjusted(image, {"kind": "background", "colour": "#00ff00"})
    seen = pixels(green)
    assert tuple(seen[2, 2]) == pytest.approx((0, 255, 0), abs=6)
    product = (np.abs(seen - (32, 84, 160)).max(axis=-1) < 30).mean()
    left, top, width, height = green.checks["product"]
    # A rounded rectangle that is turned a little in its box.
    assert 0.75 <= product * seen.shape[0] * seen.shape[1] / (width * height) <= 1
    assert green.digital_source_type == "algorithmicMedia"


def test_an_own_photo_gets_another_background_too():
    mug = factories.product(photo=factories.photo_bytes((400, 500)))
    factories.cutout(mug, state="accepted")
    for ratio in ("", "1:1"):
        run = generation.start_run(generation.plan_photos([mug], ratio=ratio))
        worker.drain()
        image = ProductImage.objects.get(job__run=run)
        child = adjusted(image, {"kind": "background", "colour": "#ff0000"})
        seen = pixels(child)
        assert tuple(seen[3, 3]) == (255, 0, 0)
        middle = seen[seen.shape[0] // 2, seen.shape[1] // 2]
        assert tuple(middle) == pytest.approx((32, 84, 160), abs=3)
        red = (seen == (255, 0, 0)).all(axis=-1).mean()
        wanted = 1 - 0.5 * 0.6 / (1 if ratio == "" else 0.8)
        assert red == pytest.approx(wanted, abs=0.02)
        assert child.spec["treatment"] == "photo" and child.spec["edit"]
        # The shop's photo is still the shop's photo.
        [item] = generation.plan_photos([mug], ratio=ratio).items()
        assert item.status == "present"


def test_a_picture_that_a_model_drew_is_compared_with_the_photo_again():
    mug = factories.product(photo=factories.photo_bytes((480, 600)))
    image = factories.image(
        mug,
        asked=factories.spec(mug, treatment="painted", photo=mug.packshot.name, prompt="A mug."),
        size=(300, 300),
        data=factories.photo_bytes((300, 300)),
    )
    child = adjusted(image, {"kind": "crop", "ratio": "4:5"})
    assert "fidelity" in child.checks and child.spec["prompt"] == ""
    assert child.spec["treatment"] == "painted"
    problem = refusal(ProductImage.objects.get(pk=image.pk), {"kind": "extend", "ratio": "16:9"})
    assert "Only a scene that the local renderer made" in problem


def test_words_move_along_when_an_edit_is_approved():
    mug = factories.product(photo=factories.photo_bytes((480, 600)), name="Mug")
    image = rendered(mug)
    review.approve(image, actor=None)
    factories.layout()
    deck = factories.deck(en={"headline": "New"}, de={"headline": "Neu"})
    plan = generation.plan_texts([mug], layouts=["banner"], locales=["en", "de"], deck=deck)
    run = generation.start_run(plan)
    worker.drain()
    assert run.jobs.filter(state="succeeded").count() == 2
    cropped = adjusted(image, {"kind": "crop", "ratio": "4:5"})
    edit = adjusted(cropped, {"kind": "resize", "width": 400})
    publishing.set_alt_texts(cropped, {"en": "A mug"}, actor=None)
    review.approve(edit, actor=None)
    assert [(each.locale, each.text) for each in edit.alts.all()] == [("en", "A mug")]
    worker.drain()
    moved = ProductImage.objects.filter(parent=edit, locale__gt="").order_by("locale")
    assert [each.locale for each in moved] == ["de", "en"]
    for each in moved:
        assert (each.width, each.height) == (edit.width, edit.height)
        assert each.spec["renderer"]["product"] == edit.checks["product"]
        assert each.spec["base"] == edit.sha256 and each.state == "pending"
    # Nothing twice, and an edit without words above it sets none.
    assert not any(generation.plan_moved_texts(edit).wanted())
    review.approve(cropped, actor=None)
    worker.drain()
    assert ProductImage.objects.filter(parent=cropped, locale__gt="").count() == 2
    with pytest.raises(PlanRefused, match="not an edit"):
        generation.plan_moved_texts(image)


def test_a_picture_with_typeset_text_points_to_the_one_below():
    mug = factories.product(photo=factories.photo_bytes((480, 600)), name="Mug")
    image = rendered(mug)
    factories.layout()
    generation.start_run(generation.plan_texts([mug], layouts=["banner"], locales=["en"]))
    worker.drain()
    text = ProductImage.objects.get(parent=image)
    problem = refusal(text, {"kind": "crop", "ratio": "4:5"})
    assert f"Edit the picture below it, {image.pk}" in problem


def test_bad_input_has_a_sentence():
    image = rendered()
    with pytest.raises(PlanRefused, match="0 changes nothing"):
        generation.plan_adjustments([image], [{"kind": "exposure", "stops": 0}])
    with pytest.raises(PlanRefused, match="extended first only"):
        generation.plan_adjustments(
            [image], [{"kind": "crop", "ratio": "1:1"}, {"kind": "extend", "ratio": "4:5"}]
        )
    assert "cut off" in failure(image, {"kind": "crop", "ratio": "3:1"})
    backdrop = factories.image(factories.product(), kind="backdrop")
    assert "not a finished picture" in refusal(backdrop, {"kind": "crop", "ratio": "1:1"})
    cropped = adjusted(image, {"kind": "crop", "ratio": "4:5"})
    assert "Only a scene" in refusal(cropped, {"kind": "extend", "ratio": "16:9"})
    storage.catalog_storage().delete(image.file.name)
    assert "no longer exists" in refusal(image, {"kind": "crop", "ratio": "4:5"})
    image.catalog_object.delete()
    image = ProductImage.objects.get(pk=image.pk)
    with pytest.raises(PlanRefused, match="product of one of the pictures no longer exists"):
        generation.plan_adjustments([image], [{"kind": "crop", "ratio": "4:5"}])


def test_a_picture_is_adjusted_whatever_became_of_its_photo():
    mug = factories.product(photo=factories.photo_bytes((480, 600)))
    image = rendered(mug)
    mug.packshot.save("another.png", ContentFile(factories.photo_bytes((300, 300))), save=True)
    assert adjusted(image, {"kind": "crop", "ratio": "4:5"}).parent == image
    assert "not known which pixels" in refusal(image, {"kind": "background", "colour": "#ffffff"})


def test_pictures_of_a_bundle_are_adjusted_without_their_parts():
    mugs = [factories.product(photo=factories.photo_bytes((480, 600))) for _ in range(2)]
    factories.scene("plain")
    plan = generation.plan_backgrounds(
        mugs[:1], scenes=["plain"], ratio="1:1", parts=mugs, tier="draft"
    )
    run = generation.start_run(plan)
    worker.drain()
    image = ProductImage.objects.get(job__run=run)
    mugs[1].delete()
    child = adjusted(image, {"kind": "resize", "width": 200})
    assert child.width == 200 and child.spec["parts"]
    assert "not known which pixels" in refusal(image, {"kind": "background", "colour": "#ffffff"})
