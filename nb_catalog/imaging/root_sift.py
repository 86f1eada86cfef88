"""RootSIFT features: places of a picture and descriptors by which they are found again in another one."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.recent import RecentArrays

Floats: TypeAlias = npt.NDArray[np.float32]

CONTRAST: Final = 0.015
"""Of the faintest feature, below SIFT's default of 0.04: products have less contrast than landscapes."""

# Those of 20 products.
_products = RecentArrays[tuple[Floats, Floats]](max_bytes=32 * 2**20)


def root_sift(
    pixels: npt.NDArray[np.uint8], inside: npt.NDArray[np.uint8] | None, *, most: int
) -> tuple[Floats, Floats]:
    """Return the places (N, 2) of up to about ``most`` features, in pixels, and their (N, 128) descriptors.

    ``pixels`` is grey (H, W), and features are where ``inside``, (H, W), is not 0. RootSIFT (Arandjelović
    and Zisserman, 2012): the root of the SIFT descriptor divided by its sum.
    """
    sift = cv2.SIFT.create(nfeatures=most, contrastThreshold=CONTRAST)
    points, found = sift.detectAndCompute(pixels, inside)
    if found is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    descriptors = np.asarray(found, np.float32)
    total = np.maximum(descriptors.sum(axis=1, keepdims=True), np.float32(1e-6))
    return np.array([point.pt for point in points], np.float32), np.sqrt(descriptors / total)


def root_sift_of_product(
    pixels: npt.NDArray[np.uint8], inside: npt.NDArray[np.uint8], *, most: int
) -> tuple[Floats, Floats]:
    """Return the features of a product as ``root_sift`` does, read-only, and keep them for a while: many
    pictures in a row are of one product."""
    key = sha256(repr((pixels.shape, most)).encode())
    key.update(pixels.tobytes())
    key.update(inside.tobytes())
    known = _products.get(key.digest())
    return known or _products.put(key.digest(), root_sift(pixels, inside, most=most))
