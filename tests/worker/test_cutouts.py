"""The worker cuts a photo out once, keeps the mask, and uses a person's where there is one."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import cutouts, generation, storage, worker
from nb_catalog.core.states import JobState
from nb_catalog.cutouts.records import CUTOUT_CHECK
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, PhotoCutout, ProductImage
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.review import approve_all, require_individual_review
from tests import factories
from tests.cutouts.backends import CountingCutout

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]

SCENES = ("marble", "oak")


def start(*mugs, scenes=SCENES, **options):
    rows = [factories.scene(key) for key in scenes]
    return runs.start_run(generation.plan_backgrounds(mugs, scenes=rows, **options))


def test_every_picture_of_a_photo_uses_one_cutout(cutout_backend):
    mug = factories.product()
    start(mug)
    worker.drain()
    start(mug, scenes=("slate",))
    worker.drain()
    assert ProductImage.objects.count() == 3
    assert len(CountingCutout.seen) == PhotoCutout.objects.count() == 1


def test_what_was_cut_out_before_is_not_cut_out_again_by_another_process(cutout_backend):
    mug = factories.product()
    start(mug)
    worker.drain()
    cutouts.finding._found.clear()
    start(mug, scenes=("slate",))
    worker.drain()
    assert len(CountingCutout.seen) == 1


def test_a_doubtful_cutout_makes_a_picture_that_needs_a_look(cutout_backend):
    cutout_backend(reasons=["room"])
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    image = ProductImage.objects.get()
    assert image.checks[CUTOUT_CHECK]["reasons"] == ["room"]
    with pytest.raises(RequestRefused, match="outline"):
        require_individual_review(image)
    assert approve_all([image], actor=None).approved == ()
    cutouts.confirm(PhotoCutout.objects.all(), actor=None)
    image.refresh_from_db()
    assert approve_all([image], actor=None).approved == (image.pk,)


def test_pictures_made_after_a_confirmation_need_no_look(cutout_backend):
    cutout_backend(reasons=["room"])
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    cutouts.confirm(PhotoCutout.objects.all(), actor=None)
    start(mug, scenes=("oak",))
    worker.drain()
    assert ProductImage.objects.get(scene="oak").checks[CUTOUT_CHECK]["reasons"] == []


def test_what_cannot_be_cut_out_fails_with_the_sentence_and_is_known_from_then_on(cutout_backend):
    cutout_backend(refusal="Nothing in the photo stands out.")
    mug = factories.product()
    start(mug)
    worker.drain()
    jobs = ImageJob.objects.all()
    assert {(job.state, job.error_code) for job in jobs} == {(JobState.FAILED, "cutout_refused")}
    assert {job.error for job in jobs} == {"Nothing in the photo stands out."}
    assert PhotoCutout.objects.get().state == CutoutState.REFUSED
    assert len(CountingCutout.seen) == 1
    summary = generation.plan_backgrounds([mug], scenes=["marble"]).summary()
    assert summary.counts == {"impossible": 1}
    assert list(summary.problems) == ["Nothing in the photo stands out."]


def test_a_person_s_mask_decides_what_is_in_the_picture(cutout_backend, drawn_mask):
    """The photo shows a blue block; a mask of its left half alone must leave the right half out."""
    mug = factories.product()
    start(mug, scenes=("marble",), ratio="1:1")
    worker.drain()
    whole = blue_columns(ProductImage.objects.get())
    half = Image.new("L", (120, 150), 0)
    half.paste(255, (30, 30, 60, 120))
    file = BytesIO()
    half.save(file, "PNG")
    cutouts.replace_mask(PhotoCutout.objects.get(), file.getvalue(), actor=None)
    plan = generation.plan_backgrounds([mug], scenes=["marble"], ratio="1:1")
    assert plan.summary().counts == {"stale": 1}
    runs.start_run(plan)
    worker.drain()
    image = ProductImage.objects.latest("pk")
    assert image.spec["cutout"] == PhotoCutout.objects.get().mask_sha256
    assert blue_columns(image) < 0.75 * whole
    assert generation.plan_backgrounds([mug], scenes=["marble"], ratio="1:1").summary().counts == {
        "present": 1
    }


def blue_columns(image):
    """The share of the product's height that its width is, in a picture of a blue block."""
    with Image.open(BytesIO(storage.read(image.file.name))) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.int16)
    blue = pixels[..., 2] - pixels[..., 0] > 60
    return blue.any(axis=0).sum() / max(1, blue.any(axis=1).sum())


def test_a_photo_that_was_replaced_under_a_person_s_mask_is_not_cut_by_it(
    cutout_backend, drawn_mask
):
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    cutouts.replace_mask(PhotoCutout.objects.get(), drawn_mask(), actor=None)
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(factories.photo_bytes(colour="red"))
    start(mug, scenes=("oak",))
    worker.drain()
    job = ImageJob.objects.latest("pk")
    assert job.state == JobState.FAILED
    assert "replaced" in job.error
    row = PhotoCutout.objects.get()
    assert (row.state, row.by_person) == (CutoutState.DOUBTFUL, True)


