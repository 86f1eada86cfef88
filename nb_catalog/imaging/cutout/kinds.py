"""What kind of photo it is: a product to cut out, a product that is the whole frame, or a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.types import PhotoKind
from nb_catalog.imaging.cutout.classical import examine_ground
from nb_catalog.imaging.cutout.types import FoundMask

SIDE: Final = 256
# Slopes of lightness (Sobel, L 0 to 100) from which an edge counts, and from which it is a strong one.
EDGE, STRONG_EDGE = 40.0, 60.0
# Radians: an edge this close to level or upright is along an axis.
AXIS: Final = 0.12
# Measured on 144 covers and 150 other photos: 123 covers found and 3 others, or, with the format of a
# book, 137 and 1.
AXIS_SHARE, EDGE_SHARE = 0.26, 0.1
AXIS_SHARE_OF_PORTRAIT, EDGE_SHARE_OF_PORTRAIT = 0.22, 0.08
PORTRAIT: Final = (0.55, 0.9)
AXIS_SHARE_WHEN_UNSURE: Final = 0.24
# Doubts of a mask that shows no product: crumbs, or grains, other ones at each size.
NOTHING_CLEAR: Final = frozenset({"several_pieces", "sizes_disagree"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSuggestion:
    """What a photo seems to be, and by which signals: "own_outline", "plain_background", "print",
    "portrait_print", "clear_outline", "cut_off", "no_clear_product"."""

    kind: PhotoKind
    reasons: tuple[str, ...]


def suggest_kind(photo: Image.Image, found: FoundMask | None) -> KindSuggestion:
    """Return what ``photo`` seems to be. ``found`` is its mask, None if none was found.

    A suggestion only: posters and records were never measured, and a shop that sells books knows it.
    """
    if found is not None and found.method == "alpha":
        return KindSuggestion(kind=PhotoKind.PACKSHOT, reasons=("own_outline",))
    if found is not None and found.is_plain and found.is_certain:
        return KindSuggestion(kind=PhotoKind.PACKSHOT, reasons=("plain_background",))
    if found is not None and set(found.reasons) == {"room"}:
        return KindSuggestion(kind=PhotoKind.PACKSHOT, reasons=("clear_outline",))
    axis, edges = print_signals(photo)
    if axis >= AXIS_SHARE and edges >= EDGE_SHARE:
        return KindSuggestion(kind=PhotoKind.FULL_FRAME, reasons=("print",))
    is_portrait = PORTRAIT[0] <= photo.width / photo.height <= PORTRAIT[1]
    if is_portrait and axis >= AXIS_SHARE_OF_PORTRAIT and edges >= EDGE_SHARE_OF_PORTRAIT:
        return KindSuggestion(kind=PhotoKind.FULL_FRAME, reasons=("portrait_print",))
    is_unsure = found is not None and "unsure" in found.reasons
    if is_unsure and axis >= AXIS_SHARE_WHEN_UNSURE and edges >= EDGE_SHARE:
        return KindSuggestion(kind=PhotoKind.FULL_FRAME, reasons=("print", "unsure"))
    reasons = set(found.reasons) if found is not None else set()
    if "touches_frame" in reasons:
        # Set into a scene, the product would end in the air.
        return KindSuggestion(kind=PhotoKind.LIFESTYLE, reasons=("cut_off",))
    is_plain = found.is_plain if found is not None else examine_ground(photo).is_plain
    if is_plain and not reasons >= NOTHING_CLEAR:
        return KindSuggestion(kind=PhotoKind.PACKSHOT, reasons=("plain_background",))
    return KindSuggestion(kind=PhotoKind.LIFESTYLE, reasons=("no_clear_product",))


def print_signals(photo: Image.Image) -> tuple[float, float]:
    """Return two signs of printed matter that is its own frame, each a share from 0 to 1: of the edges,
    those that are level or upright; of the pixels, those on strong edges."""
    scale = SIDE / max(photo.size)
    size = max(8, round(photo.width * scale)), max(8, round(photo.height * scale))
    small = photo.convert("RGB").resize(size, Image.Resampling.BOX)
    scaled = np.asarray(small).astype(np.float32) / 255
    lightness = np.ascontiguousarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[..., 0])
    across = np.abs(cv2.Sobel(lightness, cv2.CV_32F, 1, 0))
    down = np.abs(cv2.Sobel(lightness, cv2.CV_32F, 0, 1))
    slope = np.hypot(across, down)
    edges = slope > EDGE
    angle = np.arctan2(down, across)[edges]
    along = (angle < AXIS) | (angle > np.pi / 2 - AXIS)
    return (float(along.mean()) if along.size else 0.0), float((slope > STRONG_EDGE).mean())
