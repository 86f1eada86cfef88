"""Colours are what a file says they are, in every way in which its format can say it."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from nb_catalog.imaging import inspect
from nb_catalog.imaging.references import Limits, as_reference
from tests.imaging import odd_files as odd
from tests.imaging.odd_files import BLUE, RED, SIZE, drawing, flat, jpeg, png, stored
from tests.imaging.pictures import LIMITS, png_chunk, saved

ADOBE = {"space": "adobe", "gamma": 563 / 256}
COLOUR_SPACE, GAMMA, WHITE, PRIMARIES, TRANSFER = 0xA001, 0xA500, 0x013E, 0x013F, 0x012D
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def adobe_red(depth=8):
    return flat(stored(RED, top=2**depth - 1, **ADOBE))


def iccp(profile):
    return png_chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))


def cicp(*points):
    return png_chunk(b"cICP", bytes(points))


def with_coded_space(data, primaries, transfer):
    """An AVIF or HEIC whose box "nclx" has other code points."""
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def heic(image, **options):
    file = BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=95, chroma=444, **options)
    return file.getvalue()


def pq(colour):
    """BT.2100's PQ of a colour whose white has 203 cd/m2, in the primaries of P3."""
    there = np.clip(odd.FROM_XYZ["p3"] @ odd.TO_XYZ @ odd.light(colour), 0, 1) * 203 / 10_000
    power = there**0.1593017578125
    return tuple(
        np.rint(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)
    )


UNCALIBRATED = {COLOUR_SPACE: 65535}
ADOBE_TAGS = {WHITE: odd.ADOBE_XY[:2], PRIMARIES: odd.ADOBE_XY[2:]}
RED_FILES = {
    "jpeg, icc": jpeg(drawing(**ADOBE), icc_profile=odd.ADOBE_RGB),
    "jpeg, exif r03": jpeg(
        drawing(**ADOBE), exif=odd.exif(details=UNCALIBRATED, interoperability="R03")
    ),
    "jpeg, exif 2": jpeg(drawing(**ADOBE), exif=odd.exif(details={COLOUR_SPACE: 2})),
    "jpeg, exif primaries": jpeg(
        drawing(**ADOBE), exif=odd.exif(main=ADOBE_TAGS, details=UNCALIBRATED | {GAMMA: 2.19921875})
    ),
    "jpeg, exif gamma": jpeg(
        drawing(gamma=1.8), exif=odd.exif(details=UNCALIBRATED | {GAMMA: 1.8})
    ),
    "jpeg, exif sRGB after all": jpeg(exif=odd.exif(main=ADOBE_TAGS, details={COLOUR_SPACE: 1})),
    "jpeg, profile before exif": jpeg(
        icc_profile=SRGB_PROFILE, exif=odd.exif(details={COLOUR_SPACE: 2})
    ),
    "jpeg, exif after a broken profile": jpeg(
        drawing(**ADOBE), icc_profile=odd.ADOBE_RGB[:90], exif=odd.exif(details={COLOUR_SPACE: 2})
    ),
    "jpeg, exif after a grey profile": jpeg(
        drawing(**ADOBE), icc_profile=odd.GREY_LINEAR, exif=odd.exif(details={COLOUR_SPACE: 2})
    ),
    "jpeg, rgb with app14": jpeg(keep_rgb=True),
    "jpeg, cmyk": jpeg(drawing().convert("CMYK")),
    "png, icc": png(adobe_red(), chunks=iccp(odd.ADOBE_RGB)),
    "png, 16 bits, icc": png(adobe_red(16), depth=16, chunks=iccp(odd.ADOBE_RGB)),
    "png, gamma": png(flat(stored(RED, gamma=1.8)), chunks=odd.gamma_chunk(1.8)),
    "png, linear": png(flat(stored(RED, gamma=1, top=65535)), depth=16, chunks=odd.gamma_chunk(1)),
    "png, gamma of sRGB": png(flat(RED), chunks=odd.gamma_chunk(2.2)),
    "png, primaries": png(
        adobe_red(), chunks=odd.gamma_chunk(563 / 256) + odd.chromaticities(*odd.ADOBE_XY)
    ),
    "png, sRGB before primaries": png(
        flat(RED),
        chunks=odd.gamma_chunk(1) + odd.chromaticities(*odd.ADOBE_XY) + png_chunk(b"sRGB", b"\0"),
    ),
    "png, cicp": png(flat(stored(RED, "p3")), chunks=cicp(12, 13, 0, 1)),
    "png, cicp before icc": png(
        flat(stored(RED, "p3")), chunks=cicp(12, 13, 0, 1) + iccp(odd.ADOBE_RGB)
    ),
    "png, cicp of sRGB before icc": png(flat(RED), chunks=cicp(1, 13, 0, 1) + iccp(odd.ADOBE_RGB)),
    "png, cicp, narrow": png(
        flat([round(16 + 219 * each / 255) for each in RED]), chunks=cicp(1, 13, 0, 0)
    ),
    "png, cicp, pq": png(flat(pq(RED)), chunks=cicp(12, 16, 0, 1)),
    "png, exif": saved(drawing(**ADOBE), "PNG", exif=odd.exif(details={COLOUR_SPACE: 2})),
    "png, exif after pixels": png(
        adobe_red(), after=png_chunk(b"eXIf", odd.exif(details={COLOUR_SPACE: 2})[6:])
    ),
    "png, palette": saved(drawing(**ADOBE).quantize(8), "PNG", icc_profile=odd.ADOBE_RGB),
    "png, palette with a hole": saved(
        drawing(**ADOBE).quantize(8), "PNG", icc_profile=odd.ADOBE_RGB, transparency=7
    ),
    "png, alpha": png(
        flat((*stored(RED, **ADOBE), 200), channels=4), kind=6, chunks=iccp(odd.ADOBE_RGB)
    ),
    "webp, icc": saved(drawing(**ADOBE), "WEBP", lossless=True, icc_profile=odd.ADOBE_RGB),
    "webp, exif": saved(
        drawing(**ADOBE), "WEBP", lossless=True, exif=odd.exif(details={COLOUR_SPACE: 2})
    ),
    "avif, icc": saved(
        drawing(**ADOBE), "AVIF", quality=98, subsampling="4:4:4", icc_profile=odd.ADOBE_RGB
    ),
    "avif, nclx": with_coded_space(
        saved(drawing("p3"), "AVIF", quality=98, subsampling="4:4:4"), 12, 13
    ),
    "heic, icc": heic(drawing(**ADOBE), icc_profile=odd.ADOBE_RGB),
    "heic, nclx": with_coded_space(heic(drawing("p3")), 12, 13),
    "tiff, icc": saved(drawing(**ADOBE), "TIFF", icc_profile=odd.ADOBE_RGB),
    "tiff, tags": odd.tiff_with(
        ADOBE_TAGS
        | {TRANSFER: tuple(round(65535 * (each / 255) ** (563 / 256)) for each in range(256)) * 3},
        drawing(**ADOBE),
    ),
    "tiff, tags of sRGB": odd.tiff_with(
        {WHITE: (0.3127, 0.3290), PRIMARIES: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)}, drawing()
    ),
    "tiff, cmyk": saved(drawing().convert("CMYK"), "TIFF"),
    "tiff, lab": saved(
        ImageCms.profileToProfile(
            drawing(),
            ImageCms.createProfile("sRGB"),
            ImageCms.createProfile("LAB"),
            outputMode="LAB",
        ),
        "TIFF",
    ),
}


