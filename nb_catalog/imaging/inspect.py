"""Pictures from outside: examining bytes by their content, and decoding them safely."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, cast

from PIL import Image

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import PictureMissing, PictureTooLarge, PictureUnreadable
from nb_catalog.imaging import containers, decoding, srgb
from nb_catalog.imaging.decoder_process import (
    BYTES_PER_PIXEL,
    SPARE_BYTES,
    DecoderUnavailable,
    decode_apart,
)
from nb_catalog.imaging.decoding import heic_reader, reading
from nb_catalog.imaging.formats.base import PictureFile

logger = logging.getLogger(__name__)

ACCEPTED: Final = "PNG, JPEG, WebP, AVIF, GIF or TIFF"
STRUCTURED: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
INSTALL_HEIC: Final = "pip install 'nb-catalog[heic]'"
LARGE: Final = 32_000_000
"""Pixels from which a picture is decoded in a process of its own. Cameras have 24 million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Properties of a picture file.

    ``width`` and ``height`` are pixels after EXIF rotation, and ``upright`` is whether the rows
    are stored that way; ``mode`` is Pillow's; ``frames`` are counted up to 100;
    ``has_alpha`` means an alpha channel or a transparent colour, even if every pixel is opaque;
    ``is_srgb`` means that the stored values are sRGB, and ``bits`` are those of a sample of a PNG;
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
    is_srgb: bool = True
    bits: int = 8


class OpenedPicture(NamedTuple):
    """A picture file that was examined, and its pixels if they were kept."""

    data: bytes
    facts: Facts
    kept: Image.Image | None = None

    @property
    def image(self) -> Image.Image:
        """What ``open_photo`` returns, decoded now if it was not kept."""
        if self.kept is not None:
            return self.kept
        pixels = self.facts.width * self.facts.height
        return open_photo(self.data, max_bytes=len(self.data), max_pixels=pixels)


