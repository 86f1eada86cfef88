"""The plain ground of a packshot: a light sweep and the soft shadow under the product."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from demo_project.shop.photography.material import linear


def on_ground(product: Image.Image, ground: str) -> Image.Image:
    """RGB: the product on an even ``ground`` (hex) that is a little darker towards its corners."""
    rgba = np.asarray(product, np.float32) / 255
    side = rgba.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    sweep = 1 - 0.05 * np.clip((x * x + y * y) * 2, 0, 1)
    light = linear(ground)[None, None] * (sweep * _shadow(rgba[..., 3]))[..., None]
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    alpha = rgba[..., 3:]
    return Image.fromarray(
        (255 * (rgba[..., :3] * alpha + srgb * (1 - alpha)) + 0.5).astype(np.uint8)
    )


def _shadow(alpha: np.ndarray) -> np.ndarray:
    """Light that reaches the ground: less where the product's foot stands close above it."""
    side = alpha.shape[0]
    rows = np.nonzero(alpha.max(axis=1) > 0.5)[0]
    foot = int(rows[-1])
    depth = max(8, int(side * 0.035))
    width = alpha[foot - depth : foot + 1].max(axis=0)
    tall = np.zeros((side, side), np.float32)
    tall[foot - depth // 2 : min(side, foot + depth // 4)] = width
    near = cv2.GaussianBlur(tall, (0, 0), side * 0.006)
    wide = cv2.GaussianBlur(tall, (0, 0), side * 0.018)
    return 1 - 0.2 * near - 0.16 * wide
