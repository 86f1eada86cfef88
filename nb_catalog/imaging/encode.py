"""Pixels to files: smaller, flatter, encoded, with the mark of their origin written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, PngImagePlugin

Format: TypeAlias = Literal["jpeg", "webp", "avif", "png"]
Colour: TypeAlias = str | tuple[int, int, int]

XMP_IN_PNG: Final = "XML:com.adobe.xmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How one format is written. ``quality`` None: the format is lossless."""

    pillow_name: str
    mime_type: str
    keeps_alpha: bool
    quality: int | None
    options: Mapping[str, Any] = field(default_factory=dict)


# Qualities that look alike on product photos; speed 8 and method 4 because a rendition is made
# once per width while a person waits for the approval to go through.
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
    """``picture`` as a file.

    An array is (H, W, 3) or (H, W, 4) uint8 sRGB with straight alpha. ``quality`` is 1 to 100,
    None takes the format's own. ``full_chroma`` keeps JPEG's colour at full resolution (4:4:4),
    for masters that are worked on again; delivery is 4:2:0. ``xmp`` is a packet as made by
    ``provenance.xmp_packet``. Nothing else that came with ``picture`` is written.

    Raises ``ValueError`` for an unknown format, and for see-through pixels that the format cannot
    hold: ``flatten`` them first.
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
        # Pillow writes profiles, comments and more that it finds there, each format others.
        image = image.copy()
        image.info = {}
    file = BytesIO()
    image.save(
        file,
        target.pillow_name,
        **_options(target, quality=quality, full_chroma=full_chroma),
        **_mark(target, xmp=xmp),
    )
    return file.getvalue()


def _options(target: FileFormat, *, quality: int | None, full_chroma: bool) -> dict[str, Any]:
    options = dict(target.options)
    if target.quality is not None:
        options["quality"] = target.quality if quality is None else quality
    if target.pillow_name in {"JPEG", "AVIF"}:
        options["subsampling"] = "4:4:4" if full_chroma else "4:2:0"
    if target.pillow_name == "JPEG" and full_chroma:
        # Pillow gives a progressive file 2 bytes a pixel of room, which grain at 4:4:4 overflows:
        # "broken data stream when writing image file".
        options |= {"optimize": False, "progressive": False}
    return options


def _mark(target: FileFormat, *, xmp: bytes | None) -> dict[str, Any]:
    if not xmp:
        return {}
    if target.pillow_name != "PNG":
        return {"xmp": xmp}
    # Pillow ignores xmp= for PNG without a word.
    text = PngImagePlugin.PngInfo()
    text.add_itxt(XMP_IN_PNG, xmp.decode())
    return {"pnginfo": text}


def shrink(image: Image.Image, *, width: int) -> Image.Image:
    """``image`` at ``width`` pixels, its height in proportion; itself if it is not wider.

    Lanczos, on premultiplied colour where the picture is see-through, so that hidden colours
    do not bleed into edges.
    """
    if width < 1:
        raise ValueError(f"A width is at least 1 pixel, not {width}.")
    if image.width <= width:
        return image
    size = (width, max(1, round(image.height * width / image.width)))
    # Image.resize() premultiplies RGBA by itself.
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def flatten(image: Image.Image, *, background: Colour = "#ffffff") -> Image.Image:
    """``image`` as RGB, see-through pixels laid on ``background`` (CSS colour or sRGB bytes)."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgb = ImageColor.getrgb(background) if isinstance(background, str) else background
    ground = Image.new("RGBA", image.size, (*rgb[:3], 255))
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
