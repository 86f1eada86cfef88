"""Photos on their way to a model: readable, small enough, without metadata, and told what was done."""

from __future__ import annotations

import io
import os

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageDraw

from nb_catalog.exceptions import PictureError, PictureTooLarge, PictureUnreadable
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.references import Limits, as_reference

BOUNDS = {"max_bytes": 64 * 2**20, "max_pixels": 110_000_000}
READS = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
RED, BLUE = (200, 30, 40), (30, 60, 190)


def drawing(size=(320, 240), mode="RGB"):
    """Red on the left, blue on the right, a light spot at the top: colours, sides and up show."""
    image = Image.new("RGB", size, RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((size[0] // 2, 0, *size), fill=BLUE)
    draw.rectangle((0, 0, size[0], size[1] // 10), fill=(240, 240, 240))
    return image.convert(mode)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def heic(image, **options):
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=95, **options)
    return file.getvalue()


def sent(photo, **limits):
    return as_reference(photo, limits=Limits(reads=READS, **limits), **BOUNDS)


def shown(reference):
    with Image.open(io.BytesIO(reference.data)) as image:
        image.load()
        assert Image.MIME[image.format] == reference.mime_type
        return image.convert("RGB")


def looks_right(image, *, most=14):
    """The drawing's colours are where they were."""
    small = np.asarray(image.resize((32, 24), Image.Resampling.BOX)).astype(int)
    for place, colour in ((np.s_[6:20, 3:13], RED), (np.s_[6:20, 19:29], BLUE)):
        assert np.abs(small[place].reshape(-1, 3).mean(axis=0) - colour).max() <= most
    assert small[0, 10].min() > 180, "the spot is at the top"


def gps_exif(orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera that tells"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    return exif.tobytes()


@pytest.mark.parametrize(
    ("photo", "changes"),
    [
        (heic(drawing()), ["from_heic"]),
        (saved(drawing(), "TIFF"), ["from_tiff"]),
        (saved(drawing(mode="CMYK"), "TIFF"), ["from_tiff", "from_cmyk"]),
        (saved(drawing(mode="CMYK"), "JPEG", quality=95), ["from_cmyk"]),
        (saved(drawing(mode="P"), "GIF"), ["from_gif", "to_rgb"]),
        (saved(drawing(), "AVIF", quality=95), ["from_avif"]),
        (saved(drawing(mode="P"), "PNG"), ["to_rgb"]),
        (
            saved(drawing().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95,
                  exif=gps_exif(orientation=6)),
            ["turned"],
        ),
        (
            saved(drawing(), "TIFF", save_all=True, append_images=[drawing()]),
            ["from_tiff", "first_frame"],
        ),
    ],
    ids=["heic", "tiff", "cmyk-tiff", "cmyk-jpeg", "gif", "avif", "palette", "sideways", "pages"],
)  # fmt: skip
def test_what_a_model_does_not_read_is_converted_and_said_so(photo, changes):
    reference, told = sent(photo)
    assert reference.mime_type == "image/jpeg"
    assert list(told.changes) == changes
    assert (told.width, told.height) == (320, 240)
    assert told.byte_size == len(reference.data)
    looks_right(shown(reference))


def test_sixteen_bits_become_eight():
    grey = np.full((64, 64), 40_000, dtype=np.uint16)
    reference, told = sent(saved(Image.fromarray(grey), "PNG"))
    assert told.changes == ("to_8_bit",)
    assert abs(shown(reference).getpixel((32, 32))[0] - 40_000 // 257) <= 2


def test_a_see_through_photo_is_laid_on_white():
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((25, 25, 75, 75), fill=(*RED, 255))
    reference, told = sent(saved(image, "PNG"))
    assert told.changes == ("flattened",)
    seen = shown(reference)
    assert seen.getpixel((5, 5)) == (255, 255, 255)
    assert max(abs(a - b) for a, b in zip(seen.getpixel((50, 50)), RED, strict=True)) <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_readable_photo_keeps_its_pixels_and_loses_its_metadata(kind):
    options = {"exif": gps_exif()}
    if kind == "WEBP":
        options |= {"lossless": True, "xmp": b"<x:xmpmeta>Paris</x:xmpmeta>"}
    photo = saved(drawing(), kind, **options)
    assert b"camera that tells" in photo
    reference, told = sent(photo)
    assert told.changes == ("metadata_removed",)
    assert b"camera that tells" not in reference.data
    assert b"Paris" not in reference.data
    with Image.open(io.BytesIO(reference.data)) as after, Image.open(io.BytesIO(photo)) as before:
        assert not after.getexif().get_ifd(0x8825)
        assert np.array_equal(np.asarray(after.convert("RGB")), np.asarray(before.convert("RGB")))
    examine(reference.data, **BOUNDS)


def test_comments_and_iptc_go_too():
    photo = saved(drawing(), "JPEG", comment=b"taken at home")
    reference, told = sent(photo)
    assert b"taken at home" not in reference.data
    assert told.changes == ("metadata_removed",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_clean_photo_goes_bit_for_bit(kind):
    clean, _told = sent(saved(drawing(), kind))
    reference, told = sent(clean.data)
    assert reference.data == clean.data
    assert told.changes == ()


def test_colours_of_another_profile_are_converted():
    reference, told = sent(saved(drawing(), "PNG", icc_profile=_swapped_primaries()))
    assert told.changes == ("to_srgb",)
    assert shown(reference).getpixel((40, 120)) != RED


def _swapped_primaries():
    """sRGB with another name: unlike "sRGB" to whoever reads the description, and shifted white."""
    import struct

    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = data.find("sRGB".encode("utf-16-be"))
    data[at : at + 8] = "Cams".encode("utf-16-be")
    place = data.find(b"rXYZ")
    (offset,) = struct.unpack_from(">I", data, place + 4)
    struct.pack_into(">i", data, offset + 8, int(0.62 * 65536))
    return bytes(data)


def test_thirty_megabytes_are_scaled_down():
    noise = np.frombuffer(os.urandom(3_200 * 3_200 * 3), dtype=np.uint8).reshape(3_200, 3_200, 3)
    photo = saved(Image.fromarray(noise), "TIFF")
    assert len(photo) > 30_000_000
    reference, told = sent(photo)
    assert told.changes == ("from_tiff", "downscaled")
    assert (told.width, told.height) == (2048, 2048)
    assert len(reference.data) < 12_000_000


def test_a_photo_is_made_to_fit_what_one_picture_may_have():
    noise = np.frombuffer(os.urandom(1_500 * 1_500 * 3), dtype=np.uint8).reshape(1_500, 1_500, 3)
    photo = saved(Image.fromarray(noise), "PNG")
    reference, told = sent(photo, most_bytes=1_000_000)
    assert len(reference.data) <= 1_000_000
    assert "downscaled" in told.changes
    assert max(told.width, told.height) < 1_500


def test_what_cannot_be_made_small_enough_is_told():
    with pytest.raises(PictureTooLarge, match="Upload another"):
        sent(saved(drawing(), "PNG"), most_bytes=60)


def test_what_the_output_can_show_decides_how_large_a_photo_goes():
    photo = saved(drawing((6_000, 3_000)), "JPEG")
    assert sent(photo)[1].width == 2048
    assert sent(photo, longest_side=4_000)[1].width == 4_000
    assert sent(photo, longest_side=8_000)[1].changes == ()


@pytest.mark.parametrize(
    ("damaged", "kind"),
    [
        (heic(drawing())[:-2_00], PictureUnreadable),
        (heic(drawing())[:200], PictureUnreadable),
        (b"", PictureError),
        (b"Just words in a file called mug.jpg", PictureUnreadable),
        (saved(drawing(), "TIFF")[:-9_000], PictureUnreadable),
    ],
    ids=["cut heic", "heic without pixels", "nothing", "words", "cut tiff"],
)
def test_what_is_no_sound_picture_is_told(damaged, kind):
    with pytest.raises(kind):
        sent(damaged)


def test_a_heic_that_claims_to_be_huge_is_refused_before_it_is_unpacked():
    photo = heic(drawing())
    with pytest.raises(PictureTooLarge, match="320 x 240"):
        as_reference(photo, limits=Limits(reads=READS), max_bytes=2**26, max_pixels=1_000)


def test_a_heic_stands_upright_once_and_not_twice():
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    reference, told = sent(heic(turned, exif=gps_exif(orientation=6)))
    assert (told.width, told.height) == (320, 240)
    looks_right(shown(reference))
    assert b"camera that tells" not in reference.data
