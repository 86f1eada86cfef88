"""The plain background of a packshot: a light sweep and the soft shadow under the product."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo_project.shop.photography.material import linear


def on_background(product: Image.Image, background: str) -> Image.Image:
    """Return the product on an even ``background`` (hex), a little darker towards the corners, as RGB."""
    cut = np.asarray(product)
    side = len(cut)
    alpha = cut[..., 3:].astype(np.float32) / 255
    # The background is smooth: a quarter of the resolution is enough.
    light = cv2.resize(_light(cv2.resize(alpha, None, fx=0.25, fy=0.25), background), (side, side))
    return Image.fromarray((cut[..., :3] * alpha + light * (1 - alpha) + 0.5).astype(np.uint8))


def _light(alpha: NDArray[np.float32], background: str) -> NDArray[np.float32]:
    """Return the empty background, sRGB 0..255."""
    side = len(alpha)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    sweep = 1 - 0.05 * np.clip((x * x + y * y) * 2, 0, 1)
    light = linear(background)[None, None] * (sweep * _shadow(alpha))[..., None]
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (srgb * 255).astype(np.float32)


def _shadow(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of light on the background: less below the product's foot."""
    side = alpha.shape[0]
    rows = np.nonzero(alpha.max(axis=1) > 0.5)[0]
    foot = int(rows[-1])
    depth = max(8, int(side * 0.035))
    width = alpha[foot - depth : foot + 1].max(axis=0)
    tall = np.zeros((side, side), np.float32)
    tall[foot - depth // 2 : min(side, foot + depth // 4)] = width
    near = cv2.GaussianBlur(tall, (0, 0), side * 0.006)
    wide = cv2.GaussianBlur(tall, (0, 0), side * 0.018)
    return np.asarray(1 - 0.2 * near - 0.16 * wide, np.float32)
