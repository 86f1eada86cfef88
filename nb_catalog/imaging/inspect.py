"""Pictures from outside: examining bytes by their content, and decoding them safely."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Final

from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from nb_catalog.exceptions import PictureMissing, PictureTooLarge, PictureUnreadable
from nb_catalog.imaging import containers, srgb

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
ACCEPTED: Final = "PNG, JPEG, WebP, AVIF, GIF or TIFF"
INSTALL_HEIC: Final = "pip install 'nb-catalog[heic]'"

# What Pillow raises for damaged files; 30,000 damaged ones were tried. UnidentifiedImageError is an
# OSError, zlib's and struct's errors escape from chunk readers, lookup errors come from headers with
# invalid offsets; libavif's is a RuntimeError. Pillow also warns of broken tags, and a host may turn
# warnings into errors. DecompressionBombError is not an OSError and is handled separately.
DAMAGE: Final = (
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
SIDEWAYS: Final = frozenset({5, 6, 7, 8})

MAX_FRAMES_COUNTED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Properties of a picture file.

    ``width`` and ``height`` are pixels after EXIF rotation, and ``upright`` is whether the rows
    are stored that way; ``mode`` is Pillow's; ``frames`` of a TIFF are counted up to 100;
    ``has_alpha`` means an alpha channel or a transparent colour, even if every pixel is opaque;
    ``decoded`` is whether every pixel was read.
    """

    mime_type: str
    width: int
    height: int
    mode: str
    frames: int
    has_alpha: bool
    upright: bool
    decoded: bool


def examine(data: bytes | None, *, max_bytes: int, max_pixels: int, decode: bool = True) -> Facts:
    """Examine ``data`` by its content, regardless of its declared type or file name.

    The number of pixels is checked from the header, before anything is decoded. With ``decode``
    the first frame is then read to its last row, which detects truncated and damaged files.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    mime_type, image = _open(data, max_bytes=max_bytes, max_pixels=max_pixels)
    with image, _reading(mime_type):
        if decode:
            _decode(image, data or b"", mime_type=mime_type)
        orientation = _orientation(image)
        turned = orientation in SIDEWAYS
        return Facts(
            mime_type=mime_type,
            width=image.height if turned else image.width,
            height=image.width if turned else image.height,
            mode=image.mode,
            frames=_count_frames(image),
            has_alpha=image.has_transparency_data,
            upright=orientation not in UPRIGHT,
            decoded=decode,
        )


def open_photo(data: bytes | None, *, max_bytes: int, max_pixels: int) -> Image.Image:
    """Return the first frame of ``data``, upright, in 8-bit sRGB: "RGB", or "RGBA" if transparent.

    Embedded colour profiles are converted, 16 bits scaled to 8; metadata is dropped.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    mime_type, opened = _open(data, max_bytes=max_bytes, max_pixels=max_pixels)
    with opened, _reading(mime_type):
        _decode(opened, data or b"", mime_type=mime_type)
        image = srgb.convert_to_srgb(opened)
        orientation = _orientation(opened)
        if orientation in UPRIGHT:
            image = image.transpose(UPRIGHT[orientation])
        if image is opened:
            image = opened.copy()
        image.info = {}
        return image


def _open(
    data: bytes | None, *, max_bytes: int, max_pixels: int
) -> tuple[str, ImageFile.ImageFile]:
    if not data:
        raise PictureMissing(f"Expected a picture, but got no bytes. Upload a {ACCEPTED} file.")
    if len(data) > max_bytes:
        raise PictureTooLarge(
            f"The file has {len(data):,} bytes; at most {max_bytes:,} are accepted. "
            "Export it smaller, or raise MAX_PICTURE_BYTES."
        )
    mime_type = containers.sniff(data)
    if mime_type == "image/heic" and heic_reader() is None:
        raise PictureUnreadable(
            f"HEIC pictures cannot be read on this site. Export it as {ACCEPTED}, or "
            f"install the HEIC reader: {INSTALL_HEIC}"
        )
    if mime_type is None:
        raise PictureUnreadable(
            "The file is not a picture in a known format, regardless of its name. "
            f"Expected {ACCEPTED}."
        )
    if mime_type == "image/webp" and (size := containers.webp_size(data)):
        # libwebp allocates the whole canvas when the file is opened.
        _refuse_too_many_pixels(size, max_pixels=max_pixels)
    with _reading(mime_type):
        image = opener(mime_type)(BytesIO(data))
        _refuse_too_many_pixels(image.size, max_pixels=max_pixels)
        return mime_type, image


def opener(mime_type: str) -> Callable[[BytesIO], ImageFile.ImageFile]:
    """Return the Pillow class for ``mime_type``. Opening a file with it reads only the header."""
    extra = heic_reader() if mime_type == "image/heic" else None
    return extra or READERS[mime_type]


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


def _decode(image: ImageFile.ImageFile, data: bytes, *, mime_type: str) -> None:
    image.load()
    if mime_type == "image/png" and not containers.png_is_complete(data):
        raise EOFError("its last chunk is missing")


def _refuse_too_many_pixels(size: tuple[int, int], *, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"The picture has {width:,} x {height:,} pixels according to its header; at most "
            f"{max_pixels:,} in total are accepted. Scale it down, or raise MAX_PICTURE_PIXELS."
        )


@contextmanager
def _reading(mime_type: str) -> Iterator[None]:
    """Convert what a decoder raises for damaged bytes into ``PictureError``."""
    name = mime_type.removeprefix("image/").upper()
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The {name} picture unpacks to too many pixels: {error}") from error
    except DAMAGE as error:
        raise PictureUnreadable(
            f"The {name} picture is damaged or cut off: {error}. Export or upload it again."
        ) from error


def _orientation(image: Image.Image) -> int:
    try:
        # PNG's own getexif() would decode the picture to find chunks after the pixels.
        orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        # Broken EXIF does not make the picture unreadable; only its orientation is unknown.
        return 1
    return orientation if isinstance(orientation, int) else 1


def _count_frames(image: ImageFile.ImageFile) -> int:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(getattr(image, "n_frames", 1))
    # Counting all pages of a TIFF takes time quadratic in their number.
    page = 0
    try:
        while page < MAX_FRAMES_COUNTED:
            image.seek(page)
            page += 1
    except EOFError:
        pass
    return page
