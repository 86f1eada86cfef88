"""The canvas on which a material is painted, seen straight on: measures, noise, relief, colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.noise import Plane, fractal, lattice, stream
from nb_catalog.imaging.scenery.recipe import Material

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) sRGB."""
BAND = 256
"""Rows processed at a time, so that a large picture never exists as float."""
SHOULDER = 200.0
"""Levels above this are compressed, so that bright ground keeps its drawing as it does on film;
255 is reached at 310, which is 1.5 times the light of white."""
Colour: TypeAlias = npt.NDArray[np.float32]
"""(3,) sRGB, 0..255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A flat piece of material: ``shape`` in pixels covers ``extent`` in units (rows, columns).

    A unit is the nominal height of a product. Rows and columns may differ in density, because a
    canvas that is seen at an angle needs fewer rows. ``towards`` is the direction to the light,
    (x, y) with y pointing down.
    """

    material: Material
    seed: int
    shape: tuple[int, int]
    extent: tuple[float, float]
    towards: tuple[float, float] = (-0.7, -0.7)

    @property
    def density(self) -> tuple[float, float]:
        """Pixels per pattern unit (rows, columns), including the material's scale."""
        scale = self.material.scale
        return (
            self.shape[0] / self.extent[0] * scale,
            self.shape[1] / self.extent[1] * scale,
        )

    @property
    def reach(self) -> tuple[float, float]:
        """The extent in pattern units."""
        return self.extent[0] / self.material.scale, self.extent[1] / self.material.scale

    def noise(
        self,
        name: str,
        *,
        rows: float,
        columns: float | None = None,
        octaves: int = 4,
        gain: float = 0.5,
    ) -> Plane:
        """Return fractal noise; ``rows`` and ``columns`` are cells per pattern unit."""
        across = rows if columns is None else columns
        cells = (rows * self.reach[0], across * self.reach[1])
        return fractal(self.seed, name, shape=self.shape, cells=cells, octaves=octaves, gain=gain)

    def directional_noise(
        self,
        name: str,
        *,
        angle: float,
        along: float,
        across: float,
        octaves: int = 4,
        gain: float = 0.5,
    ) -> Plane:
        """Return noise stretched along a direction, ``angle`` degrees from the rows.

        ``along`` and ``across`` are cells per pattern unit.
        """
        side = math.hypot(*self.reach)
        pixels = max(8, round(side * max(self.density) * 0.75))
        square = fractal(
            self.seed, name, shape=(pixels, pixels), cells=(across * side, along * side),
            octaves=octaves, gain=gain,
        )  # fmt: skip
        turn = math.radians(angle)
        per_row, per_column = 1 / self.density[0], 1 / self.density[1]
        k = pixels / side
        cos, sin = math.cos(turn) * k, math.sin(turn) * k
        into = np.array(
            [[cos * per_column, sin * per_row, 0], [-sin * per_column, cos * per_row, 0]]
        )
        middle = into @ np.array([self.shape[1] / 2, self.shape[0] / 2, 0])
        into[:, 2] = pixels / 2 - middle
        return np.asarray(
            cv2.warpAffine(
                square, into, (self.shape[1], self.shape[0]),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT,
            ),
            np.float32,
        )  # fmt: skip

    def grain(self, name: str, *, cells: float = 700) -> Plane:
        """Return the finest texture: white noise with ``cells`` per pattern unit."""
        size = (max(2, round(cells * self.reach[0])), max(2, round(cells * self.reach[1])))
        how = cv2.INTER_AREA if size[0] > self.shape[0] else cv2.INTER_LINEAR
        plane = lattice(stream(self.seed, name), cells=size)
        return np.asarray(
            cv2.resize(plane, (self.shape[1], self.shape[0]), interpolation=how), np.float32
        )

    def relief(self, height: Plane, *, depth: float) -> Plane:
        """Return the brightness that bumps gain or lose in raking light, about -1..1.

        ``height`` is in units and is multiplied by ``depth``; the result is the sine of the slope
        towards the light.
        """
        rows, columns = self.density
        down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=rows / 8)
        right = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=columns / 8)
        slope = (right * -self.towards[0] + down * -self.towards[1]) * (
            -depth * self.material.relief
        )
        return np.asarray(slope / np.sqrt(1 + np.square(slope)), np.float32)

    def coordinates(self) -> tuple[Plane, Plane]:
        """Return pattern coordinates: a column (rows, 1) and a row (1, columns)."""
        rows, columns = self.shape
        y = (np.arange(rows, dtype=np.float32) + 0.5) / np.float32(self.density[0])
        x = (np.arange(columns, dtype=np.float32) + 0.5) / np.float32(self.density[1])
        return y[:, None], x[None, :]

    def scatter(self, name: str, *, each_unit: float) -> npt.NDArray[np.float64]:
        """Return (N, 6) random numbers in 0..1 for scattered things: x, y and four of their own.

        ``each_unit`` is their number per square pattern unit; at most 60,000 in all.
        """
        count = min(60_000, round(each_unit * self.reach[0] * self.reach[1]))
        return stream(self.seed, name).random((count, 6))


def expose(lit: Plane) -> Pixels:
    """Return sRGB levels, which may exceed 255, as bytes; the bright ones are compressed."""
    over = np.clip(lit - np.float32(SHOULDER), 0, np.float32(2 * (255 - SHOULDER)))
    level = np.minimum(lit, np.float32(SHOULDER)) + over
    level -= np.square(over) * np.float32(0.25 / (255 - SHOULDER))
    return np.asarray(np.clip(level + np.float32(0.5), 0, 255), np.uint8)


def parse_colour(text: str) -> Colour:
    """Return ``"#b98a5a"`` as three sRGB numbers from 0 to 255."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def dye(value: Plane, *, tone: str, accent: str = "", contrast: float = 1.0) -> Pixels:
    """Map ``value`` to colour: 0 is deep, 0.5 the tone itself, 1 light.

    ``accent`` replaces the deep end.
    """
    middle = parse_colour(tone)
    grey = middle.mean()
    deep = parse_colour(accent) if accent else (middle * 1.12 - grey * 0.12) * 0.30
    light = np.minimum(middle * 1.28 + 18, 255) * 0.7 + 255 * 0.3
    steps = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    low = deep + (middle - deep) * np.minimum(steps * 2, 1)
    table = low + (light - middle) * np.maximum(steps * 2 - 1, 0)
    scaled = (value - np.float32(0.5)) * np.float32(255 * contrast) + np.float32(127.5)
    index = np.clip(scaled, 0, 255).astype(np.uint8)
    lookup = np.clip(table, 0, 255).astype(np.uint8)[None]
    three = cv2.cvtColor(index, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.LUT(three, lookup), np.uint8)


def blend(under: Pixels, over: Pixels | Plane, *, amount: Plane) -> Pixels:
    """Blend ``over``, a picture or one colour, onto ``under`` by ``amount`` 0..1."""
    out = np.empty_like(under)
    for first in range(0, under.shape[0], BAND):
        rows = slice(first, first + BAND)
        base = under[rows].astype(np.float32)
        top = over if over.ndim == 1 else over[rows]
        base += (np.asarray(top, np.float32) - base) * amount[rows][..., None]
        out[rows] = np.clip(base, 0, 255)
    return out
