"""The product's own photo as a picture: the same pixels wherever nothing has to be changed."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import (
    CropRefused,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
)
from nb_catalog.imaging.decoding import heic_reader
from nb_catalog.imaging.encode import XMP_IN_PNG
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.metadata import MAX_JPEG_PACKET, with_xmp, without_metadata
from nb_catalog.imaging.own_photo import (
    Place,
    crop_box,
    find_product,
    origin_of,
    own_photo,
    picture_size,
)
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, xmp_packet
from tests.imaging.pictures import LIMITS, NO_PHOTOS, PHOTOS, bottle, colourful, saved

GPS = {34853: {1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 32.0, 0.0)}}
MAKER = "Camera of the shop"


def packshot(size=(800, 600), *, box=(300, 150, 500, 450), ground=(240, 240, 240)):
    """A product on an even background, at ``box``."""
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=(30, 60, 160))
    return image


def exif(*, orientation=1):
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = MAKER, orientation
    tags.get_ifd(34853).update(GPS[34853])
    return tags.tobytes()


def made(photo, **options):
    return own_photo(photo, **options, **LIMITS)


def pixels(data):
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def stripped(data):
    """``data`` without the mark: byte for byte what a decoder needs."""
    with Image.open(BytesIO(data)) as image:
        return without_metadata(data, mime_type=Image.MIME[image.format])


UNCHANGED = {
    "jpeg": saved(colourful(), "JPEG", quality=81, exif=exif(), comment=b"of the shop"),
    "jpeg 4:4:4": saved(colourful(), "JPEG", quality=95, subsampling=0),
    "progressive": saved(colourful(), "JPEG", progressive=True, exif=exif()),
    "grey jpeg": saved(colourful().convert("L"), "JPEG"),
    "png": saved(colourful(), "PNG", exif=exif()),
    "palette": saved(colourful().convert("P"), "PNG"),
    "palette with a transparent colour": saved(colourful().convert("P"), "PNG", transparency=3),
    "rgba": saved(bottle(128)),
    "webp": saved(colourful(), "WEBP", quality=70, exif=exif()),
    "lossless webp": saved(colourful(), "WEBP", lossless=True),
    "lossless webp with alpha": saved(bottle(128), "WEBP", lossless=True),
    "webp with alpha": saved(bottle(128), "WEBP", quality=80, exif=exif()),
}


@pytest.mark.parametrize("photo", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_a_photo_that_needs_no_change_keeps_every_byte_of_its_pixels(photo):
    picture = made(photo)
    assert picture.changes == ()
    assert stripped(picture.data) == stripped(photo)
    assert np.array_equal(pixels(picture.data), pixels(photo))
    assert read_mark(picture.data) == DigitalSourceType.CAPTURE


@pytest.mark.parametrize("photo", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_nothing_but_the_mark_is_left_of_its_metadata(photo):
    data = made(photo).data
    assert MAKER.encode() not in data and b"of the shop" not in data
    with Image.open(BytesIO(data)) as image:
        image.load()
        assert not image.getexif()
        assert "icc_profile" not in image.info and "comment" not in image.info
        packet = image.info.get("xmp") or image.info[XMP_IN_PNG].encode()
    assert packet == xmp_packet(DigitalSourceType.CAPTURE)


def test_the_mark_is_where_its_format_wants_it():
    data = made(UNCHANGED["jpeg"]).data
    assert data[2:4] == b"\xff\xe0" and data[6:11] == b"JFIF\0", "which has to be the first segment"
    assert data[20:22] == b"\xff\xe1"
    data = made(UNCHANGED["png"]).data
    assert (data[12:16], data[37:41]) == (b"IHDR", b"iTXt")
    for name, flags in (
        ("webp", 0b0100), ("lossless webp", 0b0100),
        ("webp with alpha", 0b1_0100), ("lossless webp with alpha", 0b1_0100),
    ):  # fmt: skip
        data = made(UNCHANGED[name]).data
        assert (data[12:16], data[20]) == (b"VP8X", flags)
        assert len(data) == 8 + int.from_bytes(data[4:8], "little")


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "lossless webp with alpha"])
def test_marking_twice_gives_the_same_file(name):
    once = made(UNCHANGED[name]).data
    assert made(once).data == once


def test_a_packet_that_fits_no_segment_and_other_types_are_errors():
    with pytest.raises(ValueError, match="bytes at most"):
        with_xmp(UNCHANGED["jpeg"], b"x" * (MAX_JPEG_PACKET + 1), mime_type="image/jpeg")
    with pytest.raises(ValueError, match="only JPEG, PNG and WebP"):
        with_xmp(saved(colourful(), "GIF"), b"x", mime_type="image/gif")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photo_is_upright(orientation):
    photo = saved(colourful(64, 48), "JPEG", quality=95, exif=exif(orientation=orientation))
    picture = made(photo)
    assert picture.changes == ("turned",)
    expected = np.asarray(open_photo(photo, **LIMITS)).astype(int)
    shown = pixels(picture.data).astype(int)
    assert shown.shape == expected.shape
    assert (shown.shape[0] > shown.shape[1]) == (orientation != 3)
    assert np.abs(shown - expected).mean() < 2
    assert MAKER.encode() not in picture.data


def test_cmyk_becomes_srgb():
    picture = made(saved(packshot().convert("CMYK"), "JPEG", quality=95))
    assert (picture.changes, picture.mime_type) == (("from_cmyk",), "image/jpeg")
    with Image.open(BytesIO(picture.data)) as image:
        assert image.mode == "RGB"
        assert np.abs(np.subtract(image.getpixel((400, 300)), (30, 60, 160))).max() < 12


def test_16_bits_become_8_without_another_loss():
    deep = np.linspace(0, 65_535, 64 * 48).reshape(48, 64).astype(np.uint16)
    picture = made(saved(Image.fromarray(deep), "PNG"))
    assert (picture.changes, picture.mime_type) == (("to_8_bit",), "image/png")
    expected = np.asarray(open_photo(saved(Image.fromarray(deep), "PNG"), **LIMITS))
    assert np.array_equal(pixels(picture.data), expected)


def test_another_colour_space_becomes_srgb():
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA001] = 2
    photo = saved(packshot(), "JPEG", quality=95, exif=tags.tobytes())
    picture = made(photo)
    assert "to_srgb" in picture.changes
    expected = np.asarray(open_photo(photo, **LIMITS)).astype(int)
    assert np.abs(pixels(picture.data).astype(int) - expected).mean() < 1
    assert np.abs(pixels(picture.data).astype(int) - pixels(photo)).max() > 8, "it was converted"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_the_picture(kind):
    frames = [packshot(), packshot(box=(0, 0, 50, 50))]
    photo = saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    picture = made(photo)
    assert "first_frame" in picture.changes
    with Image.open(BytesIO(picture.data)) as image:
        assert getattr(image, "n_frames", 1) == 1
    assert np.array_equal(pixels(picture.data), np.asarray(open_photo(photo, **LIMITS)))


def test_a_heic_photo_becomes_a_jpeg():
    if heic_reader() is None:
        pytest.skip('the extra "heic" is not installed')
    from pillow_heif import from_pillow

    file = BytesIO()
    from_pillow(packshot()).save(file, quality=95, exif=exif())
    picture = made(file.getvalue())
    assert (picture.changes[0], picture.mime_type) == ("from_heic", "image/jpeg")
    assert MAKER.encode() not in picture.data
    assert read_mark(picture.data) == DigitalSourceType.CAPTURE


def test_a_heic_photo_that_a_phone_s_model_retouched_says_so():
    if heic_reader() is None:
        pytest.skip('the extra "heic" is not installed')
    from pillow_heif import from_pillow

    file = BytesIO()
    packet = xmp_packet(DigitalSourceType.COMPOSITE_WITH_MODEL)
    from_pillow(packshot()).save(file, quality=95, xmp=packet)
    assert read_mark(made(file.getvalue()).data) == DigitalSourceType.COMPOSITE_WITH_MODEL


def test_transparency_stays_and_its_product_is_known():
    picture = made(saved(bottle(400), "TIFF"))
    assert (picture.changes, picture.mime_type) == (("from_tiff",), "image/png")
    assert np.array_equal(pixels(picture.data), np.asarray(bottle(400)))
    left, top, right, bottom = bottle(400).getchannel("A").getbbox()
    assert picture.product.holds(Rect(left, top, right - left, bottom - top))
    assert picture.product.width < 1.1 * (right - left) + 4


# Crops.


def test_a_crop_is_around_the_product_and_touches_no_pixel_of_a_lossless_photo():
    photo = saved(packshot((800, 600), box=(40, 150, 240, 450)))
    picture = made(photo, ratio="1:1")
    assert (picture.changes, picture.mime_type) == (("cropped",), "image/png")
    assert np.array_equal(pixels(picture.data), pixels(photo)[:, :600])
    assert picture.product.holds(Rect(40, 150, 200, 300))
    right = made(saved(packshot((800, 600), box=(440, 150, 640, 450))), ratio="3:4")
    blue = (pixels(right.data).astype(int)[..., 2] < 200).any(axis=0).nonzero()[0]
    assert abs((blue[0] + blue[-1] + 1) / 2 - 225) <= 4, "in the middle"
    assert right.product.left <= blue[0] and right.product.right >= blue[-1] + 1
    assert right.product.width < 220


def test_the_crop_of_a_jpeg_keeps_colour_in_full():
    picture = made(saved(packshot(), "JPEG", quality=95), ratio="1:1")
    expected = pixels(saved(packshot(), "JPEG", quality=95))[:, 100:700].astype(int)
    assert np.abs(pixels(picture.data).astype(int) - expected).mean() < 0.5


def test_a_photo_that_nearly_has_the_ratio_is_not_cropped():
    photo = saved(packshot((810, 1000)), "JPEG")
    assert made(photo, ratio="4:5").changes == ()
    assert picture_size(photo, ratio="4:5", **LIMITS) == (810, 1000)


def test_what_is_not_known_is_cropped_in_the_middle():
    photo = saved(colourful(640, 480))
    assert find_product(photo, size=Size(640, 480), **LIMITS) is None
    assert np.array_equal(pixels(made(photo, ratio="1:1").data), pixels(photo)[:, 80:560])


def test_what_reaches_three_edges_is_a_scene_and_not_a_product():
    image = packshot((640, 480), box=(300, 0, 330, 480))
    photo = saved(image)
    assert find_product(photo, size=Size(640, 480), **LIMITS).body.height == 480
    ImageDraw.Draw(image).rectangle((0, 230, 320, 250), fill=(30, 60, 160))
    assert find_product(saved(image), size=Size(640, 480), **LIMITS) is None


@pytest.mark.parametrize("kind", ["plain", "alpha"])
def test_a_product_is_never_cut(kind):
    wide = packshot((800, 600), box=(50, 200, 750, 400))
    if kind == "alpha":
        outline = np.asarray(wide.convert("L")) < 200
        wide.putalpha(Image.fromarray(outline.astype(np.uint8) * 255))
    photo = saved(wide)
    for function in (made, lambda photo, ratio: picture_size(photo, ratio=ratio, **LIMITS)):
        with pytest.raises(CropRefused, match="cropped to 1:1"):
            function(photo, ratio="1:1")
    assert made(photo, ratio="16:9").changes == ("cropped",)


def test_a_photo_that_is_the_product_from_border_to_border_is_not_cropped():
    photo = saved(colourful(640, 480))
    with pytest.raises(CropRefused):
        made(photo, ratio="1:1", is_full_frame=True)
    whole = made(photo, ratio="4:3", is_full_frame=True)
    assert (whole.changes, whole.product) == ((), None)


def test_the_opaque_product_is_in_the_middle_and_its_shadow_inside():
    place = Place(extent=Rect(100, 100, 400, 300), body=Rect(100, 100, 100, 200))
    assert crop_box(Size(1000, 500), ratio="1:1", place=place) == Rect(0, 0, 500, 500)
    place = Place(extent=Rect(200, 100, 480, 300), body=Rect(580, 100, 100, 200))
    assert crop_box(Size(1000, 500), ratio="1:1", place=place) == Rect(200, 0, 500, 500)


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9", "1.91:1", "9:16"])
@pytest.mark.parametrize("size", [(800, 600), (600, 801), (1001, 333), (47, 46)])
def test_a_crop_has_the_ratio_lies_inside_and_is_as_large_as_possible(size, ratio):
    try:
        crop = crop_box(Size(*size), ratio=ratio, place=None)
    except CropRefused:
        assert min(size) < 60
        return
    across, down = map(float, ratio.split(":"))
    crop = crop or Rect(0, 0, *size)
    assert Rect(0, 0, *size).holds(crop)
    assert crop.width == size[0] or crop.height == size[1]
    assert abs(crop.width - crop.height * across / down) <= max(1.0, 0.02 * crop.width)


@pytest.mark.parametrize("ratio", ["", "4:5"])
def test_the_size_that_a_plan_finds_out_is_the_picture_s(ratio):
    for photo in (saved(packshot()), saved(colourful(333, 222), "JPEG", exif=exif(orientation=6))):
        height, width = pixels(made(photo, ratio=ratio).data).shape[:2]
        assert picture_size(photo, ratio=ratio, **LIMITS) == (width, height)


# Bad input.


@pytest.mark.parametrize(
    ("photo", "limits", "error"),
    [
        (b"", {}, PictureMissing),
        (b"no picture", {}, PictureUnreadable),
        (saved(colourful(), "JPEG")[:400], {}, PictureUnreadable),
        (saved(colourful(), "PNG")[:-20], {}, PictureUnreadable),
        (saved(colourful()), {"max_pixels": 3000}, PictureTooLarge),
        (saved(colourful()), {"max_bytes": 100}, PictureTooLarge),
        (saved(colourful(31, 400)), {}, CropRefused),
    ],
    ids=["nothing", "text", "half a JPEG", "half a PNG", "pixels", "bytes", "tiny"],
)
def test_what_cannot_be_a_picture_is_an_error_in_the_plan_too(photo, limits, error):
    for function in (own_photo, picture_size):
        with pytest.raises(error):
            function(photo, **LIMITS | limits)


def test_what_is_too_large_without_loss_becomes_a_jpeg_unless_it_is_transparent():
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (200, 260, 3), np.uint8))
    transparent = noise.convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(noise.size))
    limits = LIMITS | {"max_bytes": 120_000}
    photo = saved(noise, "TIFF")
    assert own_photo(photo, **LIMITS).mime_type == "image/png"
    lossless = len(own_photo(photo, **LIMITS).data)
    assert len(photo) < lossless
    assert own_photo(photo, **LIMITS | {"max_bytes": lossless - 1}).mime_type == "image/jpeg"
    photo = saved(transparent, "WEBP", quality=1)
    assert len(photo) < limits["max_bytes"]
    with pytest.raises(PictureTooLarge, match=r"more than 120,000 bytes.*MAX_PICTURE_BYTES"):
        own_photo(photo, ratio="1:1", **limits)


# Origin.


def stated(term, kind="JPEG"):
    return saved(colourful(), kind, xmp=xmp_packet(DigitalSourceType(term)))


@pytest.mark.parametrize("term", list(DigitalSourceType))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_photo_s_own_mark_is_kept(term, kind):
    if kind == "TIFF":
        photo = saved(colourful(), kind, tiffinfo={700: xmp_packet(term)})
    else:
        photo = stated(term, kind)
    assert read_mark(made(photo).data) == term
    assert read_mark(made(photo, ratio="1:1").data) == term


def test_a_compressed_mark_in_a_png_is_kept():
    text = PngImagePlugin.PngInfo()
    text.add_itxt(XMP_IN_PNG, xmp_packet(DigitalSourceType.MODEL).decode(), zip=True)
    photo = saved(colourful(), "PNG", pnginfo=text)
    assert b"trainedAlgorithmicMedia" not in photo
    assert read_mark(made(photo).data) == DigitalSourceType.MODEL


def test_what_a_c2pa_manifest_states_counts_too():
    claim = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    photo = saved(colourful(), "JPEG", exif=exif())
    store = b"JP\0\1\0\0\0\1\0\0\0\x60jumb\0\0\0\x20jumdc2pa" + claim
    photo = photo[:2] + b"\xff\xeb" + (len(store) + 2).to_bytes(2, "big") + store + photo[2:]
    assert read_mark(photo) is None
    picture = made(photo)
    assert picture.changes == () and claim not in picture.data.partition(b"<?xpacket")[0]
    assert read_mark(picture.data) == DigitalSourceType.MODEL


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("compositeSynthetic", "compositeWithTrainedAlgorithmicMedia"),
        ("composite", "compositeWithTrainedAlgorithmicMedia"),
        ("virtualRecording", "algorithmicMedia"),
        ("minorHumanEdits", "digitalCapture"),
        ("negativeFilm", "digitalCapture"),
        ("aWordThatNobodyKnows", "digitalCapture"),
    ],
)
def test_terms_that_are_not_used_here_never_claim_less(term, expected):
    packet = xmp_packet(DigitalSourceType.CAPTURE).replace(b"digitalCapture", term.encode())
    assert origin_of(saved(colourful(), "JPEG", xmp=packet)) == expected


# Real photos.


REAL = ("saleor-mighty-mug.png", "saleor-sunnies.png", "sylius-cap_01.jpg", "sylius-dress_01.jpg")


@pytest.mark.parametrize("name", REAL)
def test_real_photos_keep_their_pixels_and_are_cropped_around_what_they_show(name):
    if not (PHOTOS / name).is_file():
        pytest.skip(NO_PHOTOS)
    photo = (PHOTOS / name).read_bytes()
    whole = made(photo)
    assert whole.changes == () and np.array_equal(pixels(whole.data), pixels(photo))
    assert read_mark(whole.data) == DigitalSourceType.CAPTURE
    cropped = pixels(made(photo, ratio="4:5").data)
    assert cropped.shape[1] / cropped.shape[0] == pytest.approx(0.8, rel=0.02)
    if cropped.shape[2] == 4:
        opaque = np.asarray(open_photo(photo, **LIMITS))[..., 3] > 24
        assert np.count_nonzero(cropped[..., 3] > 24) == np.count_nonzero(opaque)
