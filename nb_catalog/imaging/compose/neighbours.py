"""What the products of a bundle keep from each other: the lamp, and the light from all around."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.imaging.compose.light_map import Shade
from nb_catalog.imaging.compose.shadows import Silhouette, blur_after, full_shadow
from nb_catalog.imaging.scenery import Backdrop
from nb_catalog.imaging.scenery.noise import Plane
from nb_catalog.imaging.scenery.stage import DISTANCE

TO_FRONT: Final = 0.7
"""Share of the distance of two products, from middle to middle, that is before the one behind."""
BETWEEN: Final = 0.4
"""The same that is free between them: both have a depth, which a photo does not show."""
SKY: Final = 0.7
"""Deviation, in distances, of where the light comes from that a board keeps from what is behind it."""
MOST_SHADE: Final = 0.9
FORWARD: Final = 0.35
"""Share of a ray's way that goes away from the camera, at least: a lamp quite at the side lights no front."""


class Standing(NamedTuple):
    """An outline in the shadow map, and how far behind the middle of the group it stands, in units."""

    shape: Silhouette
    away: float


def shade_on(
    product: Standing, others: Sequence[Standing], *, frame: Rect, backdrop: Backdrop, centre: float
) -> Shade | None:
    """Return what ``others`` keep from ``product``, or None if none of them is in front of it.

    Each is a board that faces the camera, and the shadow of its outline falls on the upright plane of the
    product behind. ``frame`` is where the pixels of the product are in the picture, and ``centre`` the
    column in which the camera looks straight ahead.
    """
    before = [each for each in others if each.away < product.away]
    if not before or backdrop.shadow == "none":
        return None
    light, plane = backdrop.light, product.shape
    # A ray that goes one unit away from the camera goes this far to the right, and falls this far.
    aside, away = light.reach
    away = max(away, FORWARD * math.hypot(aside, away))
    right, falls = aside / away, 1 / away
    blocked = np.zeros(plane.shape, np.float32)
    open_sky = np.ones(plane.shape, np.float32)
    nearness = 1 + product.away / DISTANCE
    unit = plane.unit / nearness
    for each in before:
        apart = product.away - each.away
        smaller = (1 + each.away / DISTANCE) / nearness
        reach = TO_FRONT * apart
        if backdrop.shadow != "contact":
            x, y = reach * right * unit, reach * falls * unit
            moved = _on_plane(each.shape, plane, scale=smaller, centre=centre, right=x, down=y)
            length = reach * math.hypot(1, right, falls)
            soft = cv2.GaussianBlur(moved, (0, 0), max(0.6, blur_after(length, light=light) * unit))
            np.maximum(blocked, soft, out=blocked)
        near = _on_plane(each.shape, plane, scale=smaller, centre=centre, right=0.0, down=0.0)
        sigma = max(0.6, SKY * BETWEEN * apart * unit)
        open_sky *= 1 - cv2.GaussianBlur(near, (0, 0), sigma)
    blocked *= np.float32(full_shadow(light))
    k = plane.scale
    size = max(2, round(frame.width * k)), max(2, round(frame.height * k))
    into = np.array([[1, 0, -frame.left * k], [0, 1, -frame.top * k]], np.float64)
    return Shade(
        *(
            np.asarray(cv2.warpAffine(np.clip(each, 0, MOST_SHADE), into, size), np.float32)
            for each in (blocked, 1 - open_sky)
        )
    )


def _on_plane(
    front: Silhouette, plane: Silhouette, *, scale: float, centre: float, right: float, down: float
) -> Plane:
    """Return the outline of ``front`` as it would stand in the plane of ``plane``, moved in its pixels."""
    middle = centre * plane.scale
    into = np.array(
        [
            [scale, 0, middle + scale * (front.left - middle) + right],
            [0, scale, plane.bottom - scale * front.alpha.shape[0] + down],
        ],
        np.float64,
    )
    return np.asarray(
        cv2.warpAffine(front.alpha, into, plane.shape[::-1], flags=cv2.INTER_LINEAR), np.float32
    )
