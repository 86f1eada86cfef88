"""Framing of a painted picture: measured, then cropped, moved and scaled to where its product should be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from PIL import Image

from nb_catalog.conf import PictureLimits
from nb_catalog.core.text import message
from nb_catalog.core.types import PhotoKind, Rect, Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import Framing, box_in_plain
from nb_catalog.imaging.cutout import CutoutBackend
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.encode import MASTER_QUALITY, encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.locked import cut_out_photo
from nb_catalog.imaging.product_box import measure_box
from nb_catalog.imaging.product_box.common import Rgba
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.imaging.scenery.canvas import Pixels

# The name by which the translators' tools find texts.
_ = message

FRAMING_CHECK: Final = "framing"
"""The check of a picture that holds how it was framed, or why it was not."""
ROOM: Final = 1.12
"""How much larger the product becomes when the room is cropped that a model is asked to leave around it."""
EXACT: Final = 0.01
"""Share of the frame by which height, centre and baseline may differ from what is wanted."""
MOST_ENLARGED: Final = 1.5
"""Enlarged further, a picture looks soft beside the others of its series."""
PRODUCT_SIDE: Final = 1024
"""Pixels of the picture in which the cut-out is searched for."""


class Reframed(NamedTuple):
    """(H, W, 3) sRGB uint8, the product's box in it, and by how much the picture was enlarged."""

    pixels: Pixels
    product: Rect
    enlarged: float


class CutOutProduct(NamedTuple):
    """(H, W, 4) sRGB with straight alpha, and the rectangle of what is solid in it."""

    pixels: Rgba
    solid: Rect


class FramedFile(NamedTuple):
    """How a painted picture was framed.

    ``data`` is a JPEG file with its provenance mark, None if the picture stays as it is; ``product`` is the
    product's box in the one or the other, ``wanted`` the one that it should have, and ``report`` what the
    picture's checks hold. None stands for what is not known.
    """

    data: bytes | None = None
    product: Box | None = None
    wanted: Box | None = None
    report: Mapping[str, Any] = MappingProxyType({})


def wanted_box(product: Rect, *, size: Size, camera: Camera, proportion: float = 1.0) -> Box:
    """Return where a product belongs in a picture of a set; ``product`` is its solid part in a cut-out."""
    box = box_in_plain(size, camera=camera)
    scale = Framing.of_camera(camera, proportion=proportion).enlargement(product, box)
    wide, tall = product.width * scale / size.width, product.height * scale / size.height
    bottom, centre = box.bottom / size.height, box.centre / size.width
    if camera.view == "top":
        bottom -= (box.height / size.height - tall) / 2
    return Box(centre - wide / 2, bottom - tall, centre + wide / 2, bottom)


def with_room(wanted: Box) -> Box:
    """Return where the product is in a picture that has ``ROOM`` around the one that is wanted."""
    return Box(*(0.5 + (side - 0.5) / ROOM for side in wanted))


