"""Renders parts to a photograph: RGBA with straight alpha and no background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo_project.shop.photography.raster import Camera, Samples, View, build_view, rasterize
from demo_project.shop.photography.shading import shade
from demo_project.shop.photography.shadow import key_shadow, open_sky
from demo_project.shop.photography.solid import Part

Array = NDArray[np.float32]


def photograph(parts: Sequence[Part], *, camera: Camera, side: int = 1600) -> Image.Image:
    """Render a product without background, ``side`` pixels square; the same parts give the same bytes.

    Edges are sampled at twice the resolution, the inside of surfaces once per pixel.
    """
    view = build_view(parts, camera, side=side * 2)
    solid = replace(view, parts=tuple(p for p in view.parts if p.part.material.alpha >= 1))
    clear = replace(view, parts=tuple(p for p in view.parts if p.part.material.alpha < 1))
    picture, depth = _layer(solid, None)
    if clear.parts:
        over, _ = _layer(clear, depth)
        picture = over + picture * (1 - over[..., 3:])
    frame = Image.new("RGBA", (side, side))
    frame.paste(_develop(picture), (view.corner[0] // 2, view.corner[1] // 2))
    return frame


def _layer(view: View, behind: Array | None) -> tuple[Array, Array]:
    """Return premultiplied linear RGBA of the window at half the samples' resolution, and the depth."""
    seen = rasterize(view.parts, shape=view.shape, behind=behind)
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
            colour, alpha = shade(
                part,
                seen.cell[ys * 2, xs * 2],
                xy,
                lens=view.lens,
                shadow=shadow[ys, xs],
                open_sky=sky[ys, xs],
            )
            picture[ys, xs] = _premultiply(colour, alpha)
        for fine_rows, fine_columns in corners:
            mine = seen.part[fine_rows, fine_columns] == index
            ys, xs = fine_rows[mine], fine_columns[mine]
            if not len(ys):
                continue
            colour, alpha = shade(
                part,
                seen.cell[ys, xs],
                np.stack([xs, ys], 1).astype(np.float32),
                lens=view.lens,
                shadow=shadow[ys // 2, xs // 2],
                open_sky=sky[ys // 2, xs // 2],
            )
            picture[ys // 2, xs // 2] += _premultiply(colour, alpha) / 4
    return _soften(picture, edges), seen.depth


def _premultiply(colour: Array, alpha: Array) -> Array:
    # Highlights are compressed before averaging, or one bright sample would dominate an edge.
    return np.concatenate([_tone_map(colour) * alpha[:, None], alpha[:, None]], axis=1)


def _edges(seen: Samples) -> NDArray[np.bool_]:
    """Return pixels whose samples, or their neighbours', are on more than one surface."""
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


def _soften(picture: Array, edges: NDArray[np.bool_]) -> Array:
    """Apply a tent filter to edges only: four samples alone leave visible steps."""
    tent = np.array([1, 6, 1], np.float32) / 8
    soft = cv2.sepFilter2D(picture, -1, tent, tent)
    return np.where(edges[..., None], soft, picture)


def _develop(picture: Array) -> Image.Image:
    alpha = np.clip(picture[..., 3:], 0, 1)
    colour = picture[..., :3] / np.maximum(alpha, np.float32(1e-4))
    srgb = _SRGB[(np.clip(colour, 0, 1) * (len(_SRGB) - 1) + 0.5).astype(np.uint16)]
    shown = (alpha * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(np.concatenate([np.where(shown > 0, srgb, 0), shown], axis=2))


def _tone_map(colour: Array) -> Array:
    """Tone-map: linear up to 0.7, then a shoulder that never clips."""
    knee = 0.7
    over = np.maximum(colour - knee, 0)
    return np.where(colour > knee, knee + (1 - knee) * over / (over + (1 - knee)), colour)


def _srgb_table() -> NDArray[np.uint8]:
    """Return the table from linear light, in 1/65535, to sRGB bytes: faster than a power."""
    c = np.arange(65536) / 65535
    srgb = np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)
    return (srgb * 255 + 0.5).astype(np.uint8)


_SRGB: Final = _srgb_table()
