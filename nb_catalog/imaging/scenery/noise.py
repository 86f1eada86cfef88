"""Seeded noise that looks the same at every resolution, only finer; operations on planes."""

from __future__ import annotations

import math
import zlib
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.float32]
"""(H, W) float32."""


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return a random generator for these names, independent of the draws of all others."""
    entropy = [seed & 0xFFFFFFFF, *(zlib.crc32(str(name).encode()) for name in names)]
    return np.random.Generator(np.random.PCG64(entropy))


def resize(plane: Plane, *, shape: tuple[int, int]) -> Plane:
    """Return ``plane`` at (height, width): averaged if it shrinks, cubic otherwise."""
    shrinks = plane.shape[0] > shape[0] and plane.shape[1] > shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=how), np.float32)


def warp(
    plane: npt.NDArray[np.floating], matrix: npt.NDArray[np.float64], *, size: tuple[int, int]
) -> Plane:
    """Sample ``plane`` where the 2x3 ``matrix`` maps the pixels of a (width, height) picture.

    Bilinear; outside, the edge is repeated.
    """
    return np.asarray(
        cv2.warpAffine(
            plane, matrix, size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )  # fmt: skip


def lattice(rng: np.random.Generator, *, cells: tuple[int, int]) -> Plane:
    """Return white noise in -1..1, (rows, columns)."""
    return rng.random(cells, dtype=np.float32) * np.float32(2) - np.float32(1)


def fractal(
    seed: int,
    *names: str | int,
    shape: tuple[int, int],
    cells: tuple[float, float],
    octaves: int = 4,
    gain: float = 0.5,
) -> Plane:
    """Return a sum of octaves, each twice as fine and ``gain`` times as strong; deviation about 1.

    ``cells`` are (rows, columns) of the coarsest octave over the whole plane. Every octave
    draws from its own stream, so omitting those finer than a pixel changes nothing.
    """
    size = (max(2, round(cells[0])), max(2, round(cells[1])))
    total = lattice(stream(seed, *names, 0), cells=size)
    for octave in range(1, octaves):
        if size[0] > shape[0] and size[1] > shape[1]:
            break
        size = (size[0] * 2, size[1] * 2)
        grown = resize(total, shape=size)
        total = grown + np.float32(gain**octave) * lattice(stream(seed, *names, octave), cells=size)
    power = sum(gain ** (2 * octave) for octave in range(octaves))
    return resize(total, shape=shape) * np.float32(1.9 / math.sqrt(power))


def ridges(plane: Plane, *, width: float) -> Plane:
    """Return 1 on the zero lines of ``plane``, falling to 0 within ``width``: veins, cracks."""
    return np.asarray(np.exp(-np.square(plane / np.float32(width))), np.float32)


def smoothstep(plane: Plane, *, start: float, stop: float) -> Plane:
    """Return 0 before ``start``, 1 after ``stop``, and 3t^2 - 2t^3 in between."""
    t = np.clip((plane - np.float32(start)) / np.float32(stop - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blur(plane: npt.NDArray[np.floating], *, sigma: float) -> Plane:
    """Return a plane or picture with Gaussian blur; a wide one is computed on a smaller copy."""
    if sigma < 0.3:
        return np.asarray(plane, np.float32)
    step = max(1, int(sigma / 3))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
    height, width = plane.shape[:2]
    small = (max(2, math.ceil(width / step)), max(2, math.ceil(height / step)))
    shrunk = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(shrunk, (0, 0), sigma / step)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
