"""The product's outline: whether the picture has an edge where the photo has one."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.imaging.fidelity.views import Mask
from nb_catalog.imaging.fidelity.warping import Overlay

REACH: Final = 10
"""Pixels on both sides of the outline in which its edge is looked for."""
NEAR: Final = 3
"""Pixels by which an edge may miss the outline."""
EDGE: Final = 8.0
"""Lab units per two pixels: a weaker step is not an edge."""
RUN: Final = 9
"""Points in a row that miss the outline before it counts."""
MOST_POINTS: Final = 1500


class OutlineChange(NamedTuple):
    """``moved`` is the share of the outline, in percent, whose edge is elsewhere; ``judged`` the share
    that has an edge at all. ``places`` is (H, W), around what moved."""

    moved: float
    judged: float
    places: Mask


def compare_outlines(pair: Overlay) -> OutlineChange:
    """Look for the edge of the picture's product along the normals of the photo's outline."""
    inside = pair.mask.astype(np.uint8)
    places = np.zeros(inside.shape, np.bool_)
    contours, _tree = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([each[:, 0] for each in contours]) if contours else np.zeros((0, 2))
    border = np.array(inside.shape[::-1]) - 1 - REACH
    points = points[((points >= REACH) & (points <= border)).all(axis=1)]
    if len(points) < 4 * RUN:
        return OutlineChange(0.0, 0.0, places)
    points = points[:: max(1, len(points) // MOST_POINTS)].astype(np.float32)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(within - beyond, (0, 0), 2.0)
    column, row = points[:, 0].astype(int), points[:, 1].astype(int)
    across = cv2.Sobel(depth, cv2.CV_32F, 1, 0)[row, column]
    down = cv2.Sobel(depth, cv2.CV_32F, 0, 1)[row, column]
    steep = np.hypot(across, down) + np.float32(1e-6)
    offsets = np.arange(-REACH - 1, REACH + 2, dtype=np.float32)
    x = points[:, :1] + offsets * (across / steep)[:, None]
    y = points[:, 1:] + offsets * (down / steep)[:, None]
    lab = cv2.cvtColor(
        cv2.GaussianBlur(pair.seen, (0, 0), 1.0).astype(np.float32) / 255, cv2.COLOR_RGB2LAB
    )
    profile = cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    steps = np.linalg.norm(profile[:, 2:] - profile[:, :-2], axis=-1)
    strongest = steps.max(axis=1)
    here = steps[:, REACH - NEAR : REACH + NEAR + 1].max(axis=1)
    judged = strongest >= EDGE
    missed = judged & (here < EDGE) & (here < strongest / 2)
    # Runs only: a single point may have met a crease or the edge of a shadow.
    window = np.ones(RUN, np.float32) / RUN
    ring = np.concatenate([missed[-RUN:], missed, missed[:RUN]]).astype(np.float32)
    moved = missed & (np.convolve(ring, window, mode="same")[RUN:-RUN] > 0.7)
    for left, top in points[moved].astype(int):
        places[top - NEAR : top + NEAR + 1, left - NEAR : left + NEAR + 1] = True
    return OutlineChange(float(100 * moved.mean()), float(100 * judged.mean()), places)
