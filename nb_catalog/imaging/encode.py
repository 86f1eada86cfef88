"""Encoding of pixels as files with their provenance mark; scaling and flattening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, PngImagePlugin

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import PictureTooLarge

Format: TypeAlias = Literal["jpeg", "webp", "avif", "png"]
Colour: TypeAlias = str | tuple[int, int, int]

MASTER_QUALITY: Final = 95
XMP_IN_PNG: Final = "XML:com.adobe.xmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """Encoder settings of one format. ``quality`` is None for a lossless format."""

    pillow_name: str
    mime_type: str
    keeps_alpha: bool
    quality: int | None
    options: Mapping[str, Any] = field(default_factory=dict)


# Qualities that look alike on product photos. Speed 8 and method 4, because renditions are encoded
# while a person waits for an approval to finish.
FORMATS: Final[Mapping[str, FileFormat]] = {
    "jpeg": FileFormat(
        pillow_name="JPEG",
        mime_type="image/jpeg",
        keeps_alpha=False,
        quality=86,
        options={"optimize": True, "progressive": True},
    ),
    "webp": FileFormat(
        pillow_name="WEBP",
        mime_type="image/webp",
        keeps_alpha=True,
        quality=82,
        options={"method": 4},
    ),
    "avif": FileFormat(
        pillow_name="AVIF",
        mime_type="image/avif",
        keeps_alpha=True,
        quality=65,
        options={"speed": 8},
    ),
    "png": FileFormat(
        pillow_name="PNG",
        mime_type="image/png",
        keeps_alpha=True,
        quality=None,
        options={"compress_level": 6},
    ),
}
MIME_TYPES: Final[Mapping[str, str]] = {name: each.mime_type for name, each in FORMATS.items()}


def encode(
    picture: Image.Image | NDArray[np.uint8],
    *,
    format: Format,
    quality: int | None = None,
    xmp: bytes | None = None,
    full_chroma: bool = False,
) -> bytes:
    """Return ``picture`` as a file.

    An array is (H, W, 3) or (H, W, 4) uint8 sRGB with straight alpha. ``quality`` is 1 to 100;
    None means the format's default. ``full_chroma`` keeps JPEG's and AVIF's colour at full
    resolution (4:4:4), for masters that will be edited again; renditions are 4:2:0. ``xmp`` is a
    packet from ``provenance.xmp_packet``. No other metadata of ``picture`` is written.

    Raises ``ValueError`` for an unknown format, and for transparent pixels if the format has no
    alpha channel: ``flatten`` them first.
    """
    if format not in FORMATS:
        raise ValueError(f"Unknown format {format!r}. Known: {', '.join(FORMATS)}.")
    target = FORMATS[format]
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if image.has_transparency_data and not target.keeps_alpha:
        raise ValueError(f"{target.pillow_name} has no transparency: flatten the picture first.")
    if image.mode not in {"RGB", "RGBA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.info:
        # Pillow writes profiles, comments and more from there; which ones depends on the format.
        image = image.copy()
        image.info = {}
    options = dict(target.options)
    if target.quality is not None:
        options["quality"] = target.quality if quality is None else quality
    if target.pillow_name in {"JPEG", "AVIF"}:
        options["subsampling"] = "4:4:4" if full_chroma else "4:2:0"
    if target.pillow_name == "JPEG" and full_chroma:
        # Pillow reserves 2 bytes a pixel for a progressive file, which grain at 4:4:4 exceeds:
        # "broken data stream when writing image file".
        options |= {"optimize": False, "progressive": False}
    if xmp and target.pillow_name == "PNG":
        # Pillow 13 silently ignores xmp= for PNG.
        text = PngImagePlugin.PngInfo()
        text.add_itxt(XMP_IN_PNG, xmp.decode())
        options["pnginfo"] = text
    elif xmp:
        options["xmp"] = xmp
    file = BytesIO()
    image.save(file, target.pillow_name, **options)
    return file.getvalue()


def encode_master(
    picture: Image.Image | NDArray[np.uint8],
    *,
    lossless: bool,
    xmp: bytes,
    max_bytes: int,
) -> tuple[bytes, Format]:
    """Return ``picture`` as a file that may be edited again, of at most ``max_bytes``, and its format.

    A PNG if it is to be ``lossless`` and is not too large, otherwise a JPEG; with an alpha channel
    always a PNG. Raises ``PictureTooLarge``.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    formats: list[Format] = ["png"] if image.mode == "RGBA" else ["png", "jpeg"]
    for each in formats if lossless else formats[-1:]:
        data = encode(image, format=each, quality=MASTER_QUALITY, xmp=xmp, full_chroma=True)
        if len(data) <= max_bytes:
            return data, each
    raise PictureTooLarge(
        _("The picture takes more than %(most)s bytes, the most that are accepted.")
        % {"most": f"{max_bytes:,}"}
        + " "
        + _("Scale the photo down, or raise MAX_PICTURE_BYTES.")
    )


def shrink(image: Image.Image, *, width: int) -> Image.Image:
    """Return ``image`` at ``width`` pixels with its height in proportion; itself if not wider.

    Lanczos on premultiplied colour, so that hidden colours of transparent pixels do not bleed into
    edges. Raises ``ValueError`` for a width below 1.
    """
    if width < 1:
        raise ValueError(f"width: expected at least 1 pixel, got {width}.")
    if image.width <= width:
        return image
    size = (width, max(1, round(image.height * width / image.width)))
    # Image.resize() premultiplies RGBA itself.
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def flatten(image: Image.Image, *, background: Colour = "#ffffff") -> Image.Image:
    """Return ``image`` as RGB, transparent pixels on ``background`` (CSS colour or sRGB bytes)."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgb = ImageColor.getrgb(background) if isinstance(background, str) else background
    base = Image.new("RGBA", image.size, (*rgb[:3], 255))
    return Image.alpha_composite(base, image.convert("RGBA")).convert("RGB")
