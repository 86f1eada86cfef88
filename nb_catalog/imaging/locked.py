"""The locked treatment with a model: the product's own pixels on a background that it painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.types import PhotoKind, Rect, Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import Framing, Pose, box_in_plain, compose_on, fit_picture
from nb_catalog.imaging.compose.flat import flat_cutout_photo
from nb_catalog.imaging.cutout import (
    ClassicalCutout,
    Cutout,
    CutoutBackend,
    FoundMask,
    cut_by_mask,
    find_mask,
)
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.encode import MASTER_QUALITY, encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import source_type_for, xmp_packet
from nb_catalog.imaging.scenery.camera import Camera

# Pixels of the longer side at which the product is looked for, and of the whole photo at most.
FIRST_SIDE: Final = 2048
MAX_PIXELS: Final = 24_000_000


def open_view(photo: bytes, *, max_bytes: int, max_pixels: int) -> Image.Image:
    """Return a photo file as it is looked at to find the product: at ``FIRST_SIDE`` or less.

    Raises ``PictureError``.
    """
    return open_photo(photo, longest_side=FIRST_SIDE, max_bytes=max_bytes, max_pixels=max_pixels)


def find_mask_of(
    photo: bytes, *, backend: CutoutBackend, max_bytes: int, max_pixels: int
) -> FoundMask:
    """Return the product's mask in a photo file, at ``FIRST_SIDE`` or less.

    Raises ``PictureError``, mostly ``CutoutRefused``.
    """
    view = open_view(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    return find_mask(view, backend=backend)


def cut_out_photo(
    photo: bytes,
    *,
    alpha: NDArray[np.uint8] | Image.Image | None = None,
    refine: bool = True,
    backend: CutoutBackend | None = None,
    picture_side: int = 0,
    max_bytes: int,
    max_pixels: int,
) -> Cutout:
    """Cut out the product of a photo file, with as many pixels as a picture of ``picture_side`` shows.

    With ``alpha``, the mask of a person or one that was found earlier, nothing is searched for; see
    ``cut_by_mask`` about ``refine``. Otherwise ``backend`` finds it, the classical one by default. The
    photo is scaled down while it is decoded, and decoded again in more detail only if the product is
    small in it. Raises ``PictureError``, mostly ``CutoutRefused``.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    view = open_view(photo, **limits)
    found: FoundMask | None = None
    if alpha is None:
        found = find_mask(view, backend=backend or ClassicalCutout())
        alpha, refine = found.alpha, True
    cutout = cut_by_mask(view, alpha, refine=refine)
    side, product_side = max(view.size), max(cutout.pixels.shape[:2])
    shape = view.width * view.height / side**2
    # Rounded up, so that the product is not enlarged.
    needed = min(-(-side * picture_side // product_side), int((MAX_PIXELS / shape) ** 0.5))
    if side >= FIRST_SIDE and needed > side:
        larger = open_photo(photo, longest_side=needed, **limits)
        cutout = cut_by_mask(larger, alpha, refine=refine)
    return cutout if found is None else cutout.by(found)


class Composed(NamedTuple):
    """A JPEG file with its provenance mark, the rectangle that the product takes in it, and what to
    report about its size and its cut-out."""

    data: bytes
    product: Rect
    report: Mapping[str, Any]


def compose_into(
    picture: bytes,
    *,
    photo: bytes,
    mask: bytes | None = None,
    refine: bool = False,
    backend: CutoutBackend | None = None,
    pose: str = "",
    photo_kind: str = "",
    camera: Mapping[str, Any] | None = None,
    proportion: float = 1.0,
    at: Box | None = None,
    max_bytes: int,
    max_pixels: int,
) -> Composed:
    """Place the product of ``photo`` in ``picture``, an empty background from a model.

    ``mask`` is a PNG file of the product's alpha; without it, ``backend`` finds the product. With
    ``photo_kind`` "full_frame" the whole photo is the product. The result is smaller than ``picture``
    if the photo is too small for its size. ``pose`` is one of ``types.POSES``; "" means to estimate
    it. With the ``camera`` of a set, a mapping, the product has the place that all of its products have;
    ``proportion`` is the share of their height that it takes. ``at`` is where its height, middle and foot are
    to be in any case. Raises ``PictureError`` if a file does not open, the product cannot be cut out, or the
    camera is invalid.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    try:
        seen_by = Camera.from_mapping(camera) if camera else None
        framing = Framing.of_camera(seen_by, proportion=proportion)
    except ValueError as error:
        raise PictureError(f"The camera of the set is invalid. {error}") from error
    background = open_photo(picture, **limits).convert("RGB")
    side = max(background.size)
    product: Cutout
    if photo_kind == PhotoKind.FULL_FRAME:
        pose = pose or "standing"
        is_turned = pose == "standing" and (seen_by is None or seen_by.view == "front")
        product = flat_cutout_photo(photo, picture_side=side, is_turned=is_turned, **limits)
    else:
        product = cut_out_photo(
            photo,
            alpha=None if mask is None else read_mask(mask, **limits),
            refine=refine,
            backend=backend,
            picture_side=side,
            **limits,
        )
    if at is not None:
        framing = replace(framing, fixed=True)
    fitted = fit_picture(
        product, size=Size(*background.size), camera=seen_by, framing=framing, at=at
    )
    if fitted.is_reduced:
        background = background.resize(fitted.size, Image.Resampling.LANCZOS)
    term = source_type_for(model_drew_background=True, model_drew_product=False)
    composition = compose_on(
        product,
        np.asarray(background),
        pose=cast("Pose | None", pose or None),
        camera=seen_by,
        framing=framing,
        at=at,
    )
    data = encode(
        composition.pixels,
        format="jpeg",
        quality=MASTER_QUALITY,
        xmp=xmp_packet(term),
        full_chroma=True,
    )
    box = box_in_plain(fitted.size, camera=seen_by, at=at)
    report = {
        **fitted.report(),
        **framing.report(product.solid, box),
        **report_on(product),
    }
    return Composed(data, composition.product, report)


def report_on(*cutouts: Cutout) -> Mapping[str, Any]:
    """Return what a picture's checks hold about its cut-outs: nothing, unless one is doubtful."""
    doubtful = [
        {"method": each.method, "score": each.score, "reasons": list(each.reasons)}
        for each in cutouts
        if each.reasons
    ]
    return {"cutout": least_certain(doubtful)} if doubtful else {}


def least_certain(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the check of the cut-out with the lowest score, with the doubts about all of them."""
    worst = min(checks, key=lambda check: check["score"] if check["score"] is not None else 1.0)
    reasons = dict.fromkeys(reason for check in checks for reason in check["reasons"])
    return {**worst, "reasons": list(reasons)}
