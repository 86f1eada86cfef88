"""Rasterizer: the painter's algorithm within a part, a depth test between parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo_project.shop.photography.solid import Part, rotation

Array = NDArray[np.float32]
FAR = np.float32(-1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """``yaw`` and ``pitch`` turn the product in degrees; ``lens`` is the distance in product radii.

    ``fill`` is the share of the frame's side that the product's longer side takes.
    """

    yaw: float = 0.0
    pitch: float = 10.0
    roll: float = 0.0
    lens: float = 7.0
    fill: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedPart:
    """A part projected by the camera: ``points`` in view space, ``pixels`` (x, y) on the frame."""

    part: Part
    points: NDArray[np.float64]
    pixels: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Per sample: index of the part (-1: none), depth, and the part's cell that covers it."""

    part: NDArray[np.int16]
    depth: Array
    cell: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All parts projected by the camera, and the way back from a pixel to a point.

    Only the window of ``shape`` (height, width) at ``corner`` (x, y) of the frame is rendered: the
    rest is empty. Both are multiples of 4.
    """

    parts: tuple[ProjectedPart, ...]
    lens: float
    scale: float
    centre: NDArray[np.float64]
    side: int
    corner: tuple[int, int]
    shape: tuple[int, int]

    def points(self, x: Array, y: Array, depth: Array) -> Array:
        """Return view-space points (n, 3) of the window's pixels at a depth."""
        x, y = x + self.corner[0], y + self.corner[1]
        shrink = (self.lens - depth) / self.lens
        return np.stack(
            [
                ((x - self.side / 2) / self.scale + self.centre[0]) * shrink,
                ((self.side / 2 - y) / self.scale + self.centre[1]) * shrink,
                depth,
            ],
            axis=-1,
        ).astype(np.float32)


