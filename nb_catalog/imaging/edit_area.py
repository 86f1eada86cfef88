"""Edits of a part of a picture: the painted mask, and the rest put back over a model's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.slots import is_close
from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.cutout.mask_files import read_mask, save_mask
from nb_catalog.imaging.encode import MIME_TYPES, encode_master
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet

# The name by which the translators' tools find texts.
_ = message

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

PAINTED: Final = 128
"""Lightness from which a pixel of a mask is to change."""
FEATHER: Final = 0.012
"""Width of the merged edge outside of the mask, as a share of the picture's longer side."""
LEAST_FEATHER: Final = 3
ALIGNMENT_SIDE: Final = 512
MOST_SHIFT: Final = 0.03
"""Share of the picture by which a model may have moved it; beyond that it is not aligned but another one."""
LEAST_LIKENESS: Final = 0.6
"""Correlation from which an alignment is trusted."""
VISIBLE_SEAM: Final = 12.0
"""Mean difference in levels around the mask from which the seam is likely to be seen."""
BAND: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class EditArea:
    """A checked mask: a grey PNG ``file``, white where the picture changes, and the ``box`` around that."""

    file: bytes = field(repr=False)
    box: Rect
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A picture with the pixels of its parent outside of the mask, as a file.

    ``seam`` is by how many levels the model's answer differed from the parent around the mask, and
    ``enlarged`` by how much it was scaled up.
    """

    data: bytes = field(repr=False)
    mime_type: str
    seam: float
    enlarged: float

    def report(self) -> Mapping[str, Any]:
        """Return plain data for the picture's checks."""
        return {"seam": round(self.seam, 1), "enlarged": round(self.enlarged, 2)}


def check_area(data: bytes, *, picture: Size, max_bytes: int, max_pixels: int) -> EditArea:
    """Return the mask in a file that was painted over a ``picture`` of this size.

    Light, or opaque in a picture with transparency, is what changes. Raises ``PictureError`` for a file that
    does not open, for a mask of another size, and for one that is empty or covers everything.
    """
    alpha = read_mask(data, max_bytes=max_bytes, max_pixels=max_pixels)
    height, width = alpha.shape
    if (width, height) != picture:
        raise PictureError(
            _(
                "The mask has %(mask)s pixels and the picture %(picture)s. A mask needs the picture's own "
                "size: paint it again."
            )
            % {"mask": f"{width} × {height}", "picture": f"{picture.width} × {picture.height}"}
        )
    painted = alpha >= PAINTED
    if not painted.any():
        raise PictureError(_("The mask is empty. Paint over what is to change."))
    if painted.all():
        raise PictureError(
            _("The mask covers the whole picture. Leave it out to have the whole picture changed.")
        )
    binary = painted.astype(np.uint8)
    return EditArea(
        file=save_mask(binary * np.uint8(255)),
        box=Rect(*cv2.boundingRect(binary)),
        share=float(painted.mean()),
    )


def feather_of(size: Size) -> int:
    """Return the width in pixels of the merged edge in a picture of ``size``."""
    return max(LEAST_FEATHER, round(FEATHER * max(size)))


def touches(area: Bytes, product: Bytes) -> bool:
    """Return whether an edit of ``area`` changes pixels of ``product``, with its merged edge; both (H, W)."""
    size = Size(area.shape[1], area.shape[0])
    return bool(((_weights(area, feather_of(size)) > 0) & (product > 0)).any())


