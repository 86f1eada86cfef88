"""Files that state their colours, or carry data, in every way that their formats have.

Colours are computed here from published matrices and curves, and profiles are written by hand: nothing
of the code under test is used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from tests.imaging.pictures import png_chunk, saved

RED, BLUE = (200, 60, 40), (40, 80, 190)
SIZE = (160, 120)
SIGNATURE = b"\x89PNG\r\n\x1a\n"

# IEC 61966-2-1; Adobe RGB (1998), 4.3.5.3; SMPTE EG 432-1: from XYZ of D65 to linear light.
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
FROM_XYZ = {
    "srgb": np.linalg.inv(TO_XYZ),
    "adobe": np.array(
        [
            [2.0415879, -0.5650070, -0.3447314],
            [-0.9692436, 1.8759675, 0.0415551],
            [0.0134443, -0.1183624, 1.0151750],
        ]
    ),
    "p3": np.array(
        [
            [2.4934969, -0.9313836, -0.4027108],
            [-0.8294890, 1.7626641, 0.0236247],
            [0.0358458, -0.0761724, 0.9568845],
        ]
    ),
}  # fmt: skip


def light(values) -> np.ndarray:
    share = np.asarray(values, float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def stored(
    colour, space: str = "srgb", gamma: float | None = None, top: int = 255
) -> tuple[int, ...]:
    """The values of an sRGB ``colour`` in ``space``, with a power of ``gamma`` or sRGB's curve."""
    there = np.clip(FROM_XYZ[space] @ TO_XYZ @ light(colour), 0, 1)
    curve = np.where(there <= 0.0031308, there * 12.92, 1.055 * there ** (1 / 2.4) - 0.055)
    values = there ** (1 / gamma) if gamma else curve
    return tuple(int(each) for each in np.rint(values * top))


def drawing(space: str = "srgb", gamma: float | None = None) -> Image.Image:
    """Red on the left and blue on the right, so large that a codec leaves the middles as they are."""
    image = Image.new("RGB", SIZE, stored(RED, space, gamma))
    ImageDraw.Draw(image).rectangle((SIZE[0] // 2, 0, *SIZE), fill=stored(BLUE, space, gamma))
    return image


def profile(space: bytes, tags: Mapping[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 2.4."""
    table, content, start = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        tag += b"\0" * (-len(tag) % 4)
        table += name + struct.pack(">II", start + len(content), len(tag))
        content += tag
    header = struct.pack(
        ">I4sI4s4s4s", start + len(content), b"test", 0x02400000, b"mntr", space, pcs
    )
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + xyz(0.9642, 1, 0.8249)[8:]
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def power(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


GREY_LINEAR = profile(b"GRAY", {b"wtpt": xyz(0.9642, 1, 0.8249), b"kTRC": power(1.0)})
# Adobe RGB's own columns, adapted to D50 (Adobe RGB (1998), 4.3.6.1).
ADOBE_RGB = profile(
    b"RGB ",
    {
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), power(563 / 256)),
    },
)


def png(
    rows: np.ndarray,
    *,
    kind: int = 2,
    depth: int = 8,
    chunks: bytes = b"",
    after: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A PNG of ``rows`` with more chunks before and after its pixels, and bytes after its end."""
    height, width = rows.shape[:2]
    lines = rows.astype(">u2" if depth == 16 else np.uint8).reshape(height, -1)
    raw = b"".join(b"\0" + line.tobytes() for line in lines)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (
        SIGNATURE + png_chunk(b"IHDR", header) + chunks + png_chunk(b"IDAT", zlib.compress(raw))
        + after + png_chunk(b"IEND", b"") + tail
    )  # fmt: skip


def flat(colour, *, channels: int = 3) -> np.ndarray:
    return np.tile(np.asarray(colour).reshape(1, 1, channels), (SIZE[1], SIZE[0], 1))


def chromaticities(*values: float) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def gamma_chunk(gamma: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(100_000 / gamma)))


ADOBE_XY = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


def exif(*, main=None, details=None, interoperability: str = "", gps: str = "") -> bytes:
    tags = Image.Exif()
    for number, value in (main or {}).items():
        tags[number] = value
    for number, value in (details or {}).items():
        tags.get_ifd(0x8769)[number] = value
    if interoperability:
        tags.get_ifd(0x8769)[0xA005] = {1: interoperability}
    if gps:
        tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: gps})
    return tags.tobytes()


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with more segments after its first one."""
    (length,) = struct.unpack_from(">H", data, 4)
    at = 4 + length
    return data[:at] + b"".join(segments) + data[at:]


def webp_with(data: bytes, kind: bytes, content: bytes) -> bytes:
    data += struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def thumbnail_with(text: bytes) -> bytes:
    return saved(Image.new("RGB", (32, 24), "red"), "JPEG", comment=text)


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    return saved(image or drawing(), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def tiff_with(tags: Mapping[int, object], image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "TIFF", tiffinfo=dict(tags))
    return file.getvalue()
