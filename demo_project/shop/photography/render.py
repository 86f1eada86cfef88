"""Parts in, photograph out: RGBA with straight alpha and no ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo_project.shop.photography.raster import Camera, Seen, View, see, viewed
from demo_project.shop.photography.shading import shaded
from demo_project.shop.photography.shadow import key_shadow, open_sky
from demo_project.shop.photography.solid import Part

Array = NDArray[np.float32]


def photographed(parts: Sequence[Part], *, camera: Camera, side: int = 1600) -> Image.Image:
    """One product on nothing, ``side`` pixels square. The same parts give the same bytes.

    Edges are seen at twice the resolution, the inside of surfaces once per pixel.
    """
    view = viewed(parts, camera, side=side * 2)
    solid = replace(view, parts=tuple(p for p in view.parts if p.part.material.alpha >= 1))
    clear = replace(view, parts=tuple(p for p in view.parts if p.part.material.alpha < 1))
    picture, depth = _layer(solid, None)
    if clear.parts:
        over, _ = _layer(clear, depth)
        picture = over + picture * (1 - over[..., 3:])
    frame = Image.new("RGBA", (side, side))
    frame.paste(_developed(picture), (view.corner[0] // 2, view.corner[1] // 2))
    return frame


def _layer(view: View, behind: Array | None) -> tuple[Array, Array]:
    """Premultiplied linear RGBA of the window at half the samples' resolution, and the depth."""
    seen = see(view.parts, shape=view.shape, behind=behind)
    edges = _edges(seen)
    shadow, sky = key_shadow(view, seen), open_sky(seen, side=view.side)
    picture = np.zeros((view.shape[0] // 2, view.shape[1] // 2, 4), np.float32)
    inside = np.where(edges, -1, seen.part[::2, ::2])
    rows, columns = np.nonzero(edges)
    corners = [(rows * 2 + dy, columns * 2 + dx) for dy in (0, 1) for dx in (0, 1)]
    for index, part in enumerate(view.parts):
        ys, xs = np.nonzero(inside == index)
        if len(ys):
            xy = np.stack([xs, ys], 1).astype(np.float32) * 2 + 0.5
            colour, alpha = shaded(
                part,
                seen.cell[ys * 2, xs * 2],
                xy,
                lens=view.lens,
                shadow=shadow[ys, xs],
                open_sky=sky[ys, xs],
            )
            picture[ys, xs] = _premultiplied(colour, alpha)
        for fine_rows, fine_columns in corners:
            mine = seen.part[fine_rows, fine_columns] == index
            ys, xs = fine_rows[mine], fine_columns[mine]
            if not len(ys):
                continue
            colour, alpha = shaded(
                part,
                seen.cell[ys, xs],
                np.stack([xs, ys], 1).astype(np.float32),
                lens=view.lens,
                shadow=shadow[ys // 2, xs // 2],
                open_sky=sky[ys // 2, xs // 2],
            )
            picture[ys // 2, xs // 2] += _premultiplied(colour, alpha) / 4
    return _softened(picture, edges), seen.depth


def _premultiplied(colour: Array, alpha: Array) -> Array:
    # Highlights are held before the mean is taken, or one bright sample would eat a whole edge.
    return np.concatenate([_toned(colour) * alpha[:, None], alpha[:, None]], axis=1)


def _edges(seen: Seen) -> NDArray[np.bool_]:
    """Pixels whose samples, or their neighbours', lie on more than one surface."""
    lowest, highest = _extremes(seen.part)
    mixed = (lowest != highest).astype(np.uint8)
    depth = np.where(seen.part >= 0, seen.depth, 0)
    nearest, farthest = _extremes(depth)
    jump = ((farthest - nearest) > 0.02).astype(np.uint8)
    return cv2.dilate(mixed | jump, np.ones((3, 3), np.uint8)) > 0


def _extremes(samples: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    a, b, c, d = samples[::2, ::2], samples[1::2, ::2], samples[::2, 1::2], samples[1::2, 1::2]
    return (
        np.minimum(np.minimum(a, b), np.minimum(c, d)),
        np.maximum(np.maximum(a, b), np.maximum(c, d)),
    )


def _softened(picture: Array, edges: NDArray[np.bool_]) -> Array:
    """A tent over the neighbours, on edges only: four samples alone leave visible steps."""
    tent = np.array([1, 6, 1], np.float32) / 8
    soft = cv2.sepFilter2D(picture, -1, tent, tent)
    return np.where(edges[..., None], soft, picture)


def _developed(picture: Array) -> Image.Image:
    alpha = np.clip(picture[..., 3:], 0, 1)
    colour = picture[..., :3] / np.maximum(alpha, np.float32(1e-4))
    srgb = _SRGB[(np.clip(colour, 0, 1) * (len(_SRGB) - 1) + 0.5).astype(np.uint16)]
    shown = (alpha * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(np.concatenate([np.where(shown > 0, srgb, 0), shown], axis=2))


def _toned(colour: Array) -> Array:
    """Straight up to 0.7, then a shoulder that never clips."""
    knee = 0.7
    over = np.maximum(colour - knee, 0)
    return np.where(colour > knee, knee + (1 - knee) * over / (over + (1 - knee)), colour)


def _srgb_table() -> NDArray[np.uint8]:
    """Linear light, in 1/65535, to sRGB bytes: a look-up is much faster than a power."""
    c = np.arange(65536) / 65535
    srgb = np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)
    return (srgb * 255 + 0.5).astype(np.uint8)


_SRGB: Final = _srgb_table()
