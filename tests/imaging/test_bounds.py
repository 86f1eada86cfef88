"""No file takes more memory or time than a picture needs, whatever is in it."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nb_catalog.exceptions import PictureTooLarge, PictureUnreadable
from nb_catalog.imaging import decoder_process, decoding, inspect, provenance
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from tests.imaging import odd_files as odd
from tests.imaging.odd_files import drawing, jpeg, jpeg_with, png, segment, webp_with
from tests.imaging.pictures import LIMITS, png_chunk, saved

ROWS = np.asarray(drawing())
MARK = xmp_packet(DigitalSourceType.MODEL)


@pytest.fixture
def soon():
    """Fails a test whose work took longer than any picture of its size may; a second, at idle."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 5


def huge_packet(megabytes=60):
    head, _, tail = MARK.partition(b"</rdf:RDF>")
    return head + b"<rdf:li>x</rdf:li>" * (megabytes * 2**20 // 18) + b"</rdf:RDF>" + tail


def overlapping_tags(*, count=4_000, size=40_000_000):
    """A TIFF file, or EXIF, whose tags all have the same forty megabytes as their value."""
    entries = b"".join(struct.pack("<HHII", 40_000 + n, 7, size, 8) for n in range(count))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", count) + entries + b"\0" * 4


def chain_of_directories(*, count, loop=False):
    photo = odd.tiff_with({}, drawing())
    first = len(photo)
    links = b"".join(
        struct.pack(
            "<HHHIII", 1, 254, 4, 1, 0, first if loop and n == count - 1 else first + (n + 1) * 18
        )
        for n in range(count)
    )
    (start,) = struct.unpack_from("<I", photo, 4)
    (entries,) = struct.unpack_from("<H", photo, start)
    at = start + 2 + 12 * entries
    return photo[:at] + struct.pack("<I", first) + photo[at + 4 :] + links


def avif_with_long_exif():
    place = b"Z" * 50_000
    data = saved(drawing(), "AVIF", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0" + place)
    at = data.index(place) - 14
    tags = overlapping_tags(size=50_000)
    return data[:at] + tags + data[at + len(tags) :]


def in_parts(number):
    """A part of a colour profile that is said to have 255."""
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number % 255 + 1, 255]) + bytes(60_000))


OPENED = {
    "jpeg, a thousand exif": lambda: jpeg_with(
        jpeg(), *[segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 900
    ),
    "jpeg, thousands of segments": lambda: jpeg_with(jpeg(), *[segment(0xE5, b"")] * 60_000),
    "jpeg, profile in parts": lambda: jpeg_with(jpeg(), *map(in_parts, range(900))),
    "jpeg, overlapping exif": lambda: jpeg_with(
        jpeg(), segment(0xE1, b"Exif\0\0" + overlapping_tags())
    ),
    "png, profile that unpacks to a gigabyte": lambda: png(
        ROWS, chunks=png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(2**26), 9) * 16)
    ),
    "png, texts that unpack to gigabytes": lambda: png(
        ROWS, chunks=png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**26), 9)) * 40
    ),
    "png, overlapping exif": lambda: png(ROWS, chunks=png_chunk(b"eXIf", overlapping_tags())),
    "png, packed exif": lambda: png(
        ROWS,
        chunks=png_chunk(
            b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n9\n" + b"4" * 2**26)
        ),
    ),
    "png, empty chunks": lambda: png(ROWS, chunks=png_chunk(b"IDAT", b"") * 60_000),
    "webp, sixty megabytes of xmp": lambda: webp_with(
        saved(drawing(), "WEBP", exif=odd.exif()), b"XMP ", huge_packet()
    ),
    "webp, overlapping exif": lambda: webp_with(
        saved(drawing(), "WEBP"), b"EXIF", overlapping_tags()
    ),
    "avif, thirty megabytes of xmp": lambda: saved(drawing(), "AVIF", xmp=huge_packet(30)),
    "avif, overlapping exif": avif_with_long_exif,
    "tiff, a chain of directories": lambda: chain_of_directories(count=200_000),
    "tiff, a chain without an end": lambda: chain_of_directories(count=9, loop=True),
    "tiff, sixty megabytes of xmp": lambda: odd.tiff_with({700: huge_packet()}, drawing()),
    "gif, a comment of megabytes": lambda: saved(
        drawing().quantize(8), "GIF", comment=b"abc" * 10_000_000
    ),
}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", OPENED)
def test_a_photo_opens_whatever_is_written_beside_its_pixels(name):
    data = OPENED[name]()
    facts = inspect.examine(data, **LIMITS)
    assert (facts.width, facts.height) == odd.SIZE
    assert facts.frames <= 100
    photo = inspect.open_photo(data, **LIMITS)
    assert np.abs(np.subtract(photo.getpixel((40, 60)), odd.RED)).max() <= 4
    assert provenance.read_mark(data) is None


