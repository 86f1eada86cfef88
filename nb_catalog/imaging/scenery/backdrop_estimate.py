"""A proposal for a photo as the scene: where its ground ends, and where its light comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.imaging.scenery.noise import Plane

ROWS: Final = 160
COLUMNS: Final = 60
SEARCHED: Final = (0.18, 0.86)
"""Share of the height in which a ground line is looked for: nothing stands on less ground."""
BAND: Final = 0.045
"""Share of the height that is compared above and below a row."""
REGION: Final = 0.13
"""The same for the colour of what is there, without fine lines."""
TILT: Final = 0.05
"""Share of the height by which a line may be higher on one side."""
USUAL: Final = (0.60, 0.24)
"""Middle and spread of the shares of the height at which photos of rooms and tables have their line."""
CONTRAST: Final = 5.0
"""Least difference across the line, in CIELAB units."""
CERTAIN: Final = 14.0
"""A difference that boards and folds do not have."""
ABOVE_RIVALS: Final = 1.3
"""A weaker line has to be that much stronger than any other: boards have many."""
TIMES: Final = 2.2
"""Least difference across the line, in those of an ordinary row."""
LIMITS: Final = (-70.0, 70.0)
"""A proposal is never from behind: that needs a person's eye."""
SUN: Final = (0.20, 0.75)
HEADROOM: Final = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A place to begin with. Without a ground the product hangs on what is seen."""

    place: BackdropPlace
    has_ground: bool


def propose(photo: Image.Image) -> Proposal:
    """Return where a product could stand in ``photo``, and the light there.

    The ground line is the row, or the slightly tilted line, at which the colour changes across most
    of the width. Tables, floors and horizons have one; a paper sweep, a wall and a flat lay do not.
    """
    small = flatten(photo).resize((COLUMNS * 2, ROWS), Image.Resampling.BOX)
    rgb = np.asarray(small).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    ground = _ground_line(lab)
    bright = lab[..., 0]
    azimuth, elevation = _direction(bright, ground=ground)
    # From 0 for hard shadows to 1 for none, by the share of strong steps in brightness.
    strong = float(np.quantile(np.abs(np.diff(bright, axis=1)).ravel(), 0.97))
    low, high = SUN
    softness = round(float(np.clip(high - strong / 60, low, high)), 2)
    light: dict[str, Any] = {
        "azimuth": azimuth,
        "elevation": elevation,
        "softness": softness,
        "strength": 0.75 - 0.35 * softness,
    }
    if ground is None:
        place = BackdropPlace(view="wall", ground=1.0, bottom=0.75, height=0.5, **light)
        return Proposal(place=place, has_ground=False)
    bottom = min(0.93, ground + max(0.05, 0.42 * (1 - ground)))
    height = min(bottom - HEADROOM, 0.55, 1.3 * ground)
    place = BackdropPlace(ground=ground, bottom=bottom, height=max(0.1, height), **light)
    return Proposal(place=place, has_ground=True)


def _ground_line(lab: Plane) -> float | None:
    """Return the row of the ground's end as a share of the height; None if nothing looks like one."""
    rows = np.arange(ROWS + 1) / ROWS
    # A joint between boards is a step as well, but what is above it looks like what is below.
    steps = np.minimum(_steps(lab, band=BAND), 1.4 * _steps(lab, band=REGION))
    inside = (rows > SEARCHED[0]) & (rows < SEARCHED[1])
    middle, spread = USUAL
    weighed = np.where(inside, steps * np.exp(-(((rows - middle) / spread) ** 2) / 2), 0)
    row = int(weighed.argmax())
    elsewhere = inside & (np.abs(rows - rows[row]) > REGION / 2)
    rival = float(steps[elsewhere].max())
    ordinary = max(CONTRAST, TIMES * float(np.median(steps[inside])))
    if steps[row] < ordinary or (steps[row] < CERTAIN and steps[row] < ABOVE_RIVALS * rival):
        return None
    return float(rows[row])


def _steps(lab: Plane, *, band: float) -> npt.NDArray[np.float64]:
    """Return how much the colour changes at each row, from a band above it to one below it, across
    most of the width; 0 at both ends."""
    tall = max(2, round(band * ROWS))
    summed = np.cumsum(np.pad(lab, ((1, 0), (0, 0), (0, 0))), axis=0, dtype=np.float64)
    means = (summed[tall:] - summed[:-tall]) / tall
    changes = means[tall:] - means[:-tall]
    tilt = round(TILT * ROWS)
    across = np.linspace(-0.5, 0.5, changes.shape[1])
    found = np.zeros(ROWS + 1)
    for rise in range(-tilt, tilt + 1, 2):
        columns = [
            np.roll(changes[:, x], -round(rise * off), axis=0) for x, off in enumerate(across)
        ]
        # The median ignores objects in front of the line, if they cover less than half of the columns.
        size = np.linalg.norm(np.median(np.stack(columns, 1), axis=1), axis=1)
        found[tall : tall + len(size)] = np.maximum(found[tall : tall + len(size)], size)
    return found


def _direction(bright: Plane, *, ground: float | None) -> tuple[float, float]:
    """Return azimuth and elevation, in degrees, from where the ground is brighter.

    Walls have windows and paint; the ground is mostly of one material, so its light shows better.
    """
    part = bright if ground is None else bright[round(ground * ROWS) + 2 :]
    if len(part) < ROWS // 12:
        part = bright
    third = part.shape[1] // 3
    left, right = float(np.median(part[:, :third])), float(np.median(part[:, -third:]))
    balance = (right - left) / max(1.0, left + right)
    low, high = LIMITS
    side = float(np.clip(balance * 420, low, high))
    if abs(side) < 20:
        # Lit evenly: from the left, as packshots mostly are.
        side = -35.0 if side <= 0 else 35.0
    upper, lower = float(bright[: ROWS // 3].mean()), float(bright[-ROWS // 3 :].mean())
    return round(side), round(float(np.clip(50 + 0.5 * (lower - upper), 32, 65)))
