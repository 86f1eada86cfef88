"""Printed labels and the grain of cloth, leather, clay and paper. All deterministic."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from demo_project.shop.photography.material import Texture


class Label:
    """Artwork for a part's ``print``, drawn in pixels."""

    def __init__(self, width: int, height: int, *, background: str | None = None) -> None:
        self.image = Image.new("RGBA", (width, height), background or (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def text(
        self, text: str, at: tuple[float, float], *, size: int, ink: str, spacing: float = 0.0
    ) -> Label:
        """Draw ``text`` centred on ``at``; ``spacing`` between letters in ems."""
        font = ImageFont.load_default(size)
        gap = spacing * size
        widths = [font.getlength(letter) for letter in text]
        x = at[0] - (sum(widths) + gap * (len(text) - 1)) / 2
        for letter, width in zip(text, widths, strict=True):
            self.pen.text((x, at[1]), letter, fill=ink, font=font, anchor="lm")
            x += width + gap
        return self

    def line(self, points: list[tuple[float, float]], *, ink: str, width: int = 3) -> Label:
        self.pen.line(points, fill=ink, width=width, joint="curve")
        return self

    def frame(
        self, box: tuple[float, float, float, float], *, ink: str, width: int = 3, radius: float = 0
    ) -> Label:
        self.pen.rounded_rectangle(box, radius=radius, outline=ink, width=width)
        return self

    def block(self, box: tuple[float, float, float, float], *, ink: str) -> Label:
        self.pen.rectangle(box, fill=ink)
        return self

    def disc(
        self, at: tuple[float, float], radius: float, *, ink: str, fill: bool = True, width: int = 3
    ) -> Label:
        box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
        self.pen.ellipse(box, fill=ink if fill else None, outline=ink, width=width)
        return self

    def shape(self, points: list[tuple[float, float]], *, ink: str) -> Label:
        self.pen.polygon(points, fill=ink)
        return self

    def texture(self) -> Texture:
        """Return linear RGBA, 0..1, softened by less than a pixel so that it does not sparkle."""
        srgb = np.asarray(self.image, np.float32) / 255
        rgb = np.where(
            srgb[..., :3] <= 0.04045,
            srgb[..., :3] / 12.92,
            ((srgb[..., :3] + 0.055) / 1.055) ** 2.4,
        )
        rgba = np.concatenate([rgb * srgb[..., 3:], srgb[..., 3:]], axis=2).astype(np.float32)
        soft = cv2.GaussianBlur(rgba, (0, 0), 0.8)
        soft[..., :3] /= np.maximum(soft[..., 3:], 1e-4)
        return soft


@cache
def weave(threads: int = 32, *, size: int = 256, slub: float = 0.35) -> Texture:
    """Return plain weave as a height, 0..1, tiling."""
    y, x = np.mgrid[0:size, 0:size] / size * threads * np.pi
    warp, weft = abs(np.sin(x)) * (0.6 + 0.4 * np.sin(y * 0.5) ** 2), abs(np.sin(y))
    over = (np.floor(x / np.pi) + np.floor(y / np.pi)) % 2
    height = np.where(over > 0, warp, weft).astype(np.float32)
    return height * (1 - slub) + slub * noise(7, size=size, cell=4)


@cache
def noise(seed: int, *, size: int = 256, cell: int = 16, octaves: int = 3) -> Texture:
    """Return tiling value noise, 0..1."""
    random = np.random.default_rng(seed)
    total, weight = np.zeros((size, size), np.float32), 0.0
    for octave in range(octaves):
        count = max(2, size // cell * 2**octave)
        grid = random.random((count, count), np.float32)
        wide = np.pad(grid, 2, mode="wrap")
        big = cv2.resize(
            wide, None, fx=size / count, fy=size / count, interpolation=cv2.INTER_CUBIC
        )
        edge = int(round(2 * size / count))
        total += big[edge : edge + size, edge : edge + size] * 0.5**octave
        weight += 0.5**octave
    total /= weight
    return (total - total.min()) / (total.max() - total.min())


@cache
def speckles(seed: int, *, size: int = 512, count: int = 900, dark: float = 0.45) -> Texture:
    """Return iron speckle in a glaze as a tint around 1."""
    random = np.random.default_rng(seed)
    tint = np.ones((size, size), np.float32)
    for x, y, r in zip(
        random.integers(4, size - 4, count),
        random.integers(4, size - 4, count),
        random.random(count),
        strict=True,
    ):
        cv2.circle(
            tint,
            (int(x * 16), int(y * 16)),
            int((0.4 + 1.5 * r**3) * 16),
            dark + 0.4 * (1 - r),
            -1,
            cv2.LINE_AA,
            4,
        )
    return cv2.GaussianBlur(tint, (0, 0), 0.7) * (0.94 + 0.06 * noise(seed + 1, size=size, cell=64))


@cache
def leather(seed: int = 3, *, size: int = 256) -> Texture:
    """Return pebbled leather grain as a height."""
    random = np.random.default_rng(seed)
    points = random.random((420, 2)).astype(np.float32) * size
    near = np.full((size, size), 1e9, np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    for px, py in points:
        dx, dy = abs(x - px), abs(y - py)
        np.minimum(near, np.minimum(dx, size - dx) ** 2 + np.minimum(dy, size - dy) ** 2, out=near)
    return 1 - np.clip(np.sqrt(near) / 11, 0, 1) ** 2


@cache
def grain(seed: int, *, size: int = 512) -> Texture:
    """Return wood as a tint around 1: fine streaks along the rows."""
    base = noise(seed, size=size, cell=128)
    y = np.mgrid[0:size, 0:size][0] / size
    rings = np.sin((y * 2 + base * 0.55) * 2 * np.pi * 5)
    streak = cv2.GaussianBlur(
        noise(seed + 5, size=size, cell=2, octaves=1), (0, 0), sigmaX=26, sigmaY=0.7
    )
    return (1 + 0.12 * rings + 0.9 * (streak - streak.mean())).astype(np.float32)


@cache
def pages(count: int = 60, *, size: int = 512) -> Texture:
    """Return the edge of a book block as a tint."""
    random = np.random.default_rng(5)
    lines = np.repeat(0.82 + 0.18 * random.random(count).astype(np.float32), -(-size // count))[
        :size
    ]
    return np.repeat(lines[:, None], size, 1)


def combine(*tints: NDArray[np.float32]) -> Texture:
    result = tints[0]
    for tint in tints[1:]:
        result = result * tint
    return result
