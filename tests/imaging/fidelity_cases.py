"""Pictures that show a product as it is, and pictures that show it damaged, made from its cut-out.

They stand in for what models paint: the product moved, scaled, turned, relit, on another ground, redrawn a
little softer, as JPEG; and damaged in one way before all that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from PIL import Image

SIDE: Final = 1024
Rgba = np.ndarray
"""(H, W, 4) uint8, straight alpha."""


def as_painted(product: Rgba, ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture (SIDE, SIDE, 3): the product as it is, in another place, size and light."""
    height, width = product.shape[:2]
    # Pixels of the picture that the product's longer side takes.
    scale = rng.uniform(0.45, 0.85) * SIDE / max(height, width)
    turn = np.radians(rng.uniform(-6, 6))
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    turned = corners @ np.array([[cos, sin], [-sin, cos]])
    low, high = turned.min(axis=0), turned.max(axis=0)
    room = np.maximum(SIDE - (high - low), 0)
    shift = rng.uniform(0.1, 0.9, 2) * room - low
    # Seen from a slightly other place: the corners move by up to 0.5 % of the product.
    jitter = rng.uniform(-0.005, 0.005, (4, 2)) * scale * max(height, width)
    quad = (turned + shift + jitter).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), quad)
    alpha = product[..., 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([product[..., :3] * alpha, alpha * 255], axis=-1)
    if scale < 1:
        premultiplied = cv2.GaussianBlur(premultiplied, (0, 0), 0.45 / scale)
    placed = cv2.warpPerspective(premultiplied, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    share = placed[..., 3:] / 255
    lit = relit(placed[..., :3] / np.maximum(share, 1e-3), rng)
    if rng.random() < 0.5:
        lit = redrawn(lit, rng)
    ground = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    shadow = cv2.GaussianBlur(np.roll(share[..., 0], (14, 10), (0, 1)), (0, 0), 16)[..., None]
    picture = lit * share + ground * (1 - 0.45 * shadow) * (1 - share)
    return as_jpeg(picture, quality=int(rng.integers(78, 95)))


def relit(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure, a gradient of light, a little contrast, white off by up to 5 %."""
    rows, columns = np.mgrid[-0.5 : 0.5 : pixels.shape[0] * 1j, -0.5 : 0.5 : pixels.shape[1] * 1j]
    stops = (
        rng.uniform(-0.35, 0.35) + rng.uniform(-0.5, 0.5) * rows + rng.uniform(-0.5, 0.5) * columns
    )
    light = (np.clip(pixels, 0, 255) / 255) ** 2.2 * np.exp2(stops)[..., None]
    light = light * rng.uniform(0.95, 1.05, 3)
    grey = np.clip(light, 0, 1) ** (1 / 2.2)
    contrast = rng.uniform(0.92, 1.08)
    return np.clip((grey - 0.5) * contrast + 0.5, 0, 1) * 255


def redrawn(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Texture that is not the photo's own: smoothed, and with grain of another kind."""
    small = rng.uniform(0.6, 0.9)
    reduced = cv2.resize(pixels, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    back = cv2.resize(reduced, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 6, pixels.shape[:2]), (0, 0), 1.0)[..., None]
    return np.clip(back + grain, 0, 255)


def as_jpeg(pixels: np.ndarray, *, quality: int) -> np.ndarray:
    rounded = np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    _done, file = cv2.imencode(".jpg", rounded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])


def other_hue(product: Rgba, rng: np.random.Generator) -> Rgba:
    """All of it in another hue; a product without colour gets a tint."""
    lab = cv2.cvtColor(product[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    solid = product[..., 3] > 128
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    if np.median(chroma[solid]) > 12:
        angle = np.radians(rng.choice([-1, 1]) * rng.uniform(14, 40))
        a, b = lab[..., 1].copy(), lab[..., 2].copy()
        lab[..., 1] = a * np.cos(angle) - b * np.sin(angle)
        lab[..., 2] = a * np.sin(angle) + b * np.cos(angle)
    else:
        angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(9, 16)
        lab[..., 1] += size * np.cos(angle)
        lab[..., 2] += size * np.sin(angle)
    return _with_colours(product, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255)


def erased_print(product: Rgba, rng: np.random.Generator) -> Rgba:
    """The most detailed place, 2 to 6 % of the product, filled with what surrounds it."""
    rows, columns = _detailed_place(product, share=rng.uniform(0.02, 0.06), rng=rng)
    hole = np.zeros(product.shape[:2], np.uint8)
    hole[rows, columns] = 255
    colours = np.ascontiguousarray(product[..., :3])
    filled = cv2.inpaint(colours, hole, 5, cv2.INPAINT_TELEA)
    soft = cv2.GaussianBlur(hole.astype(np.float32) / 255, (0, 0), 2)[..., None]
    return _with_colours(product, filled * soft + colours * (1 - soft))


def garbled_print(product: Rgba, rng: np.random.Generator) -> Rgba:
    """The most detailed place drawn as models draw letters that they cannot read."""
    rows, columns = _detailed_place(product, share=rng.uniform(0.02, 0.06), rng=rng)
    height, width = product.shape[:2]
    area = np.sqrt((rows.stop - rows.start) * (columns.stop - columns.start))
    noise = [cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), area / 12) for _ in "xy"]
    soft = np.zeros((height, width), np.float32)
    soft[rows, columns] = 1
    soft = cv2.GaussianBlur(soft, (0, 0), area / 16)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = [each / (each.std() + 1e-9) * area / 9 * soft for each in noise]
    garbled = cv2.remap(
        np.ascontiguousarray(product[..., :3]), (x + moved[0]).astype(np.float32),
        (y + moved[1]).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    return _with_colours(product, garbled)


def missing_part(product: Rgba, rng: np.random.Generator) -> Rgba:
    """A piece of 4 to 10 % is cut off at the outline."""
    rows, columns = np.nonzero(product[..., 3] > 0)
    wanted = rng.uniform(0.04, 0.10) * len(rows)
    angle = rng.uniform(0, 2 * np.pi)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = -columns * np.sin(angle) + rows * np.cos(angle)
    # A corner: what lies farthest in a direction, and to one side of a line through it.
    far = np.argsort(-(along + 0.35 * across))[: int(wanted)]
    gone = product.copy()
    gone[rows[far], columns[far], 3] = 0
    return gone


def stretched(product: Rgba, rng: np.random.Generator) -> Rgba:
    """Wider or narrower by 7 to 18 %."""
    factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.07, 0.18)
    size = (round(product.shape[1] * factor), product.shape[0])
    return np.asarray(Image.fromarray(product).resize(size, Image.Resampling.BICUBIC))


DAMAGES: Final[Mapping[str, Callable[[Rgba, np.random.Generator], Rgba]]] = {
    "hue": other_hue,
    "erased": erased_print,
    "garbled": garbled_print,
    "missing": missing_part,
    "stretched": stretched,
}


def is_visible(before: Rgba, after: Rgba) -> bool:
    """Return whether a person sees the damage: there may be nothing to erase on a plain product."""
    if before.shape != after.shape:
        return True
    solid = before[..., 3] > 128
    apart = np.abs(before[..., :3].astype(int) - after[..., :3]).max(axis=-1)
    return bool(((apart > 24) | (after[..., 3] < 128))[solid].mean() > 0.003)


def _with_colours(product: Rgba, colours: np.ndarray) -> Rgba:
    return np.dstack([np.rint(np.clip(colours, 0, 255)).astype(np.uint8), product[..., 3]])


def _detailed_place(
    product: Rgba, *, share: float, rng: np.random.Generator
) -> tuple[slice, slice]:
    """Return one of the places, ``share`` of the product large, with the most contrast inside it."""
    solid = product[..., 3] > 128
    height, width = solid.shape
    area = share * np.count_nonzero(solid)
    aspect = rng.uniform(1.0, 2.2)
    wide = int(min(width * 0.8, np.sqrt(area * aspect)))
    tall = int(min(height * 0.8, area / max(1, wide)))
    grey = cv2.cvtColor(np.ascontiguousarray(product[..., :3]), cv2.COLOR_RGB2GRAY)
    fine = np.abs(cv2.Laplacian(grey.astype(np.float32), cv2.CV_32F, ksize=3))
    window = (wide, tall)
    detail = cv2.boxFilter(np.where(solid, np.minimum(fine, 60), 0), cv2.CV_32F, window)
    inside = cv2.boxFilter(
        solid.astype(np.float32), cv2.CV_32F, window, borderType=cv2.BORDER_CONSTANT
    )
    detail[inside < 0.97] = -1
    if detail.max() <= 0:
        detail = inside
    best = np.argsort(detail.ravel())[-max(1, detail.size // 200) :]
    row, column = np.unravel_index(int(rng.choice(best)), detail.shape)
    top, left = max(0, int(row) - tall // 2), max(0, int(column) - wide // 2)
    return slice(top, top + tall), slice(left, left + wide)
