"""Merging a product with a scene: scaling, clean edges, mixing in linear light."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane

Rgba: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 4) sRGB with straight alpha."""

BAND: Final = 512
"""Rows processed at a time, so that a 4K picture never exists as float."""
WRAP: Final = 0.22
"""Share of the background's light that bends around the rim, in partly covered pixels."""
# IEC 61966-2-1: sRGB to linear light.
_LEVELS = np.arange(256, dtype=np.float64) / 255
TO_LINEAR: Final = np.where(
    _LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4
).astype(np.float32)


def to_srgb(linear: npt.NDArray[np.floating]) -> Plane:
    """Return linear light 0..1 as sRGB 0..255 (IEC 61966-2-1)."""
    curve = np.where(
        linear <= 0.0031308,
        linear * 12.92,
        1.055 * np.power(np.maximum(linear, 1e-7), 1 / 2.4) - 0.055,
    )
    return np.asarray(curve * 255, np.float32)


def scale(product: Rgba, *, width: int, height: int) -> Rgba:
    """Return the product at another size, without dark or light fringes.

    Partly covered pixels of the outline take the mean colour of the opaque product within 2
    pixels. Opaque pixels stay as resampled, and so do transparent areas inside the product, such
    as glass.
    """
    # Pillow premultiplies RGBA while it resizes, so hidden colours do not bleed in.
    resized = np.array(
        Image.fromarray(product).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    )
    alpha = resized[..., 3]
    outside = cv2.dilate((alpha < 8).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rim = (alpha > 0) & (alpha < 250) & outside
    solid = (alpha >= 250).astype(np.float32)
    weight = cv2.boxFilter(solid, -1, (5, 5), normalize=False)
    summed = cv2.boxFilter(
        resized[..., :3].astype(np.float32) * solid[..., None], -1, (5, 5), normalize=False
    )
    known = rim & (weight > 0)
    resized[known, :3] = np.round(summed[known] / weight[known][:, None]).astype(np.uint8)
    return resized


def darken(pixels: Pixels, dark: Plane, *, light: Light) -> None:
    """Darken ``pixels`` in place by ``dark``, a small map from 0 (lit) to 1 (black).

    A shadow loses light of the lamp's colour, so under a warm lamp it turns cooler.
    """
    height, width = pixels.shape[:2]
    key = np.array(light.colour, np.float32)
    key /= key.max()
    remaining = np.power(1 - dark[..., None] * key, np.float32(1 / 2.2))
    shaded = np.flatnonzero(dark.max(axis=1) > 0.002)
    if not shaded.size:
        return
    k = dark.shape[1] / width, dark.shape[0] / height
    start, stop = int(shaded[0] / k[1]), min(height, int((shaded[-1] + 2) / k[1]) + 1)
    for first in range(start, stop, BAND):
        last = min(stop, first + BAND)
        into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], (first + 0.5) * k[1] - 0.5]])
        wide = cv2.warpAffine(
            remaining, into, (width, last - first),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        wide *= pixels[first:last]
        pixels[first:last] = np.clip(wide + np.float32(0.5), 0, 255).astype(np.uint8)


def add_reflection(pixels: Pixels, image: Plane) -> None:
    """Blend a small (h, w, 4) reflection, colour 0..255 and cover 0..1, over ``pixels`` in place."""
    height, width = pixels.shape[:2]
    used = np.flatnonzero(image[..., 3].max(axis=1) > 0.002)
    if not used.size:
        return
    k = image.shape[1] / width, image.shape[0] / height
    start, stop = int(used[0] / k[1]), min(height, int((used[-1] + 2) / k[1]) + 1)
    into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], (start + 0.5) * k[1] - 0.5]])
    wide = cv2.warpAffine(
        image, into, (width, stop - start), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    under = pixels[start:stop].astype(np.float32)
    under += (wide[..., :3] - under) * wide[..., 3:]
    pixels[start:stop] = np.clip(under + np.float32(0.5), 0, 255).astype(np.uint8)


def paste(pixels: Pixels, product: Rgba, *, left: int, top: int) -> None:
    """Paste the product onto ``pixels`` in place, with its corner at (left, top).

    Opaque pixels are copied; partly covered ones are mixed in linear light.
    """
    height, width = pixels.shape[:2]
    rows = slice(max(0, top), min(height, top + product.shape[0]))
    columns = slice(max(0, left), min(width, left + product.shape[1]))
    part = product[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    under = pixels[rows, columns]
    alpha = part[..., 3]
    mixed = (alpha > 0) & (alpha < 255)
    cover = alpha[mixed].astype(np.float32)[:, None] / 255
    behind = TO_LINEAR[under[mixed]]
    front = TO_LINEAR[part[mixed][:, :3]]
    front += (behind - front) * (WRAP * (1 - cover))
    under[mixed] = np.clip(to_srgb(behind + (front - behind) * cover) + 0.5, 0, 255).astype(
        np.uint8
    )
    solid = alpha == 255
    under[solid] = part[solid][:, :3]
