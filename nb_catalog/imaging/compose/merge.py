"""Merging a product with a scene: scaling, clean edges, mixing in linear light."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.imaging.compose.shadows import Shadow
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane

Rgba: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 4) sRGB with straight alpha."""

BAND: Final = 512
"""Rows processed at a time, so that a 4K picture never exists as float."""
WRAP: Final = 0.22
"""Share of the background's light that bends around the rim, in partly covered pixels."""
BOUNCE: Final = 0.4
"""Share of the ground's albedo that counts for light thrown back between ground and product."""
GROUND_BLUR: Final = 4.0
"""Pixels of the shadow map over which the ground's colour is averaged."""
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


FROM_ROOT: Final = np.rint(to_srgb(np.square(np.linspace(0, 1, 4096)))).astype(np.uint8)
"""sRGB bytes by the square root of linear light, which is about as even as the eye."""


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


def darken(pixels: Pixels, shadow: Shadow, *, light: Light) -> None:
    """Darken ``pixels`` in place by ``shadow``, three small maps.

    Where the key light is blocked, the fill light is left, which has another colour. Where the
    product is so near that it blocks the fill light as well, only light is left that ground and
    product throw back and forth, which takes on the ground's own colour.
    """
    height, width = pixels.shape[:2]
    cast, occlusion, contact = shadow
    dark = np.maximum(np.maximum(cast, occlusion), contact)
    used = np.flatnonzero(dark.max(axis=1) > 0.002)
    if not used.size:
        return
    rows = slice(max(0, int(used[0]) - 1), min(dark.shape[0], int(used[-1]) + 2))
    k = dark.shape[1] / width, dark.shape[0] / height
    start, stop = int(rows.start / k[1]), min(height, int(rows.stop / k[1]) + 1)
    cast, occlusion, contact = (each[rows][..., None] for each in shadow)
    ground = cv2.resize(
        pixels[start:stop], (dark.shape[1], cast.shape[0]), interpolation=cv2.INTER_AREA
    )
    albedo = cv2.GaussianBlur(TO_LINEAR[ground], (0, 0), GROUND_BLUR)
    tint = cast * (1 - occlusion) * (1 - contact)
    remaining = (1 - cast) * (1 + tint * (np.array(light.shade, np.float32) - 1))
    remaining = remaining * thrown_back(1 - occlusion, albedo=albedo) * (1 - contact)
    for first in range(start, stop, BAND):
        last = min(stop, first + BAND)
        offset = (first + 0.5) * k[1] - 0.5 - rows.start
        into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], offset]])
        wide = cv2.warpAffine(
            remaining, into, (width, last - first),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        lit = TO_LINEAR[pixels[first:last]] * wide
        # A tenth of the time of the power function, and as exact as eight bits.
        steps = np.sqrt(np.clip(lit, 0, 1)) * np.float32(len(FROM_ROOT) - 1)
        pixels[first:last] = FROM_ROOT[np.rint(steps).astype(np.uint16)]


def thrown_back(visible: Plane, *, albedo: Plane) -> Plane:
    """Return the share of light that arrives where the share ``visible`` of the sky is seen.

    Light that is thrown back and forth between near surfaces makes the corners of a red ground
    redder, not grey (Jimenez et al., Practical Real-Time Strategies for Accurate Indirect Occlusion,
    2016, whose cubic fit this is). With all of the ``albedo``, linear (h, w, 3), the ground glowed.
    """
    rho = albedo * np.float32(BOUNCE)
    a, b, c = 2.0404 * rho - 0.3324, -4.7951 * rho + 0.6417, 2.7552 * rho + 0.6903
    lit = ((visible * a + b) * visible + c) * visible
    return np.asarray(np.clip(np.maximum(visible, lit), 0, 1), np.float32)


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
