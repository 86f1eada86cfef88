"""Bytes from outside: told from one another, bounded, and never trusted."""

from __future__ import annotations

import random
import resource
import threading
import time
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms

from nb_catalog.exceptions import PictureError, PictureMissing, PictureTooLarge, PictureUnreadable
from nb_catalog.imaging import inspect
from tests.imaging import pictures
from tests.imaging.pictures import LIMITS, colourful, saved

FORMATS = {
    "image/png": ("PNG", {}),
    "image/jpeg": ("JPEG", {}),
    "image/webp": ("WEBP", {}),
    "image/avif": ("AVIF", {}),
    "image/gif": ("GIF", {}),
    "image/tiff": ("TIFF", {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize("mime_type", FORMATS)
def test_the_type_is_told_from_the_bytes(mime_type):
    name, options = FORMATS[mime_type]
    facts = inspect.examine(saved(colourful(), name, **options), **LIMITS)
    assert (facts.mime_type, facts.width, facts.height) == (mime_type, 64, 48)
    assert (facts.frames, facts.has_alpha, facts.decoded) == (1, False, True)


@pytest.mark.parametrize("nothing", [b"", None])
def test_no_bytes_are_a_missing_picture(nothing):
    with pytest.raises(PictureMissing, match="no bytes"):
        inspect.examine(nothing, **LIMITS)
    with pytest.raises(PictureMissing):
        inspect.open_photo(nothing, **LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"Dear Sir or Madam, attached is the picture.png you asked for.",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\x89",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0isom",
        b"\0\0\0\x10ftyp",
    ],
)
def test_what_is_no_picture_is_refused_with_the_formats_that_are(data):
    with pytest.raises(PictureUnreadable, match="PNG, JPEG, WebP, AVIF, GIF or TIFF"):
        inspect.examine(data, **LIMITS)


def test_a_heic_picture_says_what_reads_it_where_nothing_does(monkeypatch):
    monkeypatch.setattr("nb_catalog.imaging.inspect.heic_reader", lambda: None)
    with pytest.raises(PictureUnreadable, match=r"HEIC.*Export it as.*nb-catalog\[heic\]"):
        inspect.examine(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", **LIMITS)


@pytest.mark.parametrize("mime_type", FORMATS)
def test_a_file_that_was_cut_anywhere_before_its_last_bytes_is_refused(mime_type):
    name, options = FORMATS[mime_type]
    data = saved(colourful(), name, **options)
    # The last bytes of these only say that nothing follows.
    spare = {"GIF": 3, "JPEG": 2}.get(name, 0)
    for length in range(1, len(data) - spare, 1 + len(data) // 150):
        with pytest.raises(PictureUnreadable):
            inspect.examine(data[:length], **LIMITS)


def test_a_png_without_its_last_chunk_is_refused():
    data = saved(colourful())
    for lost in range(1, 13):
        with pytest.raises(PictureUnreadable, match="cut off"):
            inspect.examine(data[:-lost], **LIMITS)


def test_a_bomb_is_refused_from_its_header_with_hardly_any_memory():
    bomb = pictures.png_bomb(40_000, 40_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    for read in (inspect.examine, inspect.open_photo):
        with pytest.raises(PictureTooLarge, match=r"40,000 x 40,000 .* 110,000,000"):
            read(bomb, **LIMITS)
    assert time.process_time() - began < 2, "it was unpacked"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KB


def test_a_webp_bomb_is_refused_before_its_canvas_is_allocated():
    size = (16_382).to_bytes(3, "little")
    data = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size + size + b"\0" * 8
    with pytest.raises(PictureTooLarge, match="16,383 x 16,383"):
        inspect.examine(data, **LIMITS)


def test_a_picture_of_exactly_the_limit_passes_and_one_pixel_more_does_not():
    data = saved(colourful())
    assert inspect.examine(data, max_bytes=len(data), max_pixels=64 * 48).width == 64
    with pytest.raises(PictureTooLarge, match="MAX_PICTURE_PIXELS"):
        inspect.examine(data, max_bytes=len(data), max_pixels=64 * 48 - 1)
    with pytest.raises(PictureTooLarge, match="MAX_PICTURE_BYTES"):
        inspect.examine(data, max_bytes=len(data) - 1, max_pixels=64 * 48)


def test_pillows_own_limit_is_neither_used_nor_changed(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert inspect.examine(saved(colourful()), **LIMITS).height == 48
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("seed", range(6))
def test_damaged_files_raise_nothing_but_our_own_errors(seed):
    dice = random.Random(seed)
    whole = [saved(colourful(), name, **options) for name, options in FORMATS.values()]
    whole.append(saved(colourful(), "PNG", exif=_turned(6)))
    whole.append(saved(colourful().convert("CMYK"), "JPEG", exif=_turned(8)))
    refused = 0
    for _ in range(250):
        data = bytearray(dice.choice(whole))
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(min(len(data), 10 ** dice.randint(2, 4)))] = dice.randrange(256)
        read = dice.choice([inspect.examine, inspect.open_photo])
        try:
            # As a host runs it: Pillow's remarks about broken tags are no errors there.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(bytes(data), max_bytes=2**20, max_pixels=10**6)
        except PictureError:
            refused += 1
    assert refused > 50


def _turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_stands_upright_whatever_way_the_camera_was_held(orientation, name):
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32] = (250, 10, 10)
    upright[24:, 32:] = (10, 250, 10)
    stored = Image.fromarray(upright)
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Transpose.* that undoes the turn
    if orientation in back:
        stored = stored.transpose(Image.Transpose(back[orientation]))
    data = saved(stored, name, exif=_turned(orientation))
    facts = inspect.examine(data, **LIMITS)
    photo = inspect.open_photo(data, **LIMITS)
    assert (facts.width, facts.height) == photo.size == (64, 48)
    assert np.abs(np.asarray(photo).astype(int) - upright)[4:20, 4:28].max() < 30
    assert np.abs(np.asarray(photo).astype(int) - upright)[28:44, 36:60].max() < 30


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_make_a_broken_picture():
    data = saved(colourful(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert inspect.examine(data, **LIMITS).width == 64
    assert inspect.open_photo(data, **LIMITS).size == (64, 48)


def test_the_header_alone_can_be_read_and_says_so():
    data = saved(colourful())
    facts = inspect.examine(data[:200], **LIMITS, decode=False)
    assert (facts.width, facts.height, facts.decoded) == (64, 48, False)


def test_frames_are_counted_and_only_the_first_is_opened():
    first, second = colourful(), Image.new("RGB", (64, 48), "red")
    for name in ("GIF", "WEBP", "AVIF", "TIFF"):
        data = saved(first, name, save_all=True, append_images=[second])
        assert inspect.examine(data, **LIMITS).frames == 2
        photo = np.asarray(inspect.open_photo(data, **LIMITS)).astype(int)
        assert np.abs(photo - np.asarray(first)).mean() < 20  # lossy; red is 120 away


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(8, axis=0)
    expected = np.rint(ramp / 257.0)
    for name in ("PNG", "TIFF"):
        photo = inspect.open_photo(saved(Image.fromarray(ramp), name), **LIMITS)
        assert photo.mode == "RGB"
        assert np.abs(np.asarray(photo)[..., 1] - expected).max() <= 1


def test_floating_point_samples_from_nought_to_one_become_grey():
    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(8, axis=0)
    photo = inspect.open_photo(saved(Image.fromarray(ramp), "TIFF"), **LIMITS)
    assert np.abs(np.asarray(photo)[0, :, 0] - np.rint(ramp[0] * 255)).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_every_mode_of_a_shop_becomes_rgb(mode):
    name = {"CMYK": "JPEG", "YCbCr": "TIFF"}.get(mode, "PNG")
    photo = inspect.open_photo(saved(colourful().convert(mode), name), **LIMITS)
    assert (photo.mode, photo.size) == ("RGB", (64, 48))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_transparency_is_kept_where_there_is_some(mode):
    see_through = colourful().convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize((64, 48)))
    image = see_through.convert("P" if mode == "PA" else mode)
    photo = inspect.open_photo(saved(image), **LIMITS)
    assert photo.mode == "RGBA"
    assert photo.getchannel("A").getextrema()[0] < 10


def test_a_colour_declared_transparent_becomes_transparency():
    image = Image.new("RGB", (20, 20), (1, 2, 3))
    image.paste((200, 0, 0), (0, 0, 10, 20))
    photo = inspect.open_photo(saved(image, transparency=(1, 2, 3)), **LIMITS)
    assert photo.mode == "RGBA"
    assert (photo.getpixel((15, 5))[3], photo.getpixel((5, 5))[3]) == (0, 255)


def test_an_alpha_channel_without_a_hole_is_dropped():
    data = saved(colourful().convert("RGBA"))
    assert inspect.examine(data, **LIMITS).has_alpha
    assert inspect.open_photo(data, **LIMITS).mode == "RGB"


def test_an_embedded_profile_is_converted_to_srgb():
    profile = pictures.profile_with_red_and_blue_swapped()
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for image in (red, _half_transparent(red)):
        photo = inspect.open_photo(saved(image, icc_profile=profile), **LIMITS)
        pixel = photo.getpixel((4, 4))
        assert pixel[2] > 230 > 60 > pixel[0]
        assert photo.mode == image.mode
    assert pixel[3] == 100


def _half_transparent(image: Image.Image) -> Image.Image:
    copy = image.copy()
    copy.putalpha(100)
    return copy


def test_cmyk_goes_through_its_own_profile():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    plain = inspect.open_photo(saved(cyan, "TIFF"), **LIMITS).getpixel((8, 8))
    profile = pictures.cmyk_profile_whose_cyan_is_green()
    printed = inspect.open_photo(saved(cyan, "TIFF", icc_profile=profile), **LIMITS)
    assert plain[2] > 200
    assert printed.getpixel((8, 8))[1] > 140 > 110 > printed.getpixel((8, 8))[2]


@pytest.mark.parametrize("profile", [b"nonsense", None])
def test_an_unusable_profile_is_ignored(profile):
    if profile is None:  # one for other channels than the picture has
        profile = pictures.cmyk_profile_whose_cyan_is_green()
    photo = inspect.open_photo(saved(colourful(), icc_profile=profile), **LIMITS)
    assert np.array_equal(np.asarray(photo), np.asarray(colourful()))


def test_nothing_but_pixels_is_carried_along():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(colourful(), "JPEG", exif=_turned(6), icc_profile=srgb, comment=b"secret")
    photo = inspect.open_photo(data, **LIMITS)
    assert photo.info == {}
    assert type(photo) is Image.Image


def test_many_threads_may_judge_at_once():
    data, bomb = saved(colourful()), pictures.png_bomb(20_000, 20_000)
    wrong = []

    def judge():
        for _ in range(20):
            if inspect.examine(data, **LIMITS).width != 64:
                wrong.append("size")
            try:
                inspect.examine(bomb, **LIMITS)
            except PictureTooLarge:
                continue
            wrong.append("bomb")

    threads = [threading.Thread(target=judge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


JPEGS = {
    "baseline": {},
    "full colour": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
    "grey": {"mode": "L"},
}


def _jpeg(name, size=(200, 150)):
    options = dict(JPEGS[name])
    image = Image.effect_noise(size, 60).convert(options.pop("mode", "RGB"))
    return saved(image, "JPEG", quality=90, **options)


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("end", [b"", b"\xff", b"\0" * 4096])
def test_a_jpeg_that_lacks_only_its_end_is_accepted(name, end):
    whole = _jpeg(name)
    data = whole[:-2] + end
    assert inspect.examine(data, **LIMITS) == inspect.examine(whole, **LIMITS)
    photo = inspect.open_photo(data, **LIMITS)
    assert np.array_equal(np.asarray(photo), np.asarray(inspect.open_photo(whole, **LIMITS)))
    inspect.check_photo(data, **LIMITS)


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_lacks_a_single_pixel_is_refused(name):
    whole = _jpeg(name, size=(48, 40))
    # A decoder looks no further than it must: the last byte may be nothing but padding.
    for lost in [*range(4, 40), *range(40, len(whole) - 20, 41)]:
        for read in (inspect.examine, inspect.open_photo, inspect.check_photo):
            with pytest.raises(PictureUnreadable):
                read(whole[:-lost], **LIMITS)


def test_a_jpeg_that_ends_at_a_restart_is_refused():
    whole = _jpeg("restarts", size=(48, 40))
    restarts = [
        at for at in range(len(whole) - 1) if whole[at] == 0xFF and 0xD0 <= whole[at + 1] <= 0xD7
    ]
    assert len(restarts) > 3
    for at in restarts:
        for end in (at, at + 1, at + 2):
            with pytest.raises(PictureUnreadable):
                inspect.examine(whole[:end], **LIMITS)


def test_a_progressive_jpeg_without_its_last_scan_is_refused():
    whole = _jpeg("progressive")
    at = whole.rindex(b"\xff\xda")
    for data in (whole[:at], whole[: whole.rindex(b"\xff\xc4")]):
        with pytest.raises(PictureUnreadable, match="its end is missing"):
            inspect.open_photo(data, **LIMITS)


def test_a_photo_is_checked_without_being_decoded(monkeypatch):
    def decode(*args, **options):
        raise AssertionError("decoded")

    whole = [saved(colourful(), name) for name in ("JPEG", "PNG", "WEBP", "GIF")]
    monkeypatch.setattr(inspect.decoding, "decode", decode)
    for data in whole:
        inspect.check_photo(data, **LIMITS)
    for data in whole[1:]:
        with pytest.raises(PictureUnreadable, match="damaged or cut off"):
            inspect.check_photo(data[: len(data) * 2 // 3], **LIMITS)


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("side", [1, 50, 99, 100, 101, 1000])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_a_photo_is_scaled_down_to_the_side_that_is_asked_for_and_never_up(name, side):
    photo = inspect.open_photo(saved(colourful(400, 200), name), longest_side=side, **LIMITS)
    assert photo.size == (min(side, 400), max(1, round(min(side, 400) / 2)))
