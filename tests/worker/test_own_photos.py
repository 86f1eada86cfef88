"""The products' own photos from the plan to the page: the same pixels, marked, published, given text."""

from io import BytesIO

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image

from nb_catalog import generation, review, storefront, worker
from nb_catalog.core.types import OWN_PHOTO
from nb_catalog.generation import runs
from nb_catalog.imaging import open_cache
from nb_catalog.imaging.metadata import without_metadata
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, xmp_packet
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.publishing import placements
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.imaging.pictures import bottle, saved

pytestmark = pytest.mark.django_db(transaction=True)


def make(*products, **options):
    run = runs.start_run(generation.plan_photos(products, **options))
    worker.drain()
    return list(ProductImage.objects.filter(job__run=run).order_by("pk"))


def published(image):
    review.approve(image, actor=None)
    image.refresh_from_db()
    return placements.publish(image, slot="hero", actor=None)


def contents(image):
    with image.file.open() as file:
        return file.read()


def pixels(data):
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def test_the_picture_is_the_photo_byte_for_byte_and_only_marked():
    photo = factories.photo_bytes((400, 500), kind="JPEG")
    mug = factories.product(photo=photo)
    (image,) = make(mug)
    data = contents(image)
    assert without_metadata(data, mime_type="image/jpeg") == without_metadata(
        photo, mime_type="image/jpeg"
    )
    assert read_mark(data) == image.digital_source_type == "digitalCapture"
    assert (image.mime_type, image.width, image.height) == ("image/jpeg", 400, 500)
    assert (image.scene, image.tier, image.state, image.locale) == ("", "", "pending", "")
    assert image.spec["treatment"] == image.provenance["treatment"] == "photo"
    assert image.provenance["photo"] == mug.packshot.name
    assert "photo_changes" not in image.checks and image.checks["decoded"] is True
    assert not ProviderCall.objects.exists()
    left, top, width, height = image.checks["product"]
    assert (left, top) <= (100, 100) and (left + width, top + height) >= (300, 400)


def test_a_crop_is_what_was_planned_and_says_that_it_is_one():
    photo = factories.photo_bytes((400, 500))
    (image,) = make(factories.product(photo=photo), ratio="1:1")
    assert image.checks["photo_changes"] == ["cropped"]
    cropped, whole = pixels(contents(image)), pixels(photo)
    assert any(np.array_equal(cropped, whole[top : top + 400]) for top in range(46, 55))


def test_a_photo_that_a_model_made_stays_marked_as_that_to_the_page():
    photo = saved(
        Image.new("RGB", (400, 500), "white"), "JPEG", xmp=xmp_packet(DigitalSourceType.MODEL)
    )
    mug = factories.product(photo=photo)
    (image,) = make(mug)
    assert image.digital_source_type == "trainedAlgorithmicMedia"
    placement = published(image)
    assert placement.picture_data["origin"] == "trainedAlgorithmicMedia"


def test_a_photo_that_is_damaged_behind_its_header_fails_with_its_error():
    photo = bytearray(factories.photo_bytes((400, 500)))
    start = photo.index(b"IDAT")
    photo[start + 20 : start + 60] = bytes(40)
    mug = factories.product(photo=bytes(photo))
    assert make(mug) == []
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "picture_unreadable")


def test_a_photo_replaced_after_the_plan_by_one_that_cannot_be_cropped_fails():
    mug = factories.product(photo=factories.photo_bytes((400, 500)))
    run = runs.start_run(generation.plan_photos([mug], ratio="16:9"))
    assert ImageJob.objects.count() == 0 and run.problems
    mug = factories.product(photo=factories.photo_bytes((900, 500)))
    runs.start_run(generation.plan_photos([mug], ratio="1:1"))
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(factories.photo_bytes((1200, 500)))
    worker.drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "crop_refused")


def test_it_is_published_in_every_size_marked_and_without_transparency():
    mug = factories.product(photo=saved(bottle(700)))
    (image,) = make(mug)
    assert image.mime_type == "image/png"
    assert np.array_equal(pixels(contents(image)), np.asarray(bottle(700)))
    published(image)
    files = list(image.renditions.all())
    assert {each.format for each in files} == {"avif", "webp", "jpeg"}
    for each in files:
        with each.file.open() as file:
            data = file.read()
        assert read_mark(data) == DigitalSourceType.CAPTURE
        assert tuple(pixels(data)[1, 1, :3]) >= (250, 250, 250), "on white"
    picture = storefront.picture_for(mug, "hero")
    assert picture.origin == "digitalCapture"


def test_text_on_it_is_marked_as_created_and_of_a_model_s_photo_as_the_model_s(monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    factories.layout()
    plain = factories.product(photo=factories.photo_bytes((600, 750)))
    drawn = factories.product(
        photo=saved(
            Image.new("RGB", (600, 750), "#ddd"), "JPEG", xmp=xmp_packet(DigitalSourceType.MODEL)
        )
    )
    make(plain, drawn)
    plan = generation.plan_texts(
        [plain, drawn], layouts=["banner"], locales=["en"], scenes=[OWN_PHOTO]
    )
    runs.start_run(plan)
    worker.drain()
    made = ProductImage.objects.filter(locale="en")
    assert {each.object_id: each.digital_source_type for each in made} == {
        str(plain.pk): "digitalCreation",
        str(drawn.pk): "trainedAlgorithmicMedia",
    }
    for each in made:
        assert read_mark(contents(each)) == each.digital_source_type
        assert (each.scene, each.spec["treatment"], each.width) == ("", "photo", 600)


def test_a_replaced_photo_is_stale_and_its_new_picture_replaces_the_old():
    mug = factories.product(photo=factories.photo_bytes((400, 500)))
    (old,) = make(mug)
    mug.packshot.save("newer.png", ContentFile(factories.photo_bytes((480, 600))), save=True)
    (item,) = generation.plan_photos([mug]).items()
    assert item.status == "stale"
    (new,) = make(mug)
    assert (new.width, new.request_hash) == (480, old.request_hash)
    assert [each.status for each in generation.plan_photos([mug]).items()] == ["present"]


def test_text_on_a_very_large_photo_is_set_on_a_smaller_copy_and_proved(monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    monkeypatch.setattr(open_cache, "MAX_PIXELS", 600 * 750)
    # Beside the product, but on it if its place were that on the larger picture.
    place = {"start": 0.5, "top": 0.9, "width": 0.45, "height": 0.08}
    factories.layout(content={"boxes": [{"role": "headline", "place": place, "scrim": {}}]})
    mug = factories.product(photo=factories.photo_bytes((1200, 1500)))
    (base,) = make(mug)
    assert (base.width, base.height) == (1200, 1500)
    runs.start_run(generation.plan_texts([mug], layouts=["banner"], locales=["en"]))
    worker.drain()
    made = ProductImage.objects.get(locale="en")
    assert (made.width, made.height) == (600, 750)
    (proof,) = review.verify_text(made)[made.file.name]
    assert proof.is_proved and proof.stray_ink is not None
