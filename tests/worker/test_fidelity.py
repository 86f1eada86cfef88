"""A painted picture is compared with the product's photo when it arrives."""

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, review, worker
from nb_catalog.imaging import fidelity
from nb_catalog.imaging.fidelity import fidelity_in
from nb_catalog.models import PhotoCutout, ProductImage
from nb_catalog.typesetting import printed_words
from tests import factories
from tests.catalog.models import Mug
from tests.imaging import fidelity_cases as cases
from tests.imaging.pictures import saved
from tests.imaging.test_fidelity import GROUND, PHOTO, PRODUCT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def words(monkeypatch):
    """words(change): what is found when the print on photo and picture is read and compared."""

    def words(change):
        monkeypatch.setattr("nb_catalog.worker.fidelity.compare_words", lambda *views: change)

    return words


def painting(product):
    """A model's picture of ``product``, (H, W, 4)."""
    rng = np.random.default_rng(4)
    return lambda _request: saved(Image.fromarray(cases.as_painted(product, GROUND, rng)))


@pytest.fixture
def painted(script):
    """painted(picture): what is made of a mug with a printed box as its photo."""

    def painted(picture, *, photo=PHOTO, treatment="painted", drain=True):
        mug = factories.product(photo=photo)
        script.add(picture)
        plan = generation.plan_backgrounds(
            Mug.objects.filter(pk=mug.pk), scenes=[factories.scene()], treatment=treatment
        )
        run = generation.start_run(plan, actor=None)
        worker.drain()
        return ProductImage.objects.get(job__run=run, kind="picture")

    return painted


@pytest.mark.reads_print
def test_a_kept_product_may_be_approved_with_others(painted):
    image = painted(painting(PRODUCT))
    found = fidelity_in(image.checks)
    assert found.reasons == () and found.score > 0.5 and found.left_out == ()
    assert not review.needs_individual_review(image)
    # The cut-out that it was compared with is recorded, for the next picture.
    assert PhotoCutout.objects.get().method == "alpha"


def test_a_damaged_product_needs_a_person(painted):
    image = painted(painting(cases.other_hue(PRODUCT, np.random.default_rng(1))))
    assert "colour" in fidelity_in(image.checks).reasons
    assert review.needs_individual_review(image) and image.state == "pending"


def test_words_that_are_gone_are_a_reason(painted, words):
    words(printed_words.WordChange(("TRULY",), ("TROLLY",)))
    found = fidelity_in(painted(painting(PRODUCT)).checks)
    assert found.reasons == ("words",) and found.score < 0.5
    assert (found.gone, found.added) == (("TRULY",), ("TROLLY",))


def test_without_a_reader_words_are_left_out(painted, words):
    words(None)
    found = fidelity_in(painted(painting(PRODUCT)).checks)
    assert found.left_out == ("words",) and not found.fails


def test_a_photo_that_cannot_be_cut_out_is_not_compared(painted):
    rng = np.random.default_rng(8)
    noise = Image.fromarray(rng.integers(0, 255, (300, 300, 3)).astype(np.uint8))
    found = fidelity_in(painted(painting(PRODUCT), photo=saved(noise)).checks)
    assert found.score is None and found.left_out == ("no_cutout",) and not found.fails


def test_a_comparison_that_breaks_costs_no_picture(painted, monkeypatch, caplog):
    def broken(*_given, **_options):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("nb_catalog.worker.fidelity.check_fidelity", broken)
    found = fidelity_in(painted(painting(PRODUCT)).checks)
    assert found.left_out == ("failed",) and "cannot be compared" in caplog.text


def test_the_shop_s_own_pixels_are_not_compared(painted):
    scene = Image.fromarray(GROUND).resize((1024, 1024))
    image = painted(lambda _request: saved(scene), treatment="locked")
    assert fidelity.FIDELITY_CHECK not in image.checks


def test_text_that_is_set_on_it_inherits_the_result(painted, monkeypatch):
    from tests.catalog.catalog_images import MugSource

    words = {"en": {"headline": "Autumn offer"}}
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: words.get(locale, {}))
    base = painted(painting(cases.other_hue(PRODUCT, np.random.default_rng(1))))
    review.approve(base, actor=None)
    factories.layout()
    plan = generation.plan_texts(
        Mug.objects.filter(pk=base.object_id), layouts=["banner"], locales=["en"]
    )
    run = generation.start_run(plan, actor=None)
    worker.drain()
    image = ProductImage.objects.get(job__run=run)
    assert image.parent == base
    assert fidelity_in(image.checks) == fidelity_in(base.checks)
