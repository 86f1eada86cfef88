"""Pixels to files and back."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from nb_catalog import storage
from nb_catalog.exceptions import PictureTooLarge
from nb_catalog.imaging import encode, inspect
from tests.imaging.pictures import LIMITS, bottle, colourful


@pytest.mark.parametrize("format", encode.FORMATS)
def test_what_is_written_is_what_was_asked_for(format):
    facts = inspect.examine(encode.encode(colourful(), format=format), **LIMITS)
    assert (facts.mime_type, facts.width) == (encode.MIME_TYPES[format], 64)
    assert facts.mime_type in storage.EXTENSIONS


@pytest.mark.parametrize("format", encode.FORMATS)
def test_an_array_and_an_image_give_the_same_file(format):
    pixels = np.asarray(colourful())
    one = encode.encode(pixels, format=format)
    assert one == encode.encode(colourful(), format=format)


@pytest.mark.parametrize("format", ["webp", "avif", "png"])
def test_transparency_survives_where_the_format_has_it(format):
    photo = inspect.open_photo(encode.encode(bottle(64), format=format), **LIMITS)
    assert photo.mode == "RGBA"
    assert photo.getchannel("A").getextrema() == (0, 255)


def test_jpeg_asks_for_see_through_pixels_to_be_flattened_first():
    with pytest.raises(ValueError, match="flatten"):
        encode.encode(bottle(64), format="jpeg")
    flat = encode.flatten(bottle(64), background="#ff0000")
    assert (flat.mode, flat.getpixel((0, 0))) == ("RGB", (255, 0, 0))
    assert encode.encode(flat, format="jpeg").startswith(b"\xff\xd8")


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="jpeg, webp, avif, png"):
        encode.encode(colourful(), format="bmp")


@pytest.mark.parametrize(("full", "sampling"), [(True, 0), (False, 2)])
def test_masters_keep_their_colour_at_full_resolution(full, sampling):
    data = encode.encode(colourful(), format="jpeg", full_chroma=full)
    with Image.open(BytesIO(data)) as image:
        assert JpegImagePlugin.get_sampling(image) == sampling


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
def test_less_quality_makes_a_smaller_file(format):
    small, large = (encode.encode(colourful(), format=format, quality=q) for q in (20, 95))
    assert len(small) < len(large)


def test_nothing_that_came_with_the_picture_is_written():
    image = colourful()
    image.info = {"icc_profile": b"x" * 500, "comment": b"secret", "exif": b"Exif\0\0secret"}
    for format in encode.FORMATS:
        assert b"secret" not in encode.encode(image, format=format)
        assert b"x" * 50 not in encode.encode(image, format=format)


def test_a_picture_is_made_smaller_and_never_larger():
    image = colourful(640, 481)
    assert encode.shrink(image, width=320).size == (320, 240)
    assert encode.shrink(image, width=640) is image
    assert encode.shrink(image, width=2000) is image
    assert encode.shrink(colourful(900, 2), width=16).size == (16, 1)
    with pytest.raises(ValueError, match="at least 1 pixel, got"):
        encode.shrink(image, width=0)


def test_hidden_colours_do_not_bleed_into_edges_when_a_picture_is_made_smaller():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 1] = 255  # green where nobody can see it
    pixels[:, 31:] = (200, 0, 0, 255)
    small = np.asarray(encode.shrink(Image.fromarray(pixels), width=16))
    assert small[small[..., 3] > 16][:, 1].max() < 12


def test_a_solid_picture_is_flattened_by_leaving_it_alone():
    assert encode.flatten(image := colourful()) is image
    assert encode.flatten(colourful().convert("L")).mode == "RGB"


def test_a_master_is_lossless_only_where_it_fits():
    noise = Image.effect_noise((128, 128), 80).convert("RGB")
    png = encode.encode(noise, format="png")
    jpeg = encode.encode(noise, format="jpeg", quality=encode.MASTER_QUALITY, full_chroma=True)
    assert len(jpeg) < len(png)

    def master(picture, *, lossless=True, max_bytes):
        return encode.encode_master(picture, lossless=lossless, xmp=b"", max_bytes=max_bytes)

    assert master(noise, max_bytes=len(png)) == (png, "png")
    assert master(noise, max_bytes=len(png) - 1) == (jpeg, "jpeg")
    assert master(noise, lossless=False, max_bytes=len(png)) == (jpeg, "jpeg")
    with pytest.raises(PictureTooLarge, match=f"{len(jpeg) - 1:,} bytes"):
        master(noise, max_bytes=len(jpeg) - 1)
    clear = np.dstack([np.asarray(noise), np.zeros((128, 128), np.uint8)])
    assert master(clear, lossless=False, max_bytes=10**6)[1] == "png"
    with pytest.raises(PictureTooLarge):
        master(clear, max_bytes=len(jpeg))
