"""What leaves with a photo: its pixels, and nothing that anybody wrote beside them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from nb_catalog.imaging.metadata import without_metadata
from nb_catalog.imaging.references import Limits, as_reference
from tests.imaging import odd_files as odd
from tests.imaging.odd_files import (
    drawing,
    jpeg,
    jpeg_with,
    png,
    segment,
    thumbnail_with,
    webp_with,
)
from tests.imaging.pictures import LIMITS, png_chunk, saved

SECRET = b"N52.5200 E13.4050 of the maker"
READS = frozenset(
    {"image/png", "image/jpeg", "image/webp", "image/heic", "image/avif", "image/gif"}
)
GPS = odd.exif(main={0x010F: "maker"}, details={0x927C: SECRET * 4}, gps=SECRET.decode())
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SECOND = jpeg(drawing().resize((80, 60)), exif=GPS)
FILM = struct.pack(">I4s", 24, b"ftyp") + b"mp42\0\0\0\0mp42isom" + SECRET * 9_000
ROWS = np.asarray(drawing())


def mpo():
    file = BytesIO()
    drawing().save(
        file, "MPO", save_all=True, append_images=[drawing()], exif=GPS, quality=95, subsampling=0
    )
    return file.getvalue()


def between_scans(data):
    """A progressive JPEG with a comment before its last scan."""
    at = data.rindex(b"\xff\xda")
    return data[:at] + segment(0xFE, SECRET) + data[at:]


def jfif_with_thumbnail():
    pixels = (SECRET * 4)[: 6 * 4 * 3]
    data = jpeg()
    content = data[6:18] + bytes([6, 4]) + pixels
    return data[:2] + segment(0xE0, content) + data[20:]


JPEG_FILES = {
    "exif, gps, maker's notes": jpeg(exif=GPS),
    "thumbnail in exif": jpeg_with(jpeg(), segment(0xE1, GPS + thumbnail_with(SECRET))),
    "xmp": jpeg(xmp=XMP),
    "extended xmp": jpeg_with(
        jpeg(), segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET)
    ),
    "iptc": jpeg_with(jpeg(), segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + SECRET)),
    "comment": jpeg(comment=SECRET),
    "comment between scans": between_scans(jpeg(progressive=True)),
    "jfxx thumbnail": jpeg_with(jpeg(), segment(0xE0, b"JFXX\0\x10" + thumbnail_with(SECRET))),
    "jfif thumbnail": jfif_with_thumbnail(),
    "profile": jpeg(icc_profile=SRGB + SECRET),
    "flashpix": jpeg_with(jpeg(), segment(0xE2, b"FPXR\0" + SECRET)),
    "more after adobe": jpeg_with(jpeg(), segment(0xEE, b"Adobe\0d\0\0\0\0\1" + SECRET)),
    **{f"app{n}": jpeg_with(jpeg(), segment(0xE0 + n, SECRET)) for n in range(16)},
    "reserved marker": jpeg_with(jpeg(), segment(0x33, SECRET)),
    "jpg3": jpeg_with(jpeg(), segment(0xF3, SECRET)),
    "between segments": jpeg_with(jpeg(), SECRET),
    "mpo": mpo(),
    "gain map": jpeg() + SECOND,
    "motion photo": jpeg(exif=GPS) + FILM,
    "text at the end": jpeg() + b"\0" * 99 + SECRET,
}
TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Comment", SECRET.decode())
PIXELS = zlib.compress(b"".join(b"\0" + row.tobytes() for row in ROWS))
HEADER = struct.pack(">IIBBBBB", *odd.SIZE, 8, 2, 0, 0, 0)


def png_of(*chunks):
    return odd.SIGNATURE + png_chunk(b"IHDR", HEADER) + b"".join(chunks) + png_chunk(b"IEND", b"")


PNG_FILES = {
    "exif": saved(drawing(), "PNG", exif=GPS),
    "text": saved(drawing(), "PNG", pnginfo=TEXT),
    "packed text": png(ROWS, chunks=png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET, 0))),
    "xmp": png(ROWS, chunks=png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    "after the pixels": png(ROWS, after=png_chunk(b"tEXt", b"Comment\0" + SECRET)),
    "profile": png(ROWS, chunks=png_chunk(b"iCCP", b"maker\0\0" + zlib.compress(SRGB + SECRET, 0))),
    "profile's name": png(ROWS, chunks=png_chunk(b"iCCP", SECRET + b"\0\0" + zlib.compress(SRGB))),
    "time": png(
        ROWS, chunks=png_chunk(b"tIME", b"\x07\xe9\1\1\1\1\1") + png_chunk(b"prVt", SECRET)
    ),
    "suggested palette": png(ROWS, chunks=png_chunk(b"sPLT", SECRET + b"\0\x08")),
    "after the end": png(ROWS, tail=SECRET),
    "second file": png(ROWS, tail=png(ROWS, chunks=png_chunk(b"tEXt", b"Comment\0" + SECRET))),
    "after the compressed pixels": png_of(png_chunk(b"IDAT", PIXELS + SECRET)),
    "in a chunk of pixels of its own": png_of(
        png_chunk(b"IDAT", PIXELS), png_chunk(b"IDAT", SECRET)
    ),
    "an animation's frames": png(
        ROWS,
        after=png_chunk(b"fdAT", b"\0\0\0\1" + SECRET),
        chunks=png_chunk(b"acTL", b"\0\0\0\1\0\0\0\0"),
    ),
}


def webp(**options):
    return saved(drawing(), "WEBP", lossless=True, **options)


def single_frame(*, note=b""):
    """An animation of one frame, in which somebody left a note."""
    data = saved(drawing(), "WEBP", lossless=True)
    pixels = data[12:]
    if note:
        pixels += b"note" + struct.pack("<I", len(note)) + note
    size = struct.pack("<HBHB", odd.SIZE[0] - 1, 0, odd.SIZE[1] - 1, 0)
    frame = bytes(6) + size + bytes(4) + pixels
    chunks = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    chunks += (
        b"ANIM" + struct.pack("<I", 6) + bytes(6) + b"ANMF" + struct.pack("<I", len(frame)) + frame
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


WEBP_FILES = {
    "an animation of one frame": single_frame(note=SECRET),
    "exif": webp(exif=GPS),
    "xmp": webp(xmp=XMP),
    "profile": webp(icc_profile=SRGB + SECRET),
    "unknown chunk": webp_with(webp(exif=GPS), b"note", SECRET),
    "unknown chunk of a simple file": webp_with(webp(), b"note", SECRET),
    "after the end": webp() + SECRET,
    "lossy": saved(drawing(), "WEBP", quality=95, exif=GPS, xmp=XMP),
}


def heic():
    file = BytesIO()
    pillow_heif.from_pillow(drawing()).save(file, quality=95, exif=GPS, xmp=XMP)
    return file.getvalue()


def gif():
    return saved(drawing().quantize(16), "GIF", comment=SECRET) + SECRET


ENCODED_AGAIN = {
    "heic": heic(),
    "avif": saved(drawing(), "AVIF", exif=GPS, xmp=XMP),
    "gif": gif(),
    "tiff": odd.tiff_with({270: SECRET.decode(), 700: XMP}, drawing()),
    "turned jpeg": jpeg(exif=odd.exif(main={0x0112: 6, 0x010F: "maker"}, gps=SECRET.decode())),
    "apng": saved(
        drawing(), "PNG", save_all=True, append_images=[drawing().rotate(9)], pnginfo=TEXT, exif=GPS
    ),
    "animated webp": webp_with(
        saved(drawing(), "WEBP", save_all=True, append_images=[drawing().rotate(9)]), b"EXIF", GPS
    ),
}


def sent(photo):
    return as_reference(photo, limits=Limits(reads=READS), **LIMITS)


def assert_nothing_but_pixels(data):
    for trace in (SECRET, SECRET[:12], b"maker", b"Exif", b"xmp", b"Photoshop", b"ftyp", b"ICC"):
        assert trace not in data
    with Image.open(BytesIO(data)) as image:
        image.load()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe",
                                   "adobe_transform", "progressive", "progression", "loop", "background",
                                   "timestamp", "duration"}  # fmt: skip
        return image.convert("RGB")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, files in (("JPEG", JPEG_FILES), ("PNG", PNG_FILES), ("WEBP", WEBP_FILES))
        for name in files
    ],
)
def test_a_photo_leaves_with_its_own_pixels_and_nothing_else(kind, name):
    photo = {"JPEG": JPEG_FILES, "PNG": PNG_FILES, "WEBP": WEBP_FILES}[kind][name]
    reference, told = sent(photo)
    assert told.changes == ("metadata_removed",)
    after = assert_nothing_but_pixels(reference.data)
    plain = {"JPEG": jpeg(), "PNG": png(ROWS), "WEBP": photo}[kind]
    with Image.open(BytesIO(plain)) as before:
        assert np.array_equal(np.asarray(after), np.asarray(before.convert("RGB")))
    again, told = sent(reference.data)
    assert again.data == reference.data
    assert told.changes == ()


@pytest.mark.parametrize("name", ENCODED_AGAIN)
def test_what_is_encoded_again_takes_nothing_along(name):
    assert SECRET[:12] in ENCODED_AGAIN[name]
    reference, _told = sent(ENCODED_AGAIN[name])
    assert reference.mime_type == "image/jpeg"
    assert_nothing_but_pixels(reference.data)


def test_pixels_whose_end_cannot_be_found_are_encoded_again():
    # Its check, which decoders do not read, is the note.
    photo = png_of(png_chunk(b"IDAT", PIXELS[:-4]), png_chunk(b"IDAT", SECRET))
    reference, told = sent(photo)
    assert told.changes == ("encoded_again",)
    assert_nothing_but_pixels(reference.data)


def test_two_megabytes_of_film_are_not_sent():
    photo = jpeg() + b"\0\0\0\x18ftypmp42" + SECRET * 70_000
    assert len(photo) > 2_000_000
    assert len(sent(photo)[0].data) < 20_000


@pytest.mark.parametrize("mime_type", ["image/gif", "image/avif", "image/tiff", "image/heic"])
def test_types_whose_every_byte_is_not_known_are_not_stripped_but_refused(mime_type):
    data = {"image/gif": gif(), "image/avif": ENCODED_AGAIN["avif"], "image/tiff": ENCODED_AGAIN["tiff"],
            "image/heic": heic()}[mime_type]  # fmt: skip
    with pytest.raises(ValueError, match="only single JPEG, PNG and WebP"):
        without_metadata(data, mime_type=mime_type)


def test_cmyk_keeps_the_segment_that_says_how_it_is_inverted():
    photo = jpeg(drawing().convert("CMYK"), comment=SECRET)
    clean = without_metadata(photo, mime_type="image/jpeg")
    assert SECRET not in clean
    with Image.open(BytesIO(clean)) as after, Image.open(BytesIO(photo)) as before:
        assert after.info["adobe_transform"] == before.info["adobe_transform"]
        assert np.array_equal(np.asarray(after), np.asarray(before))
