"""Turns rough strokes, "keep" and "remove", into a mask: colours, edges and the present mask do the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.cutout.masks import has_one_colour

Alpha = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

WORKING_SIDE: Final = 512
"""Pixels of the longer side at which outlines are searched for; the time grows with their number."""
FINE_SIDE: Final = 2048
"""Pixels of the longer side of a mask that is returned, at most."""
MOST_STROKES: Final = 500
MOST_POINTS: Final = 50_000
ROUNDS: Final = 3
COLOURS: Final = 6
# In CIE Lab: what is further from all colours of the strokes is first taken for something else.
REACH: Final = 14.0
LEAST_SPREAD: Final = 3.0
# Share of the "keep" strokes inside the present mask from which they choose a part of it.
CHOOSING: Final = 0.9
# Share of all pixels: smaller holes and specks are noise.
SPECK: Final = 0.0008
SOLID: Final = 128
FILTER_RADIUS: Final = 6
FILTER_EPSILON: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line over the photo. ``keeps`` is whether what is under it is product; ``points`` are shares of the
    photo's width and height, ``size`` is the line's width as a share of the longer side."""

    keeps: bool
    size: float
    points: tuple[tuple[float, float], ...]

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Return the stroke in ``{"keep": true, "size": 0.02, "points": [[0.5, 0.5], ...]}``.

        Raises ``RequestRefused``.
        """
        try:
            points = tuple((float(x), float(y)) for x, y in data["points"])
            size = float(data.get("size", 0.02))
            keeps = data["keep"]
            numbers = np.array([size, *(each for point in points for each in point)])
            if not points or not isinstance(keeps, bool) or not np.isfinite(numbers).all():
                raise ValueError
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise RequestRefused(
                _(
                    'A stroke is {"keep": true or false, "size": 0.02, "points": [[x, y], …]}: shares of the '
                    "photo's width and height, from 0 to 1."
                )
            ) from error
        return cls(keeps=keeps, size=min(max(size, 0.001), 0.5), points=points)


def parse_strokes(data: Any) -> tuple[Stroke, ...]:
    """Return the strokes in a list of plain data. Raises ``RequestRefused``."""
    if not isinstance(data, list) or not data or len(data) > MOST_STROKES:
        raise RequestRefused(
            _("Draw from 1 to %(most)s strokes over the photo.") % {"most": MOST_STROKES}
        )
    strokes = tuple(map(Stroke.from_data, data))
    if sum(len(stroke.points) for stroke in strokes) > MOST_POINTS:
        raise RequestRefused(
            _("The strokes have more than %(most)s points.") % {"most": MOST_POINTS}
        )
    return strokes


def solve(photo: Image.Image, *, strokes: Sequence[Stroke], mask: Alpha | None = None) -> Alpha:
    """Return the product's mask, (H, W) uint8 of the shape of ``photo``, at ``FINE_SIDE`` or less.

    ``mask``, of any size, is the present one. "Keep" strokes outside of it add what they touch, "remove"
    strokes remove what they touch, both up to its outline in the photo. If all "keep" strokes are inside
    of it, or if it is empty, the product is what they touch and nothing else: that is how a shirt is taken
    off its wearer. By OpenCV's GrabCut, which begins with the colours under the strokes.
    """
    small = _scaled(photo, WORKING_SIDE)
    rgb = np.asarray(small)
    keep = _drawn([each for each in strokes if each.keeps], rgb.shape[:2])
    remove = _drawn([each for each in strokes if not each.keeps], rgb.shape[:2]) & ~keep
    present = _resized(mask, small.size) if mask is not None else np.zeros(rgb.shape[:2], np.uint8)
    found = _decide(rgb, keep=keep, remove=remove, present=present >= SOLID)
    large = _scaled(photo, FINE_SIDE)
    fine = _fine(found, photo=np.asarray(large))
    if mask is None:
        return fine
    # What the strokes did not change keeps the outline that it had, at full detail.
    changed = found != (present >= SOLID)
    near = cv2.dilate(changed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    blend = _resized(near.astype(np.uint8) * 255, large.size).astype(np.float32) / 255
    before = _resized(mask, large.size).astype(np.float32)
    return np.asarray(np.rint(before + (fine - before) * blend), np.uint8)


def _decide(rgb: NDArray[np.uint8], *, keep: Mask, remove: Mask, present: Mask) -> Mask:
    inside = float((keep & present).sum()) / max(1, int(keep.sum()))
    if keep.any() and (inside >= CHOOSING or not present.any()):
        allowed = cv2.dilate(present.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if not present.any():
            allowed = np.ones_like(present)
        grown = _grow(rgb, seeds=keep, against=remove, allowed=allowed | keep)
        smooth = cv2.medianBlur(grown.astype(np.uint8), 5) > 0
        least = SPECK * grown.size
        # Small holes are filled, then small pieces left out.
        for fills in (True, False):
            inverse = ~smooth if fills else smooth
            count, pieces, stats, _c = cv2.connectedComponentsWithStats(
                inverse.astype(np.uint8), connectivity=4
            )
            small = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] < least]
            smooth = np.where(np.isin(pieces, small), fills, smooth)
        return np.asarray(smooth | (grown & keep))
    found = present.copy()
    if (added := keep & ~present).any():
        found |= _grow(rgb, seeds=added, against=remove | (keep & present), allowed=~present) | keep
    if (cut := remove & found).any():
        found &= ~_grow(rgb, seeds=cut, against=keep, allowed=found)
    return np.asarray(found & ~remove)


def _grow(rgb: NDArray[np.uint8], *, seeds: Mask, against: Mask, allowed: Mask) -> Mask:
    """Return the thing in ``allowed`` of which ``seeds`` are parts and ``against`` are not."""
    scaled = rgb.astype(np.float32) / 255
    smooth = np.asarray(cv2.GaussianBlur(scaled, (0, 0), 1.0))
    lab = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB), np.float32)
    distance = _distance(lab, seeds)
    likely = allowed & (distance < REACH)
    if (against & allowed).any():
        likely &= distance < _distance(lab, against)
    likely = _touching(np.asarray((likely | seeds) & ~against), seeds)
    labels = np.full(rgb.shape[:2], cv2.GC_PR_BGD, np.uint8)
    labels[likely] = cv2.GC_PR_FGD
    labels[~allowed | against] = cv2.GC_BGD
    labels[seeds] = cv2.GC_FGD
    if not (labels == cv2.GC_BGD).any() and not (labels == cv2.GC_PR_BGD).any():
        return np.asarray(labels != cv2.GC_BGD)
    if not has_one_colour(rgb, (labels == cv2.GC_PR_BGD) | (labels == cv2.GC_PR_FGD)):
        models = np.zeros((1, 65)), np.zeros((1, 65))
        whole = (0, 0, rgb.shape[1], rgb.shape[0])
        # Its first guesses are random.
        cv2.setRNGSeed(0)
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        cv2.grabCut(bgr, labels, whole, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return _touching(np.asarray(found), seeds)


def _distance(lab: Floats, sample: Mask) -> Floats:
    """Return how far each pixel is from the colours under ``sample``, in Lab units."""
    colours = lab[sample]
    count = min(COLOURS, len(colours))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(0)
    first = np.zeros((len(colours), 1), np.int32)
    _error, found, means = cv2.kmeans(colours, count, first, stop, 1, cv2.KMEANS_PP_CENTERS)
    of, centres = np.asarray(found), np.asarray(means)
    nearest = np.full(lab.shape[:2], np.inf, np.float32)
    for number, centre in enumerate(centres):
        members = colours[of[:, 0] == number]
        if len(members) == 0:
            continue
        spread = max(LEAST_SPREAD, float(np.linalg.norm(members - centre, axis=1).mean()))
        # A stroke over a pattern reaches further than one over an even colour.
        reach = np.linalg.norm(lab - centre, axis=-1) * (LEAST_SPREAD / spread) ** 0.5
        nearest = np.minimum(nearest, reach)
    return nearest


def _touching(mask: Mask, seeds: Mask) -> Mask:
    """Return the connected pieces of ``mask`` that have a pixel of ``seeds``."""
    _count, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touched = np.unique(pieces[seeds & mask])
    return np.asarray(np.isin(pieces, touched[touched > 0]))


def _fine(mask: Mask, *, photo: NDArray[np.uint8]) -> Alpha:
    """Return ``mask`` at the size of ``photo``, its outline along the photo's edges.

    A guided filter (He, Sun and Tang, 2013) in a band around the outline.
    """
    height, width = photo.shape[:2]
    scale = width / mask.shape[1]
    soft = _resized(mask.astype(np.uint8) * 255, (width, height)).astype(np.float32) / 255
    radius = max(2, round(FILTER_RADIUS * scale / 2))
    guide = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255

    def mean(values: NDArray[np.floating[Any]]) -> Floats:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    of_guide, of_mask = mean(guide), mean(soft)
    slope = (mean(guide * soft) - of_guide * of_mask) / (
        mean(guide * guide) - of_guide**2 + FILTER_EPSILON
    )
    filtered = mean(slope) * guide + mean(of_mask - slope * of_guide)
    # Steeper, because a product's edge is sharp.
    sharp = np.clip((filtered - 0.5) * 2.2 + 0.5, 0, 1)
    wide = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    solid = (soft > 0.5).astype(np.uint8)
    band = cv2.dilate(solid, wide) != cv2.erode(solid, wide)
    return np.asarray(np.rint(np.where(band, sharp, solid) * 255), np.uint8)


def _drawn(strokes: Iterable[Stroke], shape: tuple[int, int]) -> Mask:
    height, width = shape
    drawn = np.zeros(shape, np.uint8)
    for stroke in strokes:
        thickness = max(1, round(stroke.size * max(shape)))
        limited = np.clip(np.array(stroke.points, np.float64), -1, 2)
        points = np.rint(limited * (width, height) - 0.5).astype(np.int32)
        cv2.polylines(drawn, [points.reshape(-1, 1, 2)], False, 1, thickness, cv2.LINE_8)
        # A line of one point is not drawn.
        cv2.circle(drawn, [int(each) for each in points[0]], thickness // 2, 1, -1)
    return drawn > 0


def _scaled(photo: Image.Image, side: int) -> Image.Image:
    scale = min(1.0, side / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    return photo.convert("RGB").resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> Alpha:
    if (mask.shape[1], mask.shape[0]) == tuple(size):
        return mask
    way = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, size, interpolation=way), np.uint8)