def build_view(parts: Sequence[Part], camera: Camera, *, side: int) -> View:
    """Transform parts to view space, centred and fitted to a frame of ``side`` pixels."""
    turn = (
        rotation(about="z", degrees=camera.roll)
        @ rotation(about="x", degrees=camera.pitch)
        @ rotation(about="y", degrees=camera.yaw)
    )
    turned = [part.points @ turn.T for part in parts]
    everything = np.concatenate([points.reshape(-1, 3) for points in turned])
    middle = (everything.min(0) + everything.max(0)) / 2
    radius = np.linalg.norm(everything - middle, axis=1).max()
    turned = [(points - middle) / radius for points in turned]
    flat = [p[..., :2] * (camera.lens / (camera.lens - p[..., 2:])) for p in turned]
    every = np.concatenate([f.reshape(-1, 2) for f in flat])
    low, high = every.min(0), every.max(0)
    scale, centre = camera.fill * side / (high - low).max(), (low + high) / 2
    half = (high - low) * scale / 2
    start = np.maximum((side / 2 - half - 8) // 4 * 4, 0).astype(int)
    stop = np.minimum(-(-(side / 2 + half + 8) // 4) * 4, side // 4 * 4).astype(int)
    return View(
        parts=tuple(
            ProjectedPart(
                part=part, points=p, pixels=(f - centre) * (scale, -scale) + side / 2 - start
            )
            for part, p, f in zip(parts, turned, flat, strict=True)
        ),
        lens=camera.lens,
        scale=scale,
        centre=centre,
        side=side,
        corner=(int(start[0]), int(start[1])),
        shape=(int(stop[1] - start[1]), int(stop[0] - start[0])),
    )


def rasterize(
    parts: Sequence[ProjectedPart], *, shape: tuple[int, int], behind: Array | None = None
) -> Samples:
    """Return what each sample shows; ``behind`` is a depth that parts must be in front of."""
    seen = Samples(
        part=np.full(shape, -1, np.int16),
        depth=np.full(shape, FAR) if behind is None else behind.copy(),
        cell=np.zeros(shape, np.int32),
    )
    for index, part in enumerate(parts):
        _rasterize_part(seen, index, part)
    return seen


def _rasterize_part(seen: Samples, index: int, posed_part: ProjectedPart) -> None:
    quads, cells, z = _facing_quads(posed_part)
    if not len(quads):
        return
    low = np.maximum(np.floor(quads.min((0, 1))).astype(int) - 1, 0)
    high = np.minimum(np.ceil(quads.max((0, 1))).astype(int) + 2, seen.part.shape[::-1])
    if (high <= low).any():
        return
    window = np.zeros((high[1] - low[1], high[0] - low[0]), np.int32)
    fixed = np.round((quads - low) * 16).astype(np.int32)
    order = np.argsort(z.mean(1), kind="stable")
    for number in order.tolist():
        cv2.fillConvexPoly(window, fixed[number], number + 1, lineType=cv2.LINE_8, shift=4)
    _keep_nearer(seen, index, window, low, _depth_planes(quads - low, z), cells)


def _facing_quads(
    posed_part: ProjectedPart,
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]]:
    p, z = posed_part.pixels, posed_part.points[..., 2]
    rows, columns = z.shape
    corners = [
        (slice(0, -1), slice(0, -1)),
        (slice(0, -1), slice(1, None)),
        (slice(1, None), slice(1, None)),
        (slice(1, None), slice(0, -1)),
    ]
    quads = np.stack([p[a, b] for a, b in corners], axis=2).reshape(-1, 4, 2)
    depths = np.stack([z[a, b] for a, b in corners], axis=2).reshape(-1, 4)
    cells = (
        (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1))
        .reshape(-1)
        .astype(np.int32)
    )
    if not posed_part.part.two_sided:
        diagonal, other = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
        area = diagonal[:, 0] * other[:, 1] - diagonal[:, 1] * other[:, 0]
        facing = area < 0
        quads, depths, cells = quads[facing], depths[facing], cells[facing]
    return quads, cells, depths


def _keep_nearer(
    seen: Samples,
    index: int,
    window: NDArray[np.int32],
    low: NDArray[np.int64],
    planes: Array,
    cells: NDArray[np.int32],
) -> None:
    """Write a part's window of quad numbers (0: none) over what is farther away."""
    height, width = window.shape
    place = np.s_[low[1] : low[1] + height, low[0] : low[0] + width]
    offset, across, down = (
        np.append(empty, plane) for empty, plane in zip((FAR, 0, 0), planes.T, strict=True)
    )
    depth = np.take(across.astype(np.float32), window) * np.arange(width, dtype=np.float32)
    depth += np.take(down.astype(np.float32), window) * np.arange(height, dtype=np.float32)[:, None]
    depth += np.take(offset.astype(np.float32), window)
    nearer = depth > seen.depth[place]
    np.copyto(seen.depth[place], depth, where=nearer)
    np.copyto(seen.part[place], np.int16(index), where=nearer)
    np.copyto(seen.cell[place], np.take(np.append(np.int32(0), cells), window), where=nearer)


def _depth_planes(quads: NDArray[np.float64], z: NDArray[np.float64]) -> Array:
    """Return depth as a + b x + c y for each quad, from its mean edges.

    The slope of a quad seen edge-on is unreliable, so it is flat at its mean depth.
    """
    inverse = inverse_edges(quads)
    du = (z[:, 1] + z[:, 2] - z[:, 0] - z[:, 3]) / 2
    dv = (z[:, 2] + z[:, 3] - z[:, 0] - z[:, 1]) / 2
    slope = du[:, None] * inverse[:, 0] + dv[:, None] * inverse[:, 1]
    reach = abs(slope * np.ptp(quads, axis=1)).sum(1)
    slope[reach > 2.5 * np.ptp(z, axis=1) + 1e-6] = 0
    offset = z.mean(1) - (slope * quads.mean(1)).sum(1)
    return np.column_stack([offset, slope]).astype(np.float32)


def inverse_edges(quads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each quad the 2x2 matrix from pixels to its own coordinates, -0.5 to 0.5."""
    u = (quads[:, 1] + quads[:, 2] - quads[:, 0] - quads[:, 3]) / 2
    v = (quads[:, 2] + quads[:, 3] - quads[:, 0] - quads[:, 1]) / 2
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = np.where(abs(area) < 1e-3, np.where(area < 0, -1e-3, 1e-3), area)
    return (
        np.stack([np.stack([v[:, 1], -v[:, 0]], 1), np.stack([-u[:, 1], u[:, 0]], 1)], 1)
        / area[:, None, None]
    )