def reframe(pixels: Pixels, *, measured: Box, wanted: Box) -> Reframed | None:
    """Return the picture cropped and scaled so that its product is where it is wanted.

    ``pixels`` is (H, W, 3) sRGB uint8, and so is the result, of the same size. Height, centre and baseline of
    the product are then within ``EXACT`` of ``wanted``. Returns None if the picture has too little room for
    that, or would have to be enlarged more than ``MOST_ENLARGED`` times.
    """
    enlarged = max(1.0, wanted.height / measured.height)
    most = 1 - 1 / enlarged
    left = min(max(measured.centre - wanted.centre / enlarged, 0.0), most)
    top = min(max(measured.bottom - wanted.bottom / enlarged, 0.0), most)
    made = Box(
        *(
            (side - corner) * enlarged
            for side, corner in zip(measured, (left, top, left, top), strict=True)
        )
    )
    off = (made.height - wanted.height, made.centre - wanted.centre, made.bottom - wanted.bottom)
    if enlarged > MOST_ENLARGED or max(map(abs, off)) > EXACT:
        return None
    height, width = pixels.shape[:2]
    # Pixels are squares whose middles are sampled, hence the halves.
    into = np.array(
        [
            [1 / enlarged, 0, left * width + 0.5 / enlarged - 0.5],
            [0, 1 / enlarged, top * height + 0.5 / enlarged - 0.5],
        ]
    )
    framed = cv2.warpAffine(
        pixels, into, (width, height),
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return Reframed(np.asarray(framed, np.uint8), made.rect(Size(width, height)), enlarged)


def cut_out_product(
    photo: bytes, *, mask: bytes | None, photo_kind: str, max_bytes: int, max_pixels: int
) -> CutOutProduct:
    """Return the product of a photo file as it is looked for in a picture.

    ``mask`` is a PNG file of the product's alpha; None for a photo with transparency. Raises
    ``PictureError``.
    """
    limits: PictureLimits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    if photo_kind == PhotoKind.FULL_FRAME:
        # All of the photo is the product, so nothing in it is transparent.
        cover = np.asarray(open_photo(photo, longest_side=PRODUCT_SIDE, **limits).convert("RGBA"))
        return CutOutProduct(cover, Rect(0, 0, cover.shape[1], cover.shape[0]))
    alpha = None if mask is None else read_mask(mask, **limits)
    cutout = cut_out_photo(photo, alpha=alpha, picture_side=PRODUCT_SIDE, **limits)
    return CutOutProduct(cutout.pixels, cutout.solid)


def frame_picture(
    picture: Image.Image,
    *,
    photo: bytes,
    mask: bytes | None,
    camera: Mapping[str, Any],
    proportion: float,
    mark: DigitalSourceType,
    photo_kind: str = "",
    backend: CutoutBackend | None = None,
    max_bytes: int,
    max_pixels: int,
) -> FramedFile:
    """Frame a painted picture, as ``open_photo`` returns it, as the ``camera`` of its set asks for.

    ``photo`` is a file, and ``mask`` a PNG file of its alpha; None for a photo with transparency.
    ``backend`` is asked where the product is if the other ways do not agree. ``mark`` is the picture's own
    provenance, which the framed file has too. The report says "missing" with a code for
    ``describe_unframed`` if the picture stays as it is. Raises ``PictureError`` if a file does not open or
    the camera is invalid.
    """
    limits: PictureLimits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    try:
        seen_by = Camera.from_mapping(camera)
    except ValueError as error:
        raise PictureError(f"The camera of the set is invalid. {error}") from error
    product, solid = cut_out_product(photo, mask=mask, photo_kind=photo_kind, **limits)
    pixels = np.asarray(picture.convert("RGB"))
    size = Size(pixels.shape[1], pixels.shape[0])
    wanted = wanted_box(solid, size=size, camera=seen_by, proportion=proportion)
    expected = with_room(wanted).rect(size)
    measured = measure_box(pixels, product=product, expected=expected, backend=backend)
    if measured is None:
        return FramedFile(wanted=wanted, report={"missing": "not_measured"})
    report: dict[str, Any] = {
        "ways": list(measured.ways),
        "measured": [round(side, 4) for side in measured.box],
    }
    framed = reframe(pixels, measured=measured.box, wanted=wanted)
    if framed is None:
        return FramedFile(
            product=measured.box, wanted=wanted, report={**report, "missing": "no_room"}
        )
    data = encode(
        framed.pixels, format="jpeg", quality=MASTER_QUALITY, xmp=xmp_packet(mark), full_chroma=True
    )
    report["enlarged"] = round(framed.enlarged, 3)
    return FramedFile(data, Box.of(framed.product, size), wanted, report)


def describe_unframed(code: str) -> str:
    """Return in a sentence why a painted picture was left as the model framed it."""
    return {
        "not_measured": _("It is not certain where the product is in the picture."),
        "no_room": _(
            "The model left too little room around the product to frame it like the others."
        ),
        "no_cutout": _("The product's photo has no cut-out to look for in the picture."),
        "failed": _("The photo or the picture could not be read to frame it."),
    }.get(code, _("The picture was not framed."))
