"""The product's own photo as a picture: upright, 8-bit sRGB, marked, perhaps cropped, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.slots import aspect_of, is_close
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import CropRefused
from nb_catalog.imaging.cutout import alpha, masks
from nb_catalog.imaging.cutout.background import fit_background, lab
from nb_catalog.imaging.cutout.outline import solid_box
from nb_catalog.imaging.encode import MIME_TYPES, encode_master
from nb_catalog.imaging.formats import webp
from nb_catalog.imaging.inspect import Facts, check_photo, examine, open_photo
from nb_catalog.imaging.metadata import SENDABLE, with_xmp, without_metadata
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, strongest, xmp_packet

# In pixels; a worker accepts nothing smaller as a picture.
LEAST_SIDE: Final = 32
# Pixels of the longer side at which the product is looked for.
VIEW_SIDE: Final = 1024
WORKING_SIDE: Final = 512
# What a plain background is, in Lab units and shares of its rim, and how much of the photo a product on one
# takes: as for cut-outs. Less certain masks will do, because only their extent counts here.
MAX_SPREAD, MAX_STRAYS = 4.0, 0.35
MIN_SHARE, MAX_SHARE, MAX_SHARE_OF_RIM, MAX_EDGES = 0.01, 0.95, 0.35, 2

# Anywhere in a file that is not compressed: in XMP of any container, and in C2PA manifests.
SOURCE_TYPE: Final = re.compile(rb"cv\.iptc\.org/newscodes/digitalsourcetype/([A-Za-z]{4,60})")
# Terms of the IPTC that this project does not use itself, as the next one that does not claim less.
STRONGER_TERMS: Final[Mapping[str, DigitalSourceType]] = {
    "digitalArt": DigitalSourceType.CREATION,
    "virtualRecording": DigitalSourceType.ALGORITHMIC,
    "dataDrivenMedia": DigitalSourceType.ALGORITHMIC,
    "algorithmicallyEnhanced": DigitalSourceType.ALGORITHMIC,
    "composite": DigitalSourceType.COMPOSITE_WITH_MODEL,
    "compositeSynthetic": DigitalSourceType.COMPOSITE_WITH_MODEL,
    **{term.value: term for term in DigitalSourceType},
}


class Place(NamedTuple):
    """Where a product is in its photo, in pixels: all of it with its shadow, and its opaque parts."""

    extent: Rect
    body: Rect


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPhoto:
    """A photo as a picture file.

    ``product`` is the product's rectangle in it, None if its place is not known. ``changes`` are codes
    such as "turned" and "cropped"; without any, its pixels are those of the photo, bit for bit.
    """

    data: bytes = field(repr=False)
    mime_type: str
    product: Rect | None
    changes: tuple[str, ...]


def own_photo(
    photo: bytes, *, ratio: str = "", is_full_frame: bool = False, max_bytes: int, max_pixels: int
) -> OwnPhoto:
    """Return ``photo`` as a picture with its origin as its mark and no other metadata.

    ``ratio``, such as "4:5", crops it; "" and a photo that has it already leave it whole. Of a photo
    that ``is_full_frame``, the product is all of it. Only what has to be changed is encoded again:
    without loss if the photo was, otherwise as a JPEG. Nothing is enlarged, and transparency stays.

    Raises ``PictureError``: ``CropRefused`` if the ratio cannot be had without cutting the product.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    facts = examine(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    size = Size(facts.width, facts.height)
    place = None if is_full_frame else find_product(photo, size=size, **limits)
    crop = crop_box(size, ratio=ratio, place=_all_of(size) if is_full_frame else place)
    product = place.extent if place else None
    changes = [*_required_changes(facts), *(["cropped"] if crop else [])]
    packet = xmp_packet(origin_of(photo))
    if crop and product:
        product = product._replace(left=product.left - crop.left, top=product.top - crop.top)
    if not changes:
        try:
            data = without_metadata(photo, mime_type=facts.mime_type)
            data = with_xmp(data, packet, mime_type=facts.mime_type)
        except ValueError:
            changes = ["encoded_again"]
        else:
            return OwnPhoto(data=data, mime_type=facts.mime_type, product=product, changes=())
    image = open_photo(photo, **limits)
    if crop:
        image = image.crop((crop.left, crop.top, crop.right, crop.bottom))
    # If the photo's own format has lost detail, another loss hardly shows.
    lossless = facts.mime_type not in {"image/jpeg", "image/heic", "image/avif"}
    if facts.mime_type == "image/webp":
        lossless = webp.read(photo).is_lossless
    data, file_format = encode_master(image, lossless=lossless, xmp=packet, max_bytes=max_bytes)
    return OwnPhoto(
        data=data, mime_type=MIME_TYPES[file_format], product=product, changes=tuple(changes)
    )


def picture_size(
    photo: bytes, *, ratio: str = "", is_full_frame: bool = False, max_bytes: int, max_pixels: int
) -> Size:
    """Return the size in pixels of the picture that ``own_photo`` makes, decoding as little as possible.

    Raises as ``own_photo`` does, but does not find all damage.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    facts = check_photo(photo, **limits)
    size = Size(facts.width, facts.height)
    if not _needs_crop(size, ratio=ratio):
        crop_box(size, ratio="", place=None)
        return size
    place = _all_of(size) if is_full_frame else find_product(photo, size=size, **limits)
    crop = crop_box(size, ratio=ratio, place=place)
    return Size(crop.width, crop.height) if crop else size


def origin_of(photo: bytes) -> DigitalSourceType:
    """Return what the mark of a picture has to say that shows ``photo``: at least ``digitalCapture``.

    The strongest term counts that the file contains, in its XMP or in a C2PA manifest. No other IPTC
    term claims less than the one that is returned for it.
    """
    stated = (match.decode() for match in SOURCE_TYPE.findall(photo))
    terms = [STRONGER_TERMS[term] for term in stated if term in STRONGER_TERMS]
    # The mark may be compressed, in a PNG.
    mark = read_mark(photo)
    return strongest(DigitalSourceType.CAPTURE, *terms, *([mark] if mark else []))


def find_product(photo: bytes, *, size: Size, max_bytes: int, max_pixels: int) -> Place | None:
    """Return where the product is in a photo of ``size``; None if that is not known.

    It is known by the photo's own transparency, or roughly on a plain background. Raises
    ``PictureError``.
    """
    view = open_photo(photo, longest_side=VIEW_SIDE, max_bytes=max_bytes, max_pixels=max_pixels)
    if alpha.has_outline(view):
        opacity = np.asarray(view.getchannel("A"))
        extent, width = solid_box(opacity), view.width
        body = Rect(*cv2.boundingRect((opacity >= alpha.SOLID).astype(np.uint8)))
    else:
        extent, width = _box_on_plain_background(view)
        body = extent
    if not extent.width:
        return None
    scale = size.width / width
    return Place(
        _enlarged(extent, scale=scale, within=size),
        _enlarged(body if body.width else extent, scale=scale, within=size),
    )


def crop_box(size: Size, *, ratio: str, place: Place | None) -> Rect | None:
    """Return the largest part of ``ratio`` of a photo of ``size``, around the product or in the middle.

    None if the photo has that ratio. All in pixels. Raises ``CropRefused`` if the product does not fit
    into it, or if too little is left.
    """
    width, height = size
    if _needs_crop(size, ratio=ratio):
        aspect = aspect_of(ratio)
        width = min(width, max(1, round(height * aspect)))
        height = min(height, max(1, round(size.width / aspect)))
    if min(width, height) < LEAST_SIDE:
        raise CropRefused(
            _("The picture would have %(width)s × %(height)s pixels. Upload a larger photo.")
            % {"width": width, "height": height}
        )
    if (width, height) == size:
        return None
    extent, body = place or _all_of(size)
    if place and (extent.width > width or extent.height > height):
        raise CropRefused(
            _(
                "The product takes too much of its photo to be cropped to %(ratio)s: part of it would be cut "
                "off. Choose another ratio, or upload a photo with more space around the product."
            )
            % {"ratio": ratio}
        )
    left = round(body.left + body.width / 2 - width / 2)
    top = round(body.top + body.height / 2 - height / 2)
    if place:
        # Its shadow may be longer on one side.
        left = min(max(left, extent.right - width), extent.left)
        top = min(max(top, extent.bottom - height), extent.top)
    return Rect(
        min(max(left, 0), size.width - width), min(max(top, 0), size.height - height), width, height
    )


def _all_of(size: Size) -> Place:
    whole = Rect(0, 0, *size)
    return Place(whole, whole)


def _enlarged(box: Rect, *, scale: float, within: Size) -> Rect:
    """Return ``box`` at ``scale``, with one of its own pixels more on each side, for what scaling lost."""
    left, top = max(0, int((box.left - 1) * scale)), max(0, int((box.top - 1) * scale))
    right = min(within.width, round((box.right + 1) * scale))
    bottom = min(within.height, round((box.bottom + 1) * scale))
    return Rect(left, top, right - left, bottom - top)


def _needs_crop(size: Size, *, ratio: str) -> bool:
    return bool(ratio) and not is_close(size.width / size.height, aspect_of(ratio))


def _box_on_plain_background(view: Image.Image) -> tuple[Rect, int]:
    """Return where the product is on a plain background, and the width that this refers to; 0 by 0 if
    the background is not plain or nothing is distinct on it."""
    # At half size or less: that averages away most of what JPEG adds around edges.
    scale = min(0.5, WORKING_SIDE / max(view.size))
    size = (max(1, round(view.width * scale)), max(1, round(view.height * scale)))
    nowhere = Rect(0, 0, 0, 0), size[0]
    if min(size) < LEAST_SIDE // 2:
        return nowhere
    rgb = view.convert("RGB").resize(size, Image.Resampling.BOX)
    colours = lab(np.asarray(rgb))
    background = fit_background(colours)
    if background.spread > MAX_SPREAD or background.strays > MAX_STRAYS:
        return nowhere
    mask = masks.mask_by_colour(colours, background=background)
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if not MIN_SHARE <= float(mask.mean()) <= MAX_SHARE or float(rim.mean()) > MAX_SHARE_OF_RIM:
        return nowhere
    box = Rect(*cv2.boundingRect(mask.astype(np.uint8)))
    edges = (box.left == 0, box.top == 0, box.right == size[0], box.bottom == size[1])
    # What reaches three edges is a scene, not a product.
    return nowhere if sum(edges) > MAX_EDGES else (box, size[0])


def _required_changes(facts: Facts) -> Iterator[str]:
    """Yield codes of what keeps a photo from being a picture as it is."""
    if facts.mime_type not in SENDABLE:
        # Browsers do not show all of them, and none is known to be stripped of all metadata.
        yield f"from_{facts.mime_type.removeprefix('image/')}"
    if facts.frames > 1:
        yield "first_frame"
    if not facts.upright:
        yield "turned"
    if facts.mode == "CMYK":
        yield "from_cmyk"
    elif facts.bits > 8 or facts.mode.startswith(("I", "F")):
        yield "to_8_bit"
    if not facts.is_srgb and facts.mode != "CMYK":
        yield "to_srgb"
