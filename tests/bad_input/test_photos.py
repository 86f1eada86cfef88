"""Photos as shops really have them: a good picture, or a job that says what is wrong with it."""

import resource
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw

from nb_catalog import generation
from nb_catalog.generation import ItemStatus
from nb_catalog.models import ImageJob, ProviderCall
from tests import factories
from tests.bad_input.conftest import job_of, settle

pytestmark = pytest.mark.django_db(transaction=True)

RED, BLUE, WHITE = (200, 30, 40), (30, 60, 190), (255, 255, 255)


def upright():
    """A tall product, red above and blue below, on white."""
    picture = Image.new("RGB", (320, 400), WHITE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((110, 60, 210, 199), fill=RED)
    draw.rectangle((110, 200, 210, 340), fill=BLUE)
    return picture


def written(picture, kind, **options):
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def bomb():
    """40,000 x 40,000 black pixels in a PNG of some 200 KB; every one of them is there."""
    side = 40_000
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pack = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    pixels = b"".join(pack.compress(row * 1000) for _ in range(side // 1000)) + pack.flush()
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def animated(kind):
    later = Image.new("RGB", upright().size, (10, 200, 10))
    return written(upright(), kind, save_all=True, append_images=[later, later], duration=80)


def held_sideways():
    """A camera that was turned: the rows are stored sideways, EXIF tells which way is up."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = upright().transpose(Image.Transpose.ROTATE_90)
    return written(stored, "JPEG", quality=95, exif=exif)


def sixteen_bits():
    grey = np.asarray(upright().convert("L")).astype(np.uint16) * 257
    return written(Image.fromarray(grey), "PNG")


# What a product's photo may be: (bytes, code, what the sentence says is wrong and what to do).
BAD = {
    "cut off png": (
        factories.photo_bytes()[:-200],
        "picture_unreadable",
        ("PNG", "damaged or cut off", "upload it again"),
    ),
    "cut off jpeg": (
        written(upright(), "JPEG")[:1500],
        "picture_unreadable",
        ("JPEG", "damaged or cut off", "upload it again"),
    ),
    "text called png": (
        b"name;price\nMug;12.00\n" * 40,
        "picture_unreadable",
        ("not a picture", "regardless of its name", "Expected PNG, JPEG"),
    ),
    "zero bytes": (b"", "picture_missing", ("no bytes", "Upload a PNG, JPEG")),
    "bomb": (
        bomb(),
        "picture_too_large",
        ("40,000 x 40,000", "110,000,000", "Scale it down"),
    ),
}

GOOD = {
    "cmyk jpeg": written(upright().convert("CMYK"), "JPEG", quality=95),
    "palette png": written(upright().convert("P"), "PNG"),
    "animated gif": animated("GIF"),
    "animated webp": animated("WEBP"),
    "exif rotated jpeg": held_sideways(),
}


def break_photo(mug, name):
    """Put the bad photo called ``name`` in place of a good one, as an upload after the start does."""
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(BAD[name][0])


def centre(picture, colour):
    """Where the pixels near ``colour`` are in the middle: (across, down), as shares; and how many."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    near = np.abs(pixels - np.array(colour)).max(axis=2) < 60
    down, across = np.nonzero(near)
    return across.mean() / near.shape[1], down.mean() / near.shape[0], near.mean()


def shows_the_product_upright(picture):
    red_across, red_down, red_share = centre(picture, RED)
    blue_across, blue_down, blue_share = centre(picture, BLUE)
    assert red_share > 0.01 and blue_share > 0.01
    assert red_down + 0.1 < blue_down and abs(red_across - blue_across) < 0.05


@pytest.mark.parametrize("name", BAD)
def test_a_bad_photo_fails_its_own_job_with_a_sentence(name, local, start):
    _data, code, sentence = BAD[name]
    bad, good = factories.product(), factories.product()
    start(bad, good)
    break_photo(bad, name)
    settle()
    job = job_of(bad)
    assert (job.state, job.error_code, job.attempts) == ("failed", code, 1)
    for words in sentence:
        assert words in job.error
    assert job_of(good).state == "succeeded"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_photo_is_told_in_the_plan_and_not_started(name, local, start):
    bad, good = factories.product(), factories.product()
    break_photo(bad, name)
    plan = generation.plan_backgrounds([bad, good], scenes=[factories.scene()])
    items = {item.object_id: item for item in plan.items()}
    assert items[str(bad.pk)].status == ItemStatus.IMPOSSIBLE
    for words in BAD[name][2]:
        assert words in items[str(bad.pk)].problem
    start(bad, good)
    settle()
    assert [job.object_id for job in ImageJob.objects.all()] == [str(good.pk)]


@pytest.mark.parametrize("treatment", ["locked", "painted"])
def test_bad_photos_are_refused_before_anything_is_paid_for(treatment, script, start):
    bad, good = [factories.product() for name in BAD], factories.product()
    start(*bad, good, treatment=treatment)
    for mug, name in zip(bad, BAD, strict=True):
        break_photo(mug, name)
    settle()
    assert [job_of(each).error_code for each in bad] == [code for _, code, _ in BAD.values()]
    assert job_of(good).state == "succeeded"
    assert script.count == ProviderCall.objects.count() == 1


def test_a_bomb_uses_hardly_any_memory(local, start):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mug = factories.product()
    start(mug)
    break_photo(mug, "bomb")
    settle()
    assert ImageJob.objects.get().error_code == "picture_too_large"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, "kilobytes; unpacked it has 1.6 GB"


def test_a_photo_whose_file_is_gone_is_told_by_name(local, start):
    bad, good = factories.product(), factories.product()
    start(bad, good)
    bad.packshot.storage.delete(bad.packshot.name)
    settle()
    job = job_of(bad)
    assert (job.state, job.error_code) == ("failed", "picture_missing")
    assert bad.packshot.name in job.error and "Upload it again." in job.error
    assert job_of(good).state == "succeeded"


def test_a_product_without_a_photo_is_told_in_the_plan_and_not_started(local, start):
    bad, good = factories.product(photo=False), factories.product()
    plan = generation.plan_backgrounds([bad, good], scenes=[factories.scene()])
    items = {item.object_id: item for item in plan.items()}
    assert items[str(bad.pk)].status == ItemStatus.IMPOSSIBLE
    assert items[str(bad.pk)].problem == "The product has no photo. Upload one."
    assert items[str(good.pk)].status == ItemStatus.MISSING
    start(bad, good)
    settle()
    assert [job.object_id for job in ImageJob.objects.all()] == [str(good.pk)]


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_photo_becomes_a_good_picture(name, local, start):
    mug = factories.product(photo=GOOD[name])
    start(mug)
    settle()
    job = job_of(mug)
    assert (job.state, job.error) == ("succeeded", "")
    with job.images.get().file.open() as file:
        shows_the_product_upright(Image.open(file))


def test_a_photo_of_sixteen_bits_keeps_its_greys(local, start):
    mug = factories.product(photo=sixteen_bits())
    start(mug)
    settle()
    assert (job_of(mug).state, job_of(mug).error) == ("succeeded", "")
    grey = upright().convert("L").getpixel((160, 120))
    with job_of(mug).images.get().file.open() as file:
        assert centre(Image.open(file), (grey,) * 3)[2] > 0.01


@pytest.mark.parametrize("name", GOOD)
def test_a_model_that_paints_is_sent_a_still_upright_picture_that_it_can_read(name, script, start):
    start(factories.product(photo=GOOD[name]), treatment="painted")
    settle()
    (reference,) = script.requests[0].references
    sent = Image.open(BytesIO(reference.data))
    assert Image.MIME[sent.format] == reference.mime_type
    assert sent.mode in {"RGB", "RGBA", "L"} and getattr(sent, "n_frames", 1) == 1
    # As the rows lie in the file: nobody says that a model heeds EXIF.
    shows_the_product_upright(sent)


def test_a_model_that_paints_is_sent_eight_bits(script, start):
    start(factories.product(photo=sixteen_bits()), treatment="painted")
    settle()
    (reference,) = script.requests[0].references
    assert Image.open(BytesIO(reference.data)).mode in {"RGB", "L"}
