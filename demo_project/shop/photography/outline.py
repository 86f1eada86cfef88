"""Flat curves for profiles, cross-sections and paths: arrays of shape (n, 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]


def fillet(
    corners: Sequence[tuple[float, ...]], *, closed: bool = False, step: float = 0.02
) -> Curve:
    """Return a polyline through ``(x, y[, radius])`` with rounded corners, dense enough to shade.

    ``step`` is the maximum distance between two points of the result.
    """
    points = np.array([corner[:2] for corner in corners], float)
    radii = np.array([corner[2] if len(corner) > 2 else 0.0 for corner in corners], float)
    pieces = [_corner(points, radii, i, closed) for i in range(len(points))]
    if closed:
        pieces.append(pieces[0][:1])
    return densify(np.concatenate(pieces), step=step)


def _corner(points: Curve, radii: Curve, i: int, closed: bool) -> Curve:
    """Return one corner as a quadratic Bezier arc, which looks like a fillet at these sizes."""
    at = points[i]
    if radii[i] <= 0 or (not closed and i in (0, len(points) - 1)):
        return at[None]
    before, after = points[i - 1] - at, points[(i + 1) % len(points)] - at
    start = at + before * min(1.0, radii[i] / np.hypot(*before))
    end = at + after * min(1.0, radii[i] / np.hypot(*after))
    t = np.linspace(0, 1, 14)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * at + t**2 * end


def densify(curve: Curve, *, step: float) -> Curve:
    """Return the same polyline with no segment longer than ``step``."""
    length = np.hypot(*np.diff(curve, axis=0).T)
    keep = np.concatenate([[True], length > 1e-9])
    curve, length = curve[keep], length[length > 1e-9]
    pieces = [
        a + (b - a) * np.linspace(0, 1, max(1, int(np.ceil(size / step))), endpoint=False)[:, None]
        for a, b, size in zip(curve[:-1], curve[1:], length, strict=True)
    ]
    return np.concatenate([*pieces, curve[-1:]])


def smooth(knots: Sequence[Sequence[float]], *, count: int, closed: bool = False) -> Curve:
    """A Catmull-Rom curve (centripetal enough at even spacing) through knots of any dimension."""
    p = np.array(knots, float)
    ends = (p[-1:], p[:2]) if closed else (2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1])
    p = np.concatenate([ends[0], p, ends[1]])
    t = np.linspace(0, len(p) - 3, count, endpoint=not closed)
    i = np.minimum(t.astype(int), len(p) - 4)
    f = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return 0.5 * (
        2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3
    )


def rounded_rectangle(width: float, height: float, radius: float, *, step: float = 0.03) -> Curve:
    """Closed, counter-clockwise, around the origin."""
    x, y = width / 2, height / 2
    return fillet(
        [(-x, -y, radius), (x, -y, radius), (x, y, radius), (-x, y, radius)], closed=True, step=step
    )


def superellipse(width: float, height: float, power: float = 2.0, *, count: int = 96) -> Curve:
    """Closed; ``power`` 2 is an ellipse, 4 a squircle."""
    t = np.linspace(0, 2 * np.pi, count + 1)
    c, s = np.cos(t), np.sin(t)
    return np.stack(
        [
            width / 2 * np.sign(c) * abs(c) ** (2 / power),
            height / 2 * np.sign(s) * abs(s) ** (2 / power),
        ],
        axis=1,
    )


def inset(closed_curve: Curve, by: float) -> Curve:
    """Move a closed counter-clockwise curve inwards along its normals."""
    tangent = np.roll(closed_curve[:-1], -1, axis=0) - np.roll(closed_curve[:-1], 1, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    moved = closed_curve[:-1] + by * normal
    return np.concatenate([moved, moved[:1]])