@pytest.mark.parametrize("name", RED_FILES)
def test_red_is_red_however_its_colour_space_is_stated(name):
    photo = inspect.open_photo(RED_FILES[name], **LIMITS)
    pixel = photo.getpixel((SIZE[0] // 4, SIZE[1] // 2))
    assert np.abs(np.subtract(pixel[:3], RED)).max() <= 2, pixel
    if "png" not in name or "palette" in name:
        pixel = photo.getpixel((SIZE[0] * 3 // 4, SIZE[1] // 2))
        # Blue's red, 40, is a small share of its light, of which a codec's chroma has a few levels.
        assert np.abs(np.subtract(pixel[:3], BLUE)).max() <= (6 if "avif" in name else 3), pixel


@pytest.mark.parametrize("name", RED_FILES)
def test_a_model_gets_srgb_without_a_profile(name):
    reads = frozenset({"image/png", "image/jpeg", "image/webp"})
    reference, _sent = as_reference(RED_FILES[name], limits=Limits(reads=reads), **LIMITS)
    with Image.open(BytesIO(reference.data)) as image:
        assert not {"icc_profile", "gamma", "chromaticity", "srgb"} & set(image.info)
        pixel = image.convert("RGB").getpixel((SIZE[0] // 4, SIZE[1] // 2))
    wanted = [round(each * 200 / 255 + 55) for each in RED] if name == "png, alpha" else RED
    assert np.abs(np.subtract(pixel, wanted)).max() <= 3, pixel


GREY = stored((120, 120, 120), gamma=1.0)[0]
GREY_16 = stored((120, 120, 120), gamma=1.0, top=65535)[0]
GREY_FILES = {
    "8 bits": png(flat([GREY], channels=1), kind=0, chunks=iccp(odd.GREY_LINEAR)),
    "16 bits": png(flat([GREY_16], channels=1), kind=0, depth=16, chunks=iccp(odd.GREY_LINEAR)),
    "alpha": png(flat([GREY, 200], channels=2), kind=4, chunks=iccp(odd.GREY_LINEAR)),
    "16 bits, alpha": png(
        flat([GREY_16, 51_400], channels=2), kind=4, depth=16, chunks=iccp(odd.GREY_LINEAR)
    ),
    "a hole": png(
        flat([GREY], channels=1), kind=0, chunks=iccp(odd.GREY_LINEAR) + png_chunk(b"tRNS", b"\0\7")
    ),
    "16 bits, a hole": png(
        flat([GREY_16], channels=1), kind=0, depth=16,
        chunks=iccp(odd.GREY_LINEAR) + png_chunk(b"tRNS", b"\0\7"),
    ),
    "jpeg": saved(Image.new("L", SIZE, GREY), "JPEG", quality=98, icc_profile=odd.GREY_LINEAR),
    "webp has no grey": saved(Image.new("RGB", SIZE, (120,) * 3), "WEBP", lossless=True),
    "tiff": saved(Image.new("L", SIZE, GREY), "TIFF", icc_profile=odd.GREY_LINEAR),
    "gamma": png(flat([GREY], channels=1), kind=0, chunks=odd.gamma_chunk(1)),
    "profile of colours": png(
        flat([stored((120,) * 3, gamma=563 / 256)[0]], channels=1), kind=0, chunks=iccp(odd.ADOBE_RGB)
    ),
    "exif": saved(
        Image.new("L", SIZE, stored((120,) * 3, gamma=563 / 256)[0]), "JPEG", quality=98,
        exif=odd.exif(details={COLOUR_SPACE: 2}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GREY_FILES)
def test_grey_is_grey_however_its_curve_is_stated(name):
    pixel = inspect.open_photo(GREY_FILES[name], **LIMITS).getpixel((9, 9))
    assert np.abs(np.subtract(pixel[:3], 120)).max() <= 2, pixel
    if "alpha" in name:
        assert pixel[3] == 200


def test_a_hole_in_16_bits_of_grey_is_a_hole():
    rows = flat([GREY_16], channels=1).copy()
    rows[:, :80] = 7
    data = png(rows, kind=0, depth=16, chunks=iccp(odd.GREY_LINEAR) + png_chunk(b"tRNS", b"\0\7"))
    photo = inspect.open_photo(data, **LIMITS)
    assert photo.getpixel((10, 10))[3] == 0
    assert photo.getpixel((90, 10))[3] == 255


def test_a_gif_s_profile_is_its_colour_space():
    data = saved(drawing(**ADOBE).quantize(8), "GIF")
    blocks = b"".join(
        bytes([len(part)]) + part
        for part in (odd.ADOBE_RGB[at : at + 255] for at in range(0, len(odd.ADOBE_RGB), 255))
    )
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    data = data[:at] + b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0" + data[at:]
    pixel = inspect.open_photo(data, **LIMITS).getpixel((SIZE[0] // 4, SIZE[1] // 2))
    assert np.abs(np.subtract(pixel, RED)).max() <= 2


@pytest.mark.parametrize("factor", [1, 3])
def test_hidden_colours_stay_hidden_when_a_photo_is_scaled_while_it_is_read(factor):
    rows = np.zeros((96, 96, 4), np.uint8)
    rows[..., 1] = 255  # green where nobody sees it
    rows[:, 31:] = (200, 0, 0, 255)
    photo = inspect.open_photo(png(rows, kind=6), longest_side=96 // factor, **LIMITS)
    seen = np.asarray(photo)
    assert seen[seen[..., 3] > 16][:, 1].max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_that_is_scaled_while_it_is_read_is_upright_too(orientation):
    upright = Image.new("RGB", (1600, 1200), (250, 250, 250))
    upright.paste((250, 10, 10), (0, 0, 800, 600))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    turned = upright if undo is None else upright.transpose(Image.Transpose(undo))
    for kind in ("PNG", "TIFF", "JPEG", "WEBP"):
        data = saved(turned, kind, exif=odd.exif(main={0x0112: orientation}))
        photo = inspect.open_photo(data, longest_side=200, **LIMITS)
        assert photo.size == (200, 150)
        assert np.abs(np.subtract(photo.getpixel((30, 30)), (250, 10, 10))).max() < 12
        assert np.abs(np.subtract(photo.getpixel((150, 30)), 250)).max() < 12
        assert np.abs(np.subtract(photo.getpixel((30, 120)), 250)).max() < 12
