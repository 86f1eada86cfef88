"""A plan says which photos no picture can be made from, before anything is started or paid for."""

import time
from io import BytesIO
from types import SimpleNamespace

import pytest
from PIL import Image

from nb_catalog import generation
from nb_catalog.generation import photos
from tests import factories

pytestmark = pytest.mark.django_db

JPEG = factories.photo_bytes(size=(400, 500), kind="JPEG")
UNUSABLE = {
    "bmp": (factories.photo_bytes(kind="BMP"), "not a picture in a known format"),
    "cut jpeg": (JPEG[: len(JPEG) * 2 // 3], "JPEG picture is damaged or cut off"),
    "cut png": (factories.photo_bytes()[:-30], "PNG picture is damaged or cut off"),
    "cut webp": (factories.photo_bytes(kind="WEBP")[:-90], "WEBP picture is damaged or cut off"),
    "cut gif": (factories.photo_bytes(kind="GIF")[:-90], "GIF picture is damaged or cut off"),
    "cut tiff": (factories.photo_bytes(kind="TIFF")[:-900], "TIFF picture is damaged or cut off"),
    "cut avif": (factories.photo_bytes(kind="AVIF")[:-90], "AVIF picture is damaged or cut off"),
    "a web page": (b"<!doctype html><html>403</html>", "not a picture in a known format"),
}


@pytest.fixture(autouse=True)
def nothing_is_kept():
    photos._known.clear()


def plan_for(*products, **options):
    factories.scene()
    return generation.plan_backgrounds(products, scenes=["marble"], **options)


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_photo_that_the_run_would_fail_at_is_reported_by_the_plan(name):
    data, problem = UNUSABLE[name]
    good, bad = factories.product(), factories.product(photo=data)
    summary = plan_for(good, bad).summary()
    assert summary.counts == {"missing": 1, "impossible": 1}
    ((message, count),) = summary.problems.items()
    assert problem in message
    assert count == 1


def test_a_photo_of_too_many_pixels_is_reported_by_the_plan(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_PIXELS": 10_000}
    (item,) = plan_for(factories.product()).items()
    assert item.status == "impossible"
    assert "raise MAX_PICTURE_PIXELS" in item.problem


def test_a_file_of_too_many_bytes_is_not_even_read(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 200}
    (item,) = plan_for(factories.product()).items()
    assert "raise MAX_PICTURE_BYTES" in item.problem


@pytest.mark.parametrize(
    ("kind", "lost"), [("JPEG", 2), ("JPEG", 0), ("PNG", 0), ("WEBP", 0), ("AVIF", 0)]
)
def test_a_photo_with_every_pixel_is_wanted(kind, lost):
    data = factories.photo_bytes(kind=kind)
    (item,) = plan_for(factories.product(photo=data[: len(data) - lost])).items()
    assert item.is_wanted


def test_a_replaced_photo_is_looked_at_again_and_a_good_one_is_not(monkeypatch):
    good, bad = factories.product(), factories.product(photo=UNUSABLE["cut png"][0])
    plan = plan_for(good, bad)
    assert plan.summary().wanted == 1
    read = []
    real = photos.read_photo
    monkeypatch.setattr(photos, "read_photo", lambda photo: read.append(photo.name) or real(photo))
    with bad.packshot.storage.open(bad.packshot.name, "wb") as file:
        file.write(factories.photo_bytes())
    assert plan.summary().wanted == 2
    assert read == [bad.packshot.name]


def test_a_storage_that_fails_or_lacks_a_file_is_left_to_the_run():
    lost = factories.product()
    lost.packshot.storage.delete(lost.packshot.name)
    assert plan_for(lost).summary().wanted == 1


def test_a_plan_does_not_look_at_photos_for_ever(monkeypatch):
    monkeypatch.setattr(photos, "SECONDS", 50)
    read, now = [], [0]
    monkeypatch.setattr(photos, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(photo):
        read.append(photo)
        now[0] += 30
        return factories.photo_bytes()

    monkeypatch.setattr(photos, "read_photo", slow)
    plan = plan_for(*(factories.product() for _ in range(6)))
    assert plan.summary().wanted == 6
    assert len(read) == 2
    # The next plan goes on with those that were not seen.
    plan_for(*plan.products).summary()
    assert len(read) == 4
    assert len(set(read)) == 4


def test_looking_at_a_photo_takes_milliseconds():
    data = BytesIO()
    Image.effect_noise((3_000, 2_000), 60).convert("RGB").save(data, "JPEG", quality=90)
    product = factories.product(photo=data.getvalue())
    plan = plan_for(product)
    began = time.process_time()
    assert plan.summary().wanted == 1
    assert time.process_time() - began < 0.5
