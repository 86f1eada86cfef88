"""Adjustments of a picture without a model: the same picture and list always give the same file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from PIL import Image, ImageColor

from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import AdjustmentRefused
from nb_catalog.imaging.adjust import geometry
from nb_catalog.imaging.adjust.extend import RenderedScene, extend, not_rendered
from nb_catalog.imaging.adjust.geometry import Frame, Matrix
from nb_catalog.imaging.adjust.kinds import (
    KINDS,
    Adjustment,
    Background,
    Crop,
    Exposure,
    Extend,
    Resize,
    Sharpen,
    Straighten,
    WhiteBalance,
    as_mappings,
    changes_product,
    needs_mask,
    parse_adjustments,
)
from nb_catalog.imaging.adjust.product_mask import (
    ProductMask,
    alpha_of,
    area_meets_product,
    mask_in_picture,
    own_mask,
    place_in_photo,
    unknown_background,
)
from nb_catalog.imaging.adjust.tones import adjust_tones, merge_area
from nb_catalog.imaging.colour_shift import Shift, measure_shift
from nb_catalog.imaging.compose.relight import BOUNDS
from nb_catalog.imaging.cutout.edge import unmix
from nb_catalog.imaging.encode import MIME_TYPES, encode, encode_master
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, strongest, xmp_packet

__all__ = [
    "EDIT_CHECK",
    "KINDS",
    "AdjustedFile",
    "Adjustment",
    "Background",
    "Crop",
    "Extend",
    "ProductMask",
    "RenderedScene",
    "adjust_file",
    "alpha_of",
    "area_meets_product",
    "as_mappings",
    "changes_product",
    "mask_in_picture",
    "needs_mask",
    "not_rendered",
    "own_mask",
    "parse_adjustments",
    "place_in_photo",
    "preview_file",
    "unknown_background",
]

# The name by which the translators' tools find texts.
_ = message

EDIT_CHECK: Final = "edit"
"""The check of an edited picture: where its product is, and what the edit did to the rest."""
PREVIEW_QUALITY: Final = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedFile:
    """The adjusted picture as a file with its mark. ``product`` is the product's rectangle in it if it is
    known, ``matrix`` leads there from the picture before, and ``shift`` is how far the product's colours were
    changed; None if they were not."""

    data: bytes = field(repr=False)
    mime_type: str
    size: Size
    term: DigitalSourceType
    product: Rect | None
    matrix: Matrix = field(repr=False)
    shift: Shift | None


def adjust_file(
    picture: bytes,
    adjustments: Sequence[Adjustment],
    *,
    origin: DigitalSourceType,
    product: Rect | None = None,
    mask: ProductMask | None = None,
    scene: RenderedScene | None = None,
    bounded: Mapping[str, float] | None = None,
    max_bytes: int,
    max_pixels: int,
) -> AdjustedFile:
    """Return ``picture``, a file, with ``adjustments`` made one after the other.

    ``origin`` is its mark and ``product`` the product's rectangle in it. ``bounded``: the product's pixels
    are its own, and may be changed as far as relighting may, together with what was changed before. A PNG
    stays one; otherwise the result is a JPEG with its colours at full resolution.

    Raises ``PictureError``, mostly ``AdjustmentRefused``.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    frame = _opened(picture, product, mask, adjustments, **limits)
    made, shift = _made(frame, adjustments, scene=scene, bounded=bounded, most=max_pixels)
    term = strongest(origin, *_terms(adjustments))
    data, file_format = encode_master(
        made.pixels,
        lossless=picture.startswith(b"\x89PNG"),
        xmp=xmp_packet(term),
        max_bytes=max_bytes,
    )
    return AdjustedFile(
        data=data,
        mime_type=MIME_TYPES[file_format],
        size=made.size,
        term=term,
        product=made.product,
        matrix=made.matrix,
        shift=shift,
    )


