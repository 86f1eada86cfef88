"""Shadows: the key light's shadow map, and ambient occlusion of corners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from demo_project.shop.photography import studio
from demo_project.shop.photography.raster import FAR, ProjectedPart, Samples, View

Array = NDArray[np.float32]
MAP_SIDE: Final = 512
BIAS: Final = 0.05


def key_shadow(view: View, seen: Samples) -> Array:
    """Return the share of the key light that arrives, at half the samples' resolution."""
    frame = np.stack([*studio.KEY.axes()[1:], studio.KEY.axes()[0]]).astype(np.float32)
    depths = _depth_from_the_light([p for p in view.parts if p.part.material.alpha >= 1], frame)
    ys, xs = np.nonzero(seen.part[::4, ::4] >= 0)
    depth = seen.depth[::4, ::4][ys, xs]
    at = view.points(xs * 4 + 0.5, ys * 4 + 0.5, depth) @ frame.T
    place = (at[:, :2] * (1, -1) / 2.2 + 0.5) * MAP_SIDE
    lit = np.zeros(len(at), np.float32)
    taps = _taps(14)
    for tap in taps:
        x, y = np.clip((place + tap).astype(int), 0, MAP_SIDE - 1).T
        lit += np.clip(1 - (depths[y, x] - at[:, 2] - BIAS) / 0.04, 0, 1)
    share = np.ones(seen.part[::4, ::4].shape, np.float32)
    share[ys, xs] = lit / len(taps)
    height, width = seen.part.shape
    return cv2.resize(_soft(share), (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)


def _soft(share: Array) -> Array:
    return cv2.GaussianBlur(share, (7, 7), 1.6)


def _taps(count: int) -> Array:
    """Return points of a sunflower spiral, evenly spread over the disc of the soft box's blur."""
    i = np.arange(count) + 0.5
    radius, turn = 11 * np.sqrt(i / count), i * 2.39996
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1).astype(np.float32)


def _depth_from_the_light(parts: Sequence[ProjectedPart], frame: Array) -> Array:
    depths = np.full((MAP_SIDE, MAP_SIDE), FAR, np.float32)
    for part in parts:
        points = part.points @ frame.T.astype(np.float64)
        quads = np.stack(
            [points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]], axis=2
        ).reshape(-1, 4, 3)
        order = np.argsort(quads[..., 2].mean(1), kind="stable")
        flat = ((quads[..., :2] * (1, -1) / 2.2 + 0.5) * MAP_SIDE * 16).astype(np.int32)
        own = np.full_like(depths, FAR)
        z = quads[..., 2].mean(1)
        for number in order.tolist():
            cv2.fillConvexPoly(own, flat[number], float(z[number]), lineType=cv2.LINE_8, shift=4)
        np.maximum(depths, own, out=depths)
    return depths


def open_sky(seen: Samples, *, side: int) -> Array:
    """Return how much of the room each sample sees, at half the samples' resolution.

    Unsharp masking of the depth buffer (Luft, Colditz, Deussen 2006), at three scales.
    """
    there = (seen.part[::2, ::2] >= 0).astype(np.float32)
    depth = np.where(there > 0, seen.depth[::2, ::2], 0)
    result = np.ones_like(depth)
    for shrink, share, strength in ((1, 0.006, 5.0), (4, 0.02, 3.4), (4, 0.06, 1.9)):
        around = _mean_around(depth, there, shrink=shrink, radius=share * side / 2)
        result /= 1 + np.clip(around - depth, 0, 0.25) * strength
    return np.clip(result, 0.22, 1)


def _mean_around(depth: Array, there: Array, *, shrink: int, radius: float) -> Array:
    pair = np.dstack([depth, there])
    if shrink > 1:
        pair = cv2.resize(pair, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    mean = cv2.GaussianBlur(pair, (0, 0), radius / shrink)
    around = mean[..., 0] / np.maximum(mean[..., 1], 0.02)
    if shrink > 1:
        around = cv2.resize(around, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return around
