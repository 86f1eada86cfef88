"""Picture bytes from outside: what they are, whether they hold up, and how to open them safely."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
from nb_catalog.imaging import containers, heif, srgb

# The plugins are called directly: Image.open() judges the size by a global limit, warns through
# the warnings module (which no thread can silence for itself alone) and tries every decoder.
READERS: Final[Mapping[str, Callable[[BytesIO], ImageFile.ImageFile]]] = {
    "image/png": PngImagePlugin.PngImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
}
ACCEPTED: Final = "PNG, JPEG, WebP, AVIF, GIF or TIFF"

# What damaged files make Pillow raise. UnidentifiedImageError is an OSError, zlib's own error and
# struct's escape from chunk readers, the lookups from headers that point nowhere; libavif's is a
# RuntimeError. Pillow also warns of broken tags, and a host may turn warnings into errors.
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

# EXIF 2.32, tag 0x0112: how the stored rows have to be turned to stand upright.
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

FRAMES_COUNTED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a picture is. ``width`` and ``height`` are pixels as it is meant to be seen, after EXIF
    rotation, and ``upright`` whether its rows are stored that way; ``mode`` is Pillow's; ``frames``
    of a TIFF are counted to 100 at most; ``has_alpha`` tells of a channel, not of a hole;
    ``decoded`` whether every pixel was really read.
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
    """Judge ``data`` by its bytes alone, whatever it claims to be.

    The pixel count is judged from the header, before anything is decoded. With ``decode`` the
    first frame is then read to its last row, which finds files that were cut or damaged.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    mime_type, image = _opened(data, max_bytes=max_bytes, max_pixels=max_pixels)
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
            frames=_frames(image),
            has_alpha=image.has_transparency_data,
            upright=orientation not in UPRIGHT,
            decoded=decode,
        )


def open_photo(data: bytes | None, *, max_bytes: int, max_pixels: int) -> Image.Image:
    """The first frame of ``data``, upright, in 8-bit sRGB: "RGB", or "RGBA" if it is see-through.

    Embedded colour profiles are converted, 16 bits scaled to 8; no metadata is carried along.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    mime_type, opened = _opened(data, max_bytes=max_bytes, max_pixels=max_pixels)
    with opened, _reading(mime_type):
        _decode(opened, data or b"", mime_type=mime_type)
        image = srgb.in_srgb(opened)
        orientation = _orientation(opened)
        if orientation in UPRIGHT:
            image = image.transpose(UPRIGHT[orientation])
        if image is opened:
            image = opened.copy()
        image.info = {}
        return image


def _opened(
    data: bytes | None, *, max_bytes: int, max_pixels: int
) -> tuple[str, ImageFile.ImageFile]:
    mime_type, data = _admitted(data, max_bytes=max_bytes)
    if mime_type == "image/webp" and (size := containers.webp_size(data)):
        # libwebp allocates the whole canvas when the file is opened.
        _refuse_too_many_pixels(size, max_pixels=max_pixels)
    with _reading(mime_type):
        image = opener(mime_type)(BytesIO(data))
        _refuse_too_many_pixels(image.size, max_pixels=max_pixels)
        return mime_type, image


def opener(mime_type: str) -> Callable[[BytesIO], ImageFile.ImageFile]:
    """What opens pictures of ``mime_type``: their header, no pixel yet."""
    extra = heif.reader() if mime_type == "image/heic" else None
    return extra or READERS[mime_type]


def _decode(image: ImageFile.ImageFile, data: bytes, *, mime_type: str) -> None:
    image.load()
    if mime_type == "image/png" and not containers.png_has_its_end(data):
        raise EOFError("its last chunk is missing")


def _admitted(data: bytes | None, *, max_bytes: int) -> tuple[str, bytes]:
    if not data:
        raise PictureMissing(
            f"There are no bytes where a picture was expected. Give a {ACCEPTED} file."
        )
    if len(data) > max_bytes:
        raise PictureTooLarge(
            f"The file has {len(data):,} bytes and at most {max_bytes:,} are accepted. "
            "Export it smaller, or raise MAX_PICTURE_BYTES."
        )
    mime_type = containers.sniff(data)
    if mime_type == "image/heic" and heif.reader() is None:
        raise PictureUnreadable(
            f"This is a HEIC picture, which cannot be read here. Export it as {ACCEPTED}, or "
            f"install what reads it: {heif.INSTALL}"
        )
    if mime_type is None:
        raise PictureUnreadable(
            f"The bytes are not a picture in a known format, whatever the file is called. "
            f"Expected {ACCEPTED}."
        )
    return mime_type, data


def _refuse_too_many_pixels(size: tuple[int, int], *, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"The picture claims {width:,} x {height:,} pixels and at most {max_pixels:,} in all "
            "are accepted. Scale it down, or raise MAX_PICTURE_PIXELS."
        )


@contextmanager
def _reading(mime_type: str) -> Iterator[None]:
    """Turn what a decoder raises on damaged bytes into our own error."""
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
        # PNG's own getexif() would decode the picture to look behind its pixels.
        orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        # Broken EXIF does not make a broken picture; it only cannot say which way is up.
        return 1
    return orientation if isinstance(orientation, int) else 1


def _frames(image: ImageFile.ImageFile) -> int:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(getattr(image, "n_frames", 1))
    # Counting all pages of a TIFF takes time that grows with their square.
    page = 0
    try:
        while page < FRAMES_COUNTED:
            image.seek(page)
            page += 1
    except EOFError:
        pass
    return page
