"""Bundles through the worker: every part's photo and mask arrive, by the local provider and by a model."""

import pytest

from nb_catalog import generation, review, worker
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import runs
from nb_catalog.imaging.fidelity import fidelity_in
from nb_catalog.models import ImageJob, PhotoCutout, ProductImage
from nb_catalog.providers import local
from nb_catalog.registry import read_photo, source_for
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def parts():
    return [
        factories.product(photo=factories.photo_bytes(colour=colour), name=name)
        for name, colour in (
            ("Red", (180, 30, 40)),
            ("Green", (30, 120, 60)),
            ("Blue", (32, 84, 160)),
        )
    ]


def start(parts, **options):
    options = {"scenes": [factories.scene()], "ratio": "1:1", **options}
    plan = generation.plan_backgrounds([parts[0]], parts=parts, **options)
    return runs.start_run(plan)


def photo_of(product):
    return source_for(product).photos(product)[0]


def test_a_bundle_is_rendered_with_each_part_cut_out_once(parts):
    start(parts)
    worker.drain()
    image = ProductImage.objects.get()
    assert (image.object_id, image.checks["cutout"]["method"]) == (str(parts[0].pk), "classical")
    boxes = [each["box"] for each in image.checks["parts"]]
    assert len(boxes) == 3
    left, top, wide, tall = image.checks["product"]
    assert left == min(box[0] for box in boxes) and top == min(box[1] for box in boxes)
    assert left + wide == max(box[0] + box[2] for box in boxes)
    assert top + tall == max(box[1] + box[3] for box in boxes)
    assert PhotoCutout.objects.count() == 3
    assert [part["object_id"] for part in image.spec["parts"]] == [str(each.pk) for each in parts]


def test_a_relit_bundle_is_rendered_and_tells_how_far_it_was_changed(parts):
    start(parts, treatment="relit")
    worker.drain()
    assert ImageJob.objects.get().state == "succeeded", ImageJob.objects.get().error
    checks = ProductImage.objects.get().checks
    each = [part["relit"] for part in checks["parts"]]
    assert len(each) == 3
    assert checks["relit"]["p95"] == max(shift["p95"] for shift in each) > 0


def test_each_part_gets_its_own_mask(parts, monkeypatch):
    for each in parts:
        factories.cutout(each)
    seen = []
    render = local.render_bundle

    def watched(files, recipe, **options):
        seen.extend(files)
        return render(files, recipe, **options)

    monkeypatch.setattr(local, "render_bundle", watched)
    start(parts)
    worker.drain()
    assert ImageJob.objects.get().state == "succeeded", ImageJob.objects.get().error
    assert [each.mask is not None and each.refine for each in seen] == [True] * 3
    assert [each.photo for each in seen] == [read_photo(photo_of(each)) for each in parts]


def test_a_part_that_cannot_be_cut_out_fails_its_picture_and_is_named(parts):
    plain = factories.product(photo=factories.photo_bytes(colour="white", ground="white"))
    start([*parts, plain])
    worker.drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "cutout_refused")
    assert plain.packshot.name in job.error and "What would work" in job.error


def test_a_part_that_is_deleted_meanwhile_fails_its_picture(parts):
    start(parts)
    parts[1].delete()
    worker.drain()
    job = ImageJob.objects.get()
    assert job.state == "failed" and "deleted" in job.error


def test_a_model_paints_a_bundle_from_its_photos_in_order(script, parts):
    start(parts, treatment="painted")
    worker.drain()
    assert ImageJob.objects.get().state == "succeeded", ImageJob.objects.get().error
    (request,) = script.requests
    assert len(request.references) == 3
    assert [each.role for each in request.references] == ["product"] * 3
    first, second, third = (request.prompt.index(f"“{each.name}”") for each in parts)
    assert first < second < third
    # None of them is compared: the first one's photo shows nothing of the others.
    image = ProductImage.objects.get()
    assert fidelity_in(image.checks).left_out == ("bundle",)
    assert not review.needs_individual_review(image)


def test_a_model_paints_the_ground_of_a_locked_bundle(script, parts):
    start(parts, treatment="locked")
    worker.drain()
    background, picture = ProductImage.objects.order_by("pk")
    assert picture.parent == background and len(picture.checks["parts"]) == 3
    assert not script.requests[0].references
    assert "three products" in script.requests[0].prompt


def test_too_many_references_are_refused_before_anything_is_paid(script, parts, settings):
    spec = {"gemini-3.1-flash-lite-image": {"max_references": 2}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MODEL_SPECS": spec}
    with pytest.raises(PlanRefused, match="at most 2 reference pictures per request, not 3"):
        start(parts, treatment="painted")
    assert script.count == 0