def examine(data: bytes | None, *, max_bytes: int, max_pixels: int, decode: bool = True) -> Facts:
    """Examine ``data`` by its content, regardless of its declared type or file name.

    The number of pixels is checked from the header, before anything is decoded. With ``decode``
    the first frame is then read to its last row, which detects truncated and damaged files.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    file = _accepted(data, max_bytes=max_bytes, max_pixels=max_pixels)
    facts, _image = _read(file, max_pixels=max_pixels, decode=decode, wants_pixels=False)
    return facts


def examine_and_open(data: bytes, *, max_bytes: int, max_pixels: int) -> OpenedPicture:
    """Return what ``examine`` and ``open_photo`` do, decoding only once. Raises as they do."""
    file = _accepted(data, max_bytes=max_bytes, max_pixels=max_pixels)
    facts, image = _read(file, max_pixels=max_pixels, decode=True, wants_pixels=True)
    return OpenedPicture(data, facts, image)


def check_photo(data: bytes | None, *, max_bytes: int, max_pixels: int) -> Facts:
    """Return what ``data`` is. Raise ``PictureError`` if it cannot be opened, found out without decoding if
    possible.

    JPEG, PNG, WebP and GIF show by their structure whether the first picture is there to its end, in
    about a millisecond. Only other formats are decoded, and a JPEG that lacks its last marker.
    """
    file = _accepted(data, max_bytes=max_bytes, max_pixels=max_pixels)
    needs_decoding = file.lacks_end or file.mime_type not in STRUCTURED
    with reading(file.mime_type):
        if file.damage:
            raise EOFError(file.damage)
    facts, _image = _read(file, max_pixels=max_pixels, decode=needs_decoding, wants_pixels=False)
    return facts


def open_photo(
    data: bytes | None, *, longest_side: int | None = None, max_bytes: int, max_pixels: int
) -> Image.Image:
    """Return the first frame of ``data``, upright, in 8-bit sRGB: "RGB", or "RGBA" if transparent.

    Colours are converted however the file states their space, 16 bits scaled to 8; metadata is
    dropped. With ``longest_side`` a larger picture is scaled down to it, as far as possible while it
    is decoded: a picture takes 4 bytes for each of its pixels at most.

    Raises ``PictureMissing``, ``PictureUnreadable`` or ``PictureTooLarge``.
    """
    file = _accepted(data, max_bytes=max_bytes, max_pixels=max_pixels)
    _facts, image = _read(
        file, max_pixels=max_pixels, decode=True, wants_pixels=True, longest_side=longest_side
    )
    return cast("Image.Image", image)


def _accepted(data: bytes | None, *, max_bytes: int, max_pixels: int) -> PictureFile:
    """Take ``data`` apart if it is a picture within the limits, as far as its header says."""
    if not data:
        raise PictureMissing(
            _("Expected a picture, but got no bytes. Upload a %(formats)s file.")
            % {"formats": ACCEPTED}
        )
    if len(data) > max_bytes:
        raise PictureTooLarge(
            _(
                "The file is larger than %(bytes)s bytes, the most that are accepted. Export it smaller, or "
                "raise MAX_PICTURE_BYTES."
            )
            % {"bytes": f"{max_bytes:,}"}
        )
    mime_type = containers.sniff(data)
    if mime_type == "image/heic" and heic_reader() is None:
        raise PictureUnreadable(
            _(
                "HEIC pictures cannot be read on this site. Export it as %(formats)s, or install the HEIC "
                "reader: %(command)s"
            )
            % {"formats": ACCEPTED, "command": INSTALL_HEIC}
        )
    if mime_type is None:
        raise PictureUnreadable(
            _(
                "The file is not a picture in a known format, regardless of its name. Expected %(formats)s."
            )
            % {"formats": ACCEPTED}
        )
    with reading(mime_type):
        file = containers.take_apart(data, mime_type=mime_type)
    _refuse_too_many_pixels((file.width, file.height), max_pixels=max_pixels)
    return file


def _read(
    file: PictureFile,
    *,
    max_pixels: int,
    decode: bool,
    wants_pixels: bool,
    longest_side: int | None = None,
) -> tuple[Facts, Image.Image | None]:
    """Read ``file`` here, or in a process of its own if it is large or unusual."""
    available = BYTES_PER_PIXEL * max_pixels + SPARE_BYTES
    needed = decoding.memory_needed(file, longest_side=longest_side if wants_pixels else 1)
    if decode and needed > available:
        raise PictureTooLarge(
            _(
                "Decoding the picture takes %(needed)s MB of memory; %(available)s MB are available. Export "
                "it as a JPEG that is not progressive, scale it down, or raise MAX_PICTURE_PIXELS."
            )
            % {
                "needed": f"{needed // 1_000_000:,}",
                "available": f"{available // 1_000_000:,}",
            }
        )
    if decode and (file.width * file.height > LARGE or file.unusual):
        try:
            facts, image = decode_apart(
                file.original,
                most_bytes=available,
                max_pixels=max_pixels,
                wants_pixels=wants_pixels,
                longest_side=longest_side,
            )
        except DecoderUnavailable:
            logger.warning(
                "No process can be started to decode a large picture: it is decoded here."
            )
        else:
            return Facts(**facts), image
    return _read_here(
        file,
        max_pixels=max_pixels,
        decode=decode,
        wants_pixels=wants_pixels,
        longest_side=longest_side,
    )


def decode_here(
    data: bytes, *, max_pixels: int, wants_pixels: bool, longest_side: int | None
) -> tuple[Facts, Image.Image | None]:
    """Decode ``data`` in this process, whatever its size. Raises as ``open_photo``."""
    file = _accepted(data, max_bytes=len(data), max_pixels=max_pixels)
    if not file.lacks_end:
        # What the decoder does not need is given back before it begins.
        file = replace(file, original=file.essential, parts=(file.essential,))
    del data
    return _read_here(
        file,
        max_pixels=max_pixels,
        decode=True,
        wants_pixels=wants_pixels,
        longest_side=longest_side,
    )


def _read_here(
    file: PictureFile,
    *,
    max_pixels: int,
    decode: bool,
    wants_pixels: bool,
    longest_side: int | None,
) -> tuple[Facts, Image.Image | None]:
    with reading(file.mime_type):
        opened = decoding.open_file(file)
    with opened, reading(file.mime_type):
        _refuse_too_many_pixels(opened.size, max_pixels=max_pixels)
        width, height = opened.size
        turn = decoding.turn_of(file, opened)
        if decode:
            # A JPEG's data is checked as thoroughly at an eighth of its size.
            decoding.decode(file, opened, longest_side=longest_side if wants_pixels else 1)
        facts = Facts(
            mime_type=file.mime_type,
            width=height if turn in srgb.SIDEWAYS else width,
            height=width if turn in srgb.SIDEWAYS else height,
            mode=opened.mode,
            frames=file.frames or min(int(getattr(opened, "n_frames", 1)), 100),
            has_alpha=opened.has_transparency_data,
            upright=turn is None,
            decoded=decode,
            bits=file.bits,
            is_srgb=srgb.conversion_of(opened, file=file).changes_nothing,
        )
        if not wants_pixels:
            return facts, None
        factor = _reduction(opened.size, longest_side) if longest_side else 1
        image = srgb.convert(opened, file=file, factor=factor, turn=turn)
        return facts, _resize_within(image, longest_side) if longest_side else image


def scale_within(image: Image.Image, longest_side: int) -> Image.Image:
    """Return ``image``, if it is larger scaled down as ``open_photo`` does, only after it was decoded."""
    factor = _reduction(image.size, longest_side)
    return _resize_within(image.reduce(factor) if factor > 1 else image, longest_side)


def _reduction(size: tuple[int, int], longest_side: int) -> int:
    """Return by how many whole pixels to shrink first; the rest, half as much again at least, is done with a
    better filter."""
    return max(1, max(size) * 2 // (3 * longest_side))


def _resize_within(image: Image.Image, longest_side: int) -> Image.Image:
    if max(image.size) <= longest_side:
        return image
    scale = longest_side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _refuse_too_many_pixels(size: tuple[int, int], *, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(
            _(
                "The picture has %(width)s x %(height)s pixels according to its header; at most %(most)s in "
                "total are accepted. Scale it down, or raise MAX_PICTURE_PIXELS."
            )
            % {"width": f"{width:,}", "height": f"{height:,}", "most": f"{max_pixels:,}"}
        )