def test_a_photo_that_was_replaced_is_cut_out_again(cutout_backend):
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    before = PhotoCutout.objects.get().photo_sha256
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(factories.photo_bytes(colour="red"))
    start(mug, scenes=("oak",))
    worker.drain()
    assert PhotoCutout.objects.get().photo_sha256 != before
    assert len(CountingCutout.seen) == 2


def test_a_model_s_background_takes_the_stored_cutout(cutout_backend, script):
    mug = factories.product()
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()], treatment="locked")
    runs.start_run(plan)
    worker.drain()
    image = ProductImage.objects.get(kind="picture")
    assert image.checks[CUTOUT_CHECK]["method"] == "network"
    assert len(CountingCutout.seen) == 1


def test_nothing_is_paid_for_a_product_that_cannot_be_cut_out(cutout_backend, script):
    cutout_backend(refusal="Nothing in the photo stands out.")
    mug = factories.product()
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()], treatment="locked")
    runs.start_run(plan)
    worker.drain()
    assert ImageJob.objects.get().error_code == "cutout_refused"
    assert script.requests == []


def test_painted_pictures_are_cut_out_once_to_be_compared(cutout_backend, script):
    mug = factories.product()
    scenes = [factories.scene(), factories.scene("oak")]
    runs.start_run(generation.plan_backgrounds([mug], scenes=scenes, treatment="painted"))
    worker.drain()
    assert len(CountingCutout.seen) == 1 and PhotoCutout.objects.get().method
    # Its doubts are not the picture's: nothing of it is in the picture.
    assert all(CUTOUT_CHECK not in image.checks for image in ProductImage.objects.all())


def test_a_product_that_cannot_be_cut_out_is_painted_all_the_same(cutout_backend, script):
    cutout_backend(refusal="Nothing in the photo stands out.")
    mug = factories.product()
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()], treatment="painted")
    runs.start_run(plan)
    worker.drain()
    assert ProductImage.objects.get().checks["fidelity"]["left_out"] == ["no_cutout"]
    assert len(script.requests) == 1


def test_a_photo_that_a_person_ruled_out_is_not_used_whoever_made_its_mask(
    cutout_backend, drawn_mask
):
    mug = factories.product()
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()])
    plan.summary()
    generation.request_cutouts(plan)
    cutouts.make_cutouts()
    row = PhotoCutout.objects.get()
    cutouts.replace_mask(row, drawn_mask(), actor=None)
    plan = generation.plan_backgrounds([mug], scenes=["marble"], key="before")
    runs.start_run(plan)
    cutouts.mark_unusable([row], actor=None)
    worker.drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == (JobState.FAILED, "cutout_refused")
    assert "cannot be used" in job.error


def test_a_mask_whose_file_is_gone_is_found_again_and_kept(cutout_backend):
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    row = PhotoCutout.objects.get()
    row.mask.storage.delete(row.mask.name)
    start(mug, scenes=("oak",))
    worker.drain()
    assert ImageJob.objects.latest("pk").state == JobState.SUCCEEDED
    assert row.mask.storage.exists(PhotoCutout.objects.get().mask.name)
    assert len(CountingCutout.seen) == 2


def test_a_person_s_mask_whose_file_is_gone_is_not_made_up(cutout_backend, drawn_mask):
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    cutouts.replace_mask(PhotoCutout.objects.get(), drawn_mask(), actor=None)
    row = PhotoCutout.objects.get()
    row.mask.storage.delete(row.mask.name)
    start(mug, scenes=("oak",))
    worker.drain()
    job = ImageJob.objects.latest("pk")
    assert (job.state, job.error_code) == (JobState.FAILED, "picture_missing")
    assert len(CountingCutout.seen) == 1


def test_a_mask_that_was_given_up_is_not_used_before_the_photo_is_cut_out_again(
    cutout_backend, drawn_mask
):
    mug = factories.product()
    start(mug, scenes=("marble",))
    worker.drain()
    cutouts.replace_mask(PhotoCutout.objects.get(), drawn_mask(), actor=None)
    cutouts.cut_again(PhotoCutout.objects.all(), actor=None)
    start(mug, scenes=("oak",))
    worker.drain()
    assert ProductImage.objects.get(scene="oak").checks[CUTOUT_CHECK]["method"] == "network"
    assert len(CountingCutout.seen) == 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(InvalidSettings("The network is gone."), "The network is gone"), (KeyError("x"), "KeyError")],
)
def test_a_backend_that_fails_fails_the_job_alone(cutout_backend, monkeypatch, error, sentence):
    def fail(self, view):
        raise error

    mug = factories.product()
    start(mug, scenes=("marble",))
    with monkeypatch.context() as patched:
        patched.setattr(CountingCutout, "find_mask", fail)
        worker.drain()
    job = ImageJob.objects.get()
    assert job.state == JobState.FAILED
    assert sentence in job.error


def test_a_backend_that_broke_once_is_tried_by_the_next_job(cutout_backend, monkeypatch):
    works, calls = CountingCutout.find_mask, []

    def fail_first(self, view):
        calls.append(view)
        if len(calls) == 1:
            raise KeyError("x")
        return works(self, view)

    monkeypatch.setattr(CountingCutout, "find_mask", fail_first)
    start(factories.product())
    worker.drain()
    states = ImageJob.objects.values_list("state", flat=True)
    assert sorted(states) == [JobState.FAILED, JobState.SUCCEEDED]