def merge_area_files(
    parent: bytes,
    answer: bytes,
    *,
    area: bytes,
    mark: DigitalSourceType,
    max_bytes: int,
    max_pixels: int,
) -> Merged:
    """Return the file of ``parent`` with ``answer``, a model's edit of it, where ``area`` is white.

    Outside of the mask and its merged edge, all pixels are those of the parent. The file is a PNG unless that
    would be larger than ``max_bytes``. Raises ``PictureError`` for files that do not open, a mask of another
    size, an answer of another ratio, and a result that is larger than ``max_bytes`` even as a JPEG.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    own = np.asarray(open_photo(parent, **limits))
    mask = read_mask(area, **limits)
    changed = open_photo(answer, **limits).convert("RGB")
    size = Size(own.shape[1], own.shape[0])
    if mask.shape != own.shape[:2]:
        raise PictureError(_("The mask does not have the size of the picture any more."))
    if not is_close(changed.width / changed.height, size.width / size.height):
        raise PictureError(
            _(
                "The model returned %(answer)s pixels for a picture of %(picture)s, which is another ratio: "
                "the rest of the picture cannot be put back. The answer is kept. Try again."
            )
            % {
                "answer": f"{changed.width} × {changed.height}",
                "picture": f"{size.width} × {size.height}",
            }
        )
    enlarged = size.width / changed.width
    if changed.size != size:
        changed = changed.resize(size, Image.Resampling.LANCZOS)
    rgb = np.ascontiguousarray(own[..., :3])
    new = aligned(np.asarray(changed), rgb, outside=mask < PAINTED)
    feather = feather_of(size)
    pixels, seam = paste(rgb, new, mask, feather=feather)
    if own.shape[2] == 4:
        pixels = np.dstack([pixels, own[..., 3]])
    data, file_format = encode_master(
        pixels, lossless=True, xmp=xmp_packet(mark), max_bytes=max_bytes
    )
    return Merged(data=data, mime_type=MIME_TYPES[file_format], seam=seam, enlarged=enlarged)


def paste(parent: Bytes, answer: Bytes, mask: Bytes, *, feather: int) -> tuple[Bytes, float]:
    """Return (H, W, 3) ``parent`` with ``answer`` in ``mask``, merged over ``feather`` pixels outside of it,
    and by how many levels the two differ there.

    Everything beyond is the parent's own, byte for byte.
    """
    weights = _weights(mask, feather)
    out = parent.copy()
    edge = (weights > 0) & (weights < 1)
    seam = 0.0
    if edge.any():
        seam = float(np.abs(parent[edge].astype(np.float32) - answer[edge]).mean())
    for first in range(0, parent.shape[0], BAND):
        rows = slice(first, first + BAND)
        share = weights[rows][..., None]
        old = parent[rows].astype(np.float32)
        mixed = np.rint(old + (answer[rows].astype(np.float32) - old) * share).astype(np.uint8)
        inside = weights[rows] > 0
        out[rows][inside] = mixed[inside]
    return out, seam


def aligned(answer: Bytes, parent: Bytes, *, outside: NDArray[np.bool_]) -> Bytes:
    """Return ``answer`` moved and scaled by as much as the model has moved it, judged by what is ``outside``
    of the mask; as it is if that cannot be told."""
    height, width = outside.shape
    scale = min(1.0, ALIGNMENT_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [
        cv2.cvtColor(cv2.resize(each, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for each in (parent, answer)
    ]
    seen = cv2.resize(outside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    # Where the mask leaves next to nothing, or nothing but a plain ground, there is nothing to go by.
    if seen.mean() < 0.1 or float(small[0][seen > 0].std()) < 2:
        return answer
    into = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        likeness, found = cv2.findTransformECC(
            small[0], small[1], into, cv2.MOTION_AFFINE, stop, seen, 5
        )
    except cv2.error:
        return answer
    matrix = np.array(found, np.float64)
    corners = np.array([[x, y, 1.0] for x in (0, size[0]) for y in (0, size[1])])
    moved = np.abs(corners @ matrix.T - corners[:, :2]).max() / max(size)
    # Less than a third of a pixel is not worth sampling all of them again.
    if likeness < LEAST_LIKENESS or moved > MOST_SHIFT or moved * max(width, height) < 0.34:
        return answer
    matrix[:, 2] /= scale
    return np.asarray(
        cv2.warpAffine(
            answer,
            matrix,
            (width, height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _weights(mask: Bytes, feather: int) -> Floats:
    """Return 1 inside the mask, falling to 0 at ``feather`` pixels outside of it, and 0 beyond."""
    outside = (mask < PAINTED).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    t = np.clip(1 - distance.astype(np.float32) / np.float32(feather), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