def many_scans(count):
    """A progressive JPEG that repeats its last scan."""
    data = jpeg(progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * count + data[-2:]


def iso_box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


REFUSED = {
    "png, millions of empty chunks": lambda: png(ROWS, chunks=png_chunk(b"IDAT", b"") * 2_000_000),
    "jpeg, hundreds of scans": lambda: many_scans(300),
    "jpeg, millions of segments": lambda: jpeg_with(jpeg(), segment(0xE5, b"") * 2_000_000),
    "webp, millions of chunks": lambda: sized(
        saved(drawing(), "WEBP") + b"note\0\0\0\0" * 2_000_000
    ),
    "gif, millions of blocks": lambda: (
        saved(drawing().quantize(8), "GIF")[:-1] + b"\x21\xfe" + b"\1x" * 4_000_000
    ),
    "avif, millions of boxes": lambda: saved(drawing(), "AVIF") + iso_box(b"free", b"") * 2_000_000,
    "avif, a long list of items": lambda: (
        iso_box(b"ftyp", b"avif\0\0\0\0avif") + iso_box(b"meta", bytes(40_000_000))
    ),
    "tiff, overlapping tags": lambda: overlapping_tags() + bytes(2**20),
    "tiff, places beyond all measure": lambda: tiff_of_places(300_000_000),
    "tiff, tiles of gigabytes": lambda: tiff_of_tiles(2**20),
}


def tiff_of(entries):
    tags = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + tags + bytes(4) + bytes(2**20)


def tiff_of_places(count):
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (262, 3, 1, 1), (258, 3, 1, 8)]
    return tiff_of([*size, (273, 4, count, 8), (279, 4, count, 8)])


def tiff_of_tiles(side):
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (262, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 5)]
    return tiff_of(
        [*size, (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, 2**19)]
    )


def sized(webp):
    return webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", REFUSED)
def test_what_costs_more_than_any_picture_is_refused(name):
    data = REFUSED[name]()
    for read in (inspect.examine, inspect.open_photo, inspect.check_photo):
        with pytest.raises((PictureUnreadable, PictureTooLarge)):
            read(data, **LIMITS)
    assert provenance.read_mark(data) is None
    provenance.has_c2pa(data)


@pytest.mark.usefixtures("soon")
def test_a_mark_in_a_megabyte_of_other_metadata_is_read_without_a_tree():
    inner = b"<rdf:li/>" * 80_000
    packet = MARK.replace(b"<rdf:Description", b"<rdf:Seq>" + inner + b"</rdf:Seq><rdf:Description")
    data = saved(drawing(), "WEBP", xmp=packet)
    assert provenance.read_mark(data) is DigitalSourceType.MODEL


