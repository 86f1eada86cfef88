"""Solids as grids of points: lathed, swept, extruded. x is right, y up, z towards the viewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import Curve, densify, inset

Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One surface of one material. ``points`` has the shape (rows, columns, 3)."""

    points: Grid
    material: Material
    two_sided: bool = False
    grain: float = 0.0

    def grained(self, size: float) -> Part:
        """Return the part with tints and bumps that repeat every ``size`` along x and y.

        For extrusions, whose grid converges in the middle of a cap.
        """
        return replace(self, grain=size)

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> Part:
        return replace(self, points=self.points + (x, y, z))

    def scaled(self, x: float = 1, y: float = 1, z: float = 1) -> Part:
        return replace(self, points=self.points * (x, y, z))

    def turned(self, *, about: str, degrees: float) -> Part:
        return replace(self, points=self.points @ rotation(about=about, degrees=degrees).T)

    def bent(self, shape: Callable[[Grid], Grid]) -> Part:
        """Return the part with ``shape`` applied to its points."""
        return replace(self, points=shape(self.points.copy()))


def rotation(*, about: str, degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    table = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(table[about])


def lathe(profile: Curve, material: Material, *, count: int = 160, step: float = 0.02) -> Part:
    """Rotate ``profile`` (radius, height) about the y axis; the seam is at the back."""
    profile = densify(np.asarray(profile, float), step=step)
    angle = np.linspace(-np.pi, np.pi, count + 1)
    radius = np.maximum(profile[:, :1], 1e-4)
    points = np.stack(
        [radius * np.sin(angle), np.repeat(profile[:, 1:], count + 1, 1), radius * np.cos(angle)],
        axis=-1,
    )
    return Part(points=points, material=material)


def tube(
    path: NDArray[np.float64],
    radius: float | Sequence[float] | NDArray[np.float64],
    material: Material,
    *,
    section: Curve | None = None,
    count: int = 20,
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
    capped: bool = True,
) -> Part:
    """Sweep a section (by default a circle; in units of ``radius``) along a path of (n, 3)."""
    path = np.asarray(path, float)
    if section is None:
        turn = np.linspace(0, 2 * np.pi, count + 1)
        section = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    side, over = _transport_frames(along, up)
    size = np.broadcast_to(np.asarray(radius, float), (len(path),)).copy()
    if capped:
        path, side, over = (np.concatenate([a[:1], a, a[-1:]]) for a in (path, side, over))
        size = np.concatenate([[1e-3], size, [1e-3]])
    points = path[:, None] + size[:, None, None] * (
        side[:, None] * section[None, :, :1] + over[:, None] * section[None, :, 1:]
    )
    return Part(points=points, material=material)


def _transport_frames(along: Grid, up: tuple[float, float, float]) -> tuple[Grid, Grid]:
    """Return two directions across the path that rotate as little as possible along it."""
    over = np.empty_like(along)
    last = np.array(up, float)
    for i, direction in enumerate(along):
        last = last - direction * (last @ direction)
        last /= np.linalg.norm(last) + 1e-12
        over[i] = last
    return np.cross(over, along), over


def extrude(outline: Curve, rim: Curve, material: Material, *, step: float = 0.03) -> Part:
    """Extrude a closed outline in x and z along y. ``rim`` is (inset, height), bottom to top.

    Both ends are closed by flat caps.
    """
    rim = densify(np.asarray(rim, float), step=step)
    rings = [_ring(inset(outline, by), height) for by, height in rim]
    middle = outline[:-1].mean(axis=0) * (1, -1)
    caps = [
        [_towards(ring, middle, share) for share in shares]
        for ring, shares in (
            (rings[0], np.linspace(0.01, 0.999, 14)),
            (rings[-1], np.linspace(0.999, 0.01, 14)),
        )
    ]
    return Part(points=np.stack([*caps[0], *rings, *caps[1]]), material=material)


def _ring(outline: Curve, height: float) -> Grid:
    return np.stack([outline[:, 0], np.full(len(outline), height), -outline[:, 1]], axis=1)


def _towards(ring: Grid, middle: Curve, share: float) -> Grid:
    moved = ring.copy()
    moved[:, 0] = middle[0] + (ring[:, 0] - middle[0]) * share
    moved[:, 2] = middle[1] + (ring[:, 2] - middle[1]) * share
    return moved


def stand_up(part: Part) -> Part:
    """Rotate an extrusion so that its outline is in x and y: a plate that faces the viewer."""
    return part.turned(about="x", degrees=90)


def sheet(points: Grid, material: Material) -> Part:
    """Return a thin surface that is visible from both sides."""
    return Part(points=np.asarray(points, float), material=material, two_sided=True)


def ball(radius: float, material: Material, *, count: int = 90) -> Part:
    t = np.linspace(-np.pi / 2, np.pi / 2, count // 2)
    return lathe(radius * np.stack([np.cos(t), np.sin(t)], axis=1), material, count=count, step=9)
