"""Decoding the pixels of a picture file, scaled while they are decoded, in this process."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, reduce
from io import BytesIO
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import PictureTooLarge, PictureUnreadable
from nb_catalog.imaging import srgb
from nb_catalog.imaging.formats import jpeg
from nb_catalog.imaging.formats.base import PictureFile
from nb_catalog.imaging.formats.tags import tags_of_exif

# The plugins are called directly: Image.open() checks the size against a global limit, warns through
# the warnings module (which a thread cannot silence for itself alone) and tries every decoder.
READERS: Final[Mapping[str, Callable[[BytesIO], ImageFile.ImageFile]]] = {
    "image/png": PngImagePlugin.PngImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
}

# What Pillow raises for damaged files; 130,000 damaged ones were tried. UnidentifiedImageError is an
# OSError, zlib's and struct's errors escape from chunk readers, lookup errors come from headers with
# invalid offsets, and a missing palette fails an assertion; libavif's is a RuntimeError. Pillow also warns
# of broken tags, and a host may turn warnings into errors. DecompressionBombError is not an OSError and is
# handled separately.
DAMAGE: Final = (
    AssertionError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    RuntimeError,
    UserWarning,
    struct.error,
    zlib.error,
    cv2.error,
)

# EXIF 2.32, tag 0x0112: the transposition that turns the stored rows upright.
UPRIGHT: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow's decoder of WebP holds four copies of a picture; OpenCV's holds two, of three bytes a pixel.
MANY_WEBP_PIXELS: Final = 8_000_000
# Bytes for each pixel while a picture is decoded, as measured. Others take Pillow's four.
DECODER_BYTES: Final[Mapping[str, float]] = {
    "image/avif": 9.3, "image/heic": 8.0, "image/webp": 6.1, "lossless": 7.4
}  # fmt: skip
_DATA: Final = b"\x15\x9e\xc3\x38" * 64
# What may follow a scan that is not complete in no way: read as data, it gives other pixels. Where data ends
# at a restart, the decoder reads on only behind the next restart marker.
TAILS: Final = (
    b"",
    _DATA,
    b"\xb4\x62\x0f\xd9" * 64,
    b"".join(b"\xff" + bytes([marker]) + _DATA for marker in range(0xD0, 0xD8)),
)


@contextmanager
def reading(mime_type: str) -> Iterator[None]:
    """Convert what a decoder raises for damaged bytes into ``PictureError``."""
    name = mime_type.removeprefix("image/").upper()
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PictureTooLarge(
            _(
                "The %(format)s picture needs more memory than there is for a picture. Scale it down. "
                "%(reason)s"
            )
            % {"format": name, "reason": error}
        ) from error
    except DAMAGE as error:
        raise PictureUnreadable(
            _(
                "The %(format)s picture is damaged or cut off: %(reason)s. Export or upload it again."
            )
            % {"format": name, "reason": error}
        ) from error


@cache
def heic_reader() -> Callable[[BytesIO], ImageFile.ImageFile] | None:
    """Return the reader of the optional package pillow-heif, or None if it is not installed.

    It turns pictures upright and returns 8 bits a channel.
    """
    try:
        # An optional extra. The class is used directly; nothing is registered with Pillow.
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile  # type: ignore[no-any-return,unused-ignore]


def open_file(file: PictureFile) -> ImageFile.ImageFile | LargeWebP:
    """Open ``file`` with its decoder, which reads the header only and sees no metadata."""
    is_single_webp = file.mime_type == "image/webp" and file.is_sendable
    if is_single_webp and file.width * file.height > MANY_WEBP_PIXELS:
        return LargeWebP(file)
    extra = heic_reader() if file.mime_type == "image/heic" else None
    return (extra or READERS[file.mime_type])(BytesIO(file.essential))


def memory_needed(file: PictureFile, *, longest_side: int | None) -> int:
    """Return the bytes that decoding ``file`` takes, scaled as ``decode`` scales it."""
    pixels = file.width * file.height
    if file.mime_type != "image/jpeg":
        kind = "lossless" if file.is_lossless else file.mime_type
        return round(pixels * DECODER_BYTES.get(kind, 4.0))
    scale = max(file.width, file.height) // (longest_side or pixels or 1)
    scale = next((each for each in (8, 4, 2) if scale >= each), 1)
    return 4 * pixels // scale**2 + 2 * file.coefficients


def turn_of(file: PictureFile, image: srgb.Decoded) -> Image.Transpose | None:
    """Return how the decoded rows have to be turned; None if they are upright."""
    orientation = file.camera.orientation
    if file.mime_type == "image/avif":
        # What counts there are the item's properties, which Pillow reports as EXIF of its own.
        orientation = tags_of_exif(image.info.get("exif", b"")).orientation
    elif file.mime_type == "image/heic":
        orientation = 1
    return UPRIGHT.get(orientation)


def decode(file: PictureFile, image: srgb.Decoded, *, longest_side: int | None = None) -> None:
    """Decode the first picture to its last row.

    A JPEG is scaled by its decoder, to ``longest_side`` or somewhat more; its every byte is read all
    the same. Raises one of ``DAMAGE``.
    """
    if file.damage:
        raise EOFError(file.damage)
    if file.lacks_end and not _is_complete(file):
        raise EOFError("its end is missing")
    width, height = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile) and longest_side is not None:
        scale = min(1.0, longest_side / max(width, height))
        image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
    image.load()


class LargeWebP:
    """A single WebP that OpenCV decodes, of which strips can be taken as of an image."""

    info: Final[dict[Any, Any]] = {}

    def __init__(self, file: PictureFile) -> None:
        self.file = file
        self.pixels: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)
        self.size = file.width, file.height
        self.mode = "RGBA" if file.has_alpha else "RGB"
        self.has_transparency_data = file.has_alpha

    def load(self) -> None:
        packed = np.frombuffer(self.file.essential, np.uint8)
        pixels = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        if pixels is None or pixels.shape[1::-1] != self.size or len(self.mode) != pixels.shape[2]:
            raise OSError("its pixels cannot be decoded")
        self.pixels = np.asarray(pixels, np.uint8)

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        left, top, right, bottom = box
        strip = self.pixels[top:bottom, left:right]
        # Blue comes first.
        return Image.fromarray(strip[..., [2, 1, 0, 3][: strip.shape[2]]])

    def close(self) -> None:
        self.pixels = np.empty((0, 0, 3), np.uint8)

    def __enter__(self) -> LargeWebP:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _is_complete(file: PictureFile) -> bool:
    """Return whether a JPEG without its last marker has every pixel.

    Decoders do not say so: where data is missing they go on with grey. But if the pixels are the
    same whatever follows the data, none of them depends on it.
    """
    scan = b"".join(file.parts[:-1])
    checks = []
    for tail in TAILS:
        with JpegImagePlugin.JpegImageFile(BytesIO(scan + tail + jpeg.END)) as image:
            image.load()
            strips = (strip for _top, strip in srgb.strips(image))
            checks.append(
                reduce(lambda check, strip: zlib.crc32(strip.tobytes(), check), strips, 0)
            )
    return len(set(checks)) == 1