def preview_file(
    picture: bytes,
    adjustments: Sequence[Adjustment],
    *,
    side: int,
    origin: DigitalSourceType,
    product: Rect | None = None,
    mask: ProductMask | None = None,
    scene: RenderedScene | None = None,
    bounded: Mapping[str, float] | None = None,
    max_bytes: int,
    max_pixels: int,
) -> bytes:
    """Return a WebP file of what ``adjust_file`` would make, ``side`` pixels or less. Raises as it does."""
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    frame = _opened(picture, product, mask, adjustments, **limits)
    made, _shift_made = _made(frame, adjustments, scene=scene, bounded=bounded, most=max_pixels)
    image = Image.fromarray(made.pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    term = strongest(origin, *_terms(adjustments))
    return encode(image, format="webp", quality=PREVIEW_QUALITY, xmp=xmp_packet(term))


def _made(
    frame: Frame,
    adjustments: Iterable[Adjustment],
    *,
    scene: RenderedScene | None,
    bounded: Mapping[str, float] | None,
    most: int,
) -> tuple[Frame, Shift | None]:
    """Return ``frame`` after all of ``adjustments``, and how far they changed the product's colours.

    Raises ``AdjustmentRefused``, if they are ``bounded``, beyond what relighting may do.
    """
    made = frame
    shift: Shift | None = None
    for each in adjustments:
        before, made = made, _adjusted(made, each, scene=scene, most=most)
        if changes_product(each):
            step = _shift(before, made)
            shift = step if shift is None else _both(shift, step)
    if shift is not None and bounded is not None:
        # With what was changed before, no more than relighting may do.
        shift = _both(Shift(**bounded), shift) if bounded else shift
        if not BOUNDS.hold(shift):
            raise AdjustmentRefused(
                _(
                    "The product's colours would differ from its photo by %(found)s (CIEDE2000, median); at "
                    "most %(most)s are allowed while its pixels count as its own. Adjust less, or the "
                    "background only."
                )
                % {"found": f"{shift.median:.1f}", "most": f"{BOUNDS.median:g}"}
            )
    return made, shift


def _opened(
    picture: bytes,
    product: Rect | None,
    mask: ProductMask | None,
    adjustments: Iterable[Adjustment],
    *,
    max_bytes: int,
    max_pixels: int,
) -> Frame:
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    image = open_photo(picture, **limits)
    frame = Frame(
        pixels=np.asarray(image), product=product, mask=None, matrix=geometry.identity()
    )  # fmt: skip
    if image.mode == "RGBA" or mask is None or not any(map(needs_mask, adjustments)):
        return frame
    return replace(frame, mask=alpha_of(frame.pixels, mask, **limits))


def _adjusted(
    frame: Frame, adjustment: Adjustment, *, scene: RenderedScene | None, most: int
) -> Frame:
    match adjustment:
        case Crop():
            return geometry.crop(frame, adjustment)
        case Straighten():
            return geometry.straighten(frame, adjustment)
        case Resize():
            made = geometry.resize(frame, adjustment)
            geometry.check_size(made.size, most=most)
            return made
        case Extend():
            return extend(frame, adjustment, scene=scene, most=most)
        case Background(colour=colour):
            alpha = _product_in(frame)
            rgb = np.ascontiguousarray(frame.pixels[..., :3])
            product = rgb if frame.pixels.shape[2] == 4 else unmix(rgb, alpha)[..., :3]
            flat = np.empty_like(rgb)
            flat[:] = ImageColor.getrgb(colour)
            on_colour = merge_area(np.ascontiguousarray(product), flat, product=alpha)
            return replace(frame, pixels=on_colour)
        case Exposure() | WhiteBalance() | Sharpen():
            rgb = np.ascontiguousarray(frame.pixels[..., :3])
            made_rgb = adjust_tones(rgb, adjustment)
            if needs_mask(adjustment):
                made_rgb = merge_area(rgb, made_rgb, product=_product_in(frame))
            return replace(frame, pixels=np.dstack([made_rgb, frame.pixels[..., 3:]]))


def _product_in(frame: Frame) -> geometry.Bytes:
    """Return the product's alpha in the picture. Raises ``AdjustmentRefused`` if it is not known."""
    if frame.mask is not None:
        return frame.mask
    if frame.pixels.shape[2] == 4:
        return np.ascontiguousarray(frame.pixels[..., 3])
    raise AdjustmentRefused(unknown_background())


def _shift(before: Frame, after: Frame) -> Shift:
    """Return how far an adjustment changed the product; the whole picture where its place is unknown."""
    height, width = before.pixels.shape[:2]
    solid = np.zeros((height, width), np.bool_)
    if before.mask is not None:
        solid = before.mask > 127
    elif before.product is not None:
        box = before.product
        solid[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = True
    if not solid.any():
        solid[:] = True
    pair = (np.ascontiguousarray(each.pixels[..., :3]) for each in (before, after))
    return measure_shift(*pair, solid=solid, side=max(height, width))


def _both(first: Shift, second: Shift) -> Shift:
    """Return at most how far both changes together lead."""
    return Shift(
        median=first.median + second.median,
        colour_median=first.colour_median + second.colour_median,
        p95=first.p95 + second.p95,
        ncc=first.ncc * second.ncc,
    )


def _terms(adjustments: Iterable[Adjustment]) -> list[DigitalSourceType]:
    """Return what adjustments add to a picture: ground that was computed without a model."""
    adds_ground = any(isinstance(each, Extend | Background) for each in adjustments)
    return [DigitalSourceType.ALGORITHMIC] if adds_ground else []