FORMATS = {
    "jpeg": jpeg(exif=odd.exif(main={0x0112: 6})),
    "png": saved(drawing().convert("RGBA"), "PNG"),
    "half": saved(Image.merge("RGBA", (*drawing().split(), Image.new("L", odd.SIZE, 99))), "PNG"),
    "webp": saved(drawing(), "WEBP"),
    "grey": png(odd.flat([40_000], channels=1), kind=0, depth=16),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_large_picture_is_decoded_apart_and_comes_out_the_same(name, monkeypatch):
    here = inspect.open_photo(FORMATS[name], longest_side=100, **LIMITS)
    facts = inspect.examine(FORMATS[name], **LIMITS)
    calls = []
    real = decoder_process.decode_apart
    monkeypatch.setattr(
        inspect, "decode_apart", lambda data, **options: calls.append(1) or real(data, **options)
    )
    monkeypatch.setattr(inspect, "LARGE", 100)
    apart = inspect.open_photo(FORMATS[name], longest_side=100, **LIMITS)
    assert calls == [1]
    assert (apart.mode, apart.size) == (here.mode, here.size)
    assert np.array_equal(np.asarray(apart), np.asarray(here))
    if name == "jpeg":
        assert inspect.examine(FORMATS[name], **LIMITS) == facts


@pytest.mark.parametrize("options", [{"quality": 90}, {"lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_large_webp_comes_out_as_a_small_one(mode, options, monkeypatch):
    image = drawing().convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(odd.SIZE))
    data = saved(image, "WEBP", **options)
    small, facts = inspect.open_photo(data, **LIMITS), inspect.examine(data, **LIMITS)
    monkeypatch.setattr(decoding, "MANY_WEBP_PIXELS", 100)
    large = inspect.open_photo(data, **LIMITS)
    assert inspect.examine(data, **LIMITS) == facts
    assert large.mode == small.mode == mode
    assert np.abs(np.asarray(large).astype(int) - np.asarray(small)).max() <= 1
    with pytest.raises(PictureUnreadable):
        inspect.examine(data[: len(data) // 2], **LIMITS)


def test_a_damaged_large_picture_says_the_same_as_a_small_one(monkeypatch):
    monkeypatch.setattr(inspect, "LARGE", 100)
    with pytest.raises(PictureUnreadable, match="PNG picture is damaged"):
        inspect.examine(FORMATS["png"][:60] + FORMATS["png"][70:], **LIMITS)


def large_jpeg(side, **options):
    return saved(Image.new("RGB", (side, side), odd.RED), "JPEG", **options)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process's memory")
def test_a_picture_that_takes_too_much_memory_ends_its_own_process_alone():
    data = large_jpeg(4_000)
    with pytest.raises(PictureTooLarge):
        decoder_process.decode_apart(
            data, most_bytes=-60_000_000, max_pixels=10**8, wants_pixels=True, longest_side=None
        )


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process's time")
def test_a_picture_that_takes_too_long_ends_its_own_process_alone(monkeypatch):
    monkeypatch.setattr(decoder_process, "CPU_SECONDS", 1)
    data = large_jpeg(5_000, progressive=True)
    at = data.rindex(b"\xff\xda")
    slow = data[:at] + data[at:-2] * 150 + data[-2:]
    with pytest.raises(PictureTooLarge, match="more memory or time"):
        inspect.examine(slow, **LIMITS)


def test_without_a_process_a_large_picture_is_decoded_here(monkeypatch, caplog):
    monkeypatch.setattr(inspect, "LARGE", 100)
    monkeypatch.setattr(decoder_process, "_interpreter", lambda: "/nowhere/python3")
    assert inspect.open_photo(FORMATS["webp"], **LIMITS).size == odd.SIZE
    assert "No process can be started" in caplog.text


def test_more_memory_than_there_is_is_refused_before_anything_is_decoded():
    data = saved(Image.new("RGB", (2_000, 2_000)), "JPEG", progressive=True, subsampling=0)
    limits = {"max_bytes": 10**7, "max_pixels": 4_000_000}
    assert inspect.examine(data, **limits).width == 2_000
    header = data.index(b"\xff\xc2")
    huge = data[: header + 5] + struct.pack(">HH", 14_000, 14_000) + data[header + 9 :]
    with pytest.raises(PictureTooLarge, match="takes 1,.* MB of memory"):
        inspect.examine(huge, max_bytes=10**7, max_pixels=200_000_000)


# Pixels of each of the large pictures.
WIDE, TALL = 10_400, 9_800


def bands(channels, depth):
    """Compressed rows of one colour, 8 or 16 bits."""
    row = b"\0" + (b"\xc8\x10" if depth == 16 else b"\xc8") * channels * WIDE
    packer = zlib.compressobj(6)
    return b"".join(packer.compress(row * 100) for _ in range(TALL // 100)) + packer.flush()


def large_png(kind, depth):
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    header = struct.pack(">IIBBBBB", WIDE, TALL, depth, kind, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", bands(channels, depth))
    return odd.SIGNATURE + chunks + png_chunk(b"IEND", b"")


def large(kind, mode="RGB", **options):
    image = (
        Image.effect_noise((104, 98), 60)
        .convert(mode)
        .resize((WIDE, TALL), Image.Resampling.NEAREST)
    )
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


LARGE_FILES = {
    "png, grey, 16 bits": lambda: large_png(0, 16),
    "png, colour, 16 bits": lambda: large_png(2, 16),
    "png, alpha, 16 bits": lambda: large_png(6, 16),
    "png, grey and alpha, 16 bits": lambda: large_png(4, 16),
    "png, colour": lambda: large_png(2, 8),
    "png, palette": lambda: large("PNG", mode="P", compress_level=1),
    "jpeg": lambda: large("JPEG", quality=70),
    "jpeg, progressive": lambda: large("JPEG", quality=70, progressive=True),
    "jpeg, cmyk": lambda: large("JPEG", mode="CMYK", quality=70),
    "gif": lambda: large("GIF", mode="L"),
    "tiff": lambda: large("TIFF", compression="tiff_lzw"),
}
MEASURE = """
import json, resource, sys
from nb_catalog.imaging import decoding, inspect
data = open(sys.argv[1], "rb").read()
def peak(who): return resource.getrusage(who).ru_maxrss * 1024
def cpu():
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)
before, began = peak(resource.RUSAGE_SELF), cpu()
photo = inspect.open_photo(data, longest_side=2048, max_bytes=2**26, max_pixels=110_000_000)
measured = {
    "size": photo.size, "cpu": cpu() - began,
    "here": peak(resource.RUSAGE_SELF) - before, "apart": peak(resource.RUSAGE_CHILDREN),
}
from PIL import Image
began = cpu()
with Image.open(sys.argv[2]) as ordinary:
    ordinary.convert("RGB").resize((2048, 1365), Image.Resampling.LANCZOS)
print(json.dumps({**measured, "cpu_of_24_megapixels": cpu() - began}))
"""
# How many times the CPU that Pillow alone takes to decode and scale a photo of 24 megapixels, on the same
# machine at the same time. The large pictures take 1 to 4 times as much.
PATIENCE = 12


@pytest.fixture(scope="module")
def ordinary_photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "24-megapixels.png"
    noise = Image.effect_noise((600, 400), 60).convert("RGB")
    noise.resize((6_000, 4_000), Image.Resampling.NEAREST).save(path, compress_level=1)
    return path


@pytest.mark.matrix
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes there")
@pytest.mark.parametrize("name", LARGE_FILES)
def test_a_picture_takes_four_bytes_a_pixel_and_little_more(name, tmp_path, ordinary_photo):
    path = tmp_path / "large"
    path.write_bytes(LARGE_FILES[name]())
    assert path.stat().st_size <= 2**26
    script = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(ordinary_photo)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    measured = json.loads(script.stdout)
    assert max(measured["size"]) == 2048
    assert measured["here"] + measured["apart"] <= 4 * WIDE * TALL + 200_000_000, measured
    assert measured["cpu"] <= PATIENCE * measured["cpu_of_24_megapixels"], measured
