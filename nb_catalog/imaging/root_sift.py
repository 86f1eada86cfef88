"""RootSIFT features: places of a picture and descriptors by which they are found again in another one."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

CONTRAST: Final = 0.015
"""Of the faintest feature, below SIFT's default of 0.04: products have less contrast than landscapes."""


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
