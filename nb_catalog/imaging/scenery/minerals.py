"""Painters of mineral materials: concrete, marble, plaster, stone, terrazzo."""

from __future__ import annotations

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, blend, dye, parse_colour
from nb_catalog.imaging.scenery.noise import Plane, blur, ridges, smoothstep

SUBPIXEL = 4
FORM = (1.05, 1.7)
"""Height and width of a formwork panel."""


def concrete(canvas: Canvas) -> Pixels:
    """Cast concrete: cloudy, with air pores that have a lit rim."""
    return _cast(canvas, seams=np.zeros(canvas.shape, np.float32))


def formwork(canvas: Canvas) -> Pixels:
    """Fair-faced concrete with the joints and tie holes of its formwork."""
    y, x = canvas.coordinates()
    from_y = np.abs((y - canvas.reach[0] + FORM[0] * 0.8) % FORM[0])
    from_x = np.abs((x - canvas.reach[1] / 2 + FORM[1] * 0.36) % FORM[1])
    near_y = np.minimum(from_y, FORM[0] - from_y)
    near_x = np.minimum(from_x, FORM[1] - from_x)
    hole = smoothstep(np.hypot(near_y - 0.20, near_x - 0.22), start=0.015, stop=0.020)
    seams = 0.8 * ridges(np.minimum(near_y, near_x), width=0.006) + 0.9 * (1 - hole)
    return _cast(canvas, seams=np.minimum(seams, 1).astype(np.float32))


def _cast(canvas: Canvas, *, seams: Plane) -> Pixels:
    cloud = canvas.noise("cloud", rows=1.1, octaves=7, gain=0.6)
    stain = smoothstep(canvas.noise("stain", rows=0.7, octaves=5, gain=0.55), start=0.2, stop=1.6)
    rough = canvas.noise("rough", rows=40, octaves=4, gain=0.8)
    dots = np.zeros(canvas.shape, np.uint8)
    one = 2**SUBPIXEL
    for x, y, large, squash, turn, deep in canvas.scatter("pores", each_unit=70):
        radius = 0.0015 + (0.0075 - 0.0015) * large**5
        centre = (round(x * canvas.shape[1] * one), round(y * canvas.shape[0] * one))
        axes = (
            max(1, round(radius * canvas.density[1] * one)),
            max(1, round(radius * canvas.density[0] * (0.6 + 0.4 * squash) * one)),
        )
        cv2.ellipse(
            dots, centre, axes, turn * 60 - 30, 0, 360, 90 + 165 * deep, -1, cv2.LINE_AA, SUBPIXEL
        )
    pores = dots.astype(np.float32) * np.float32(1 / 255)
    bumps = rough * np.float32(0.0007) - blur(pores, sigma=0.7) * np.float32(0.006)
    bumps = bumps - blur(seams, sigma=0.8) * np.float32(0.007)
    value = 0.5 + 0.045 * cloud - 0.06 * stain + 0.012 * rough - 0.26 * pores - 0.17 * seams
    value += 0.16 * canvas.relief(bumps.astype(np.float32), depth=1.0)
    return dye(value, tone=canvas.material.tone)


def marble(canvas: Canvas) -> Pixels:
    """Polished marble: drifting clouds, a few strong veins, many faint ones."""
    accent = canvas.material.accent or "#77757a"
    drift = canvas.directional_noise("drift", angle=38, along=0.5, across=1.7, octaves=6, gain=0.46)
    fine = canvas.directional_noise("fine", angle=31, along=0.9, across=3.4, octaves=6, gain=0.5)
    where = smoothstep(canvas.noise("where", rows=0.9, octaves=3), start=-1.0, stop=0.9)
    wide = ridges(drift, width=0.34) * where
    swell = 0.02 + 0.07 * smoothstep(fine, start=-1.5, stop=2.0)
    strong = np.exp(-np.square(drift / swell)) * (0.2 + 0.8 * where)
    hair = ridges(fine, width=0.035) * smoothstep(
        canvas.noise("hair", rows=1.5, octaves=3), start=-0.4, stop=1.1
    )
    cloud = canvas.noise("cloud", rows=1.6, octaves=5, gain=0.55)
    base = dye((0.56 + 0.03 * cloud - 0.10 * wide).astype(np.float32), tone=canvas.material.tone)
    veins = np.clip(0.55 * strong + 0.20 * hair + 0.20 * wide, 0, 0.85).astype(np.float32)
    return blend(base, parse_colour(accent), amount=veins)


def plaster(canvas: Canvas) -> Pixels:
    """Lime plaster put on by hand: trowel strokes in two directions and a sandy skin."""
    cloud = canvas.noise("cloud", rows=0.8, octaves=6, gain=0.58)
    one = canvas.directional_noise("one", angle=24, along=1.6, across=4.2, octaves=4, gain=0.5)
    two = canvas.directional_noise("two", angle=-52, along=1.8, across=4.6, octaves=4, gain=0.5)
    choose = smoothstep(canvas.noise("choose", rows=1.4, octaves=3), start=-0.5, stop=0.5)
    strokes = one * choose + two * (1 - choose)
    sand = canvas.noise("sand", rows=60, octaves=4, gain=0.85)
    dabs = canvas.noise("dabs", rows=7, octaves=4, gain=0.6)
    height = (0.0075 * strokes + 0.0026 * dabs + 0.00035 * sand).astype(np.float32)
    # Stronger clouds, out of focus, looked like dirt.
    value = 0.5 + 0.018 * cloud + 0.016 * strokes + 0.012 * dabs + 0.007 * sand
    value += 0.13 * canvas.relief(height, depth=1.2)
    return dye(value.astype(np.float32), tone=canvas.material.tone)


def stone(canvas: Canvas) -> Pixels:
    """Split stone: ledges, mineral specks, dark seams."""
    ledge = canvas.directional_noise("ledge", angle=12, along=1.0, across=2.6, octaves=7, gain=0.6)
    rough = canvas.noise("rough", rows=14, octaves=6, gain=0.75)
    specks = canvas.grain("specks", cells=260)
    seams = ridges(ledge, width=0.04) * smoothstep(rough, start=-1.0, stop=1.0)
    height = (0.012 * ledge + 0.0022 * rough).astype(np.float32)
    value = 0.48 + 0.07 * ledge + 0.035 * rough + 0.05 * specks - 0.10 * seams
    value += 0.2 * canvas.relief(height, depth=0.9)
    return dye(value.astype(np.float32), tone=canvas.material.tone)


def terrazzo(canvas: Canvas) -> Pixels:
    """Ground terrazzo: chips of three colours in a pale binder."""
    cloud = canvas.noise("cloud", rows=3, octaves=4)
    base = dye((0.54 + 0.012 * cloud).astype(np.float32), tone=canvas.material.tone)
    accent = parse_colour(canvas.material.accent or "#b5654a")
    tone = parse_colour(canvas.material.tone)
    inks = (accent, tone * 0.62, accent * 0.45 + tone * 0.5, np.minimum(tone * 0.5 + 135, 255))
    draws = canvas.scatter("chips", each_unit=620)
    of_ink = (draws[:, 5] * len(inks)).astype(int).tolist()
    # Six corners for each splinter; large ones are rare.
    x, y, large, shape, turn = (each[:, None] for each in draws[:, :5].T)
    corner = np.arange(6)[None, :]
    angles = 6.28 * turn + np.pi / 3 * (corner + 0.45 * np.sin(corner * (3 + 9 * shape)))
    reach = (0.004 + 0.03 * large**3) * (0.70 + 0.30 * np.cos(corner * (2 + 5 * turn)))
    columns = x * canvas.shape[1] + np.cos(angles) * reach * canvas.density[1]
    rows = y * canvas.shape[0] + np.sin(angles) * reach * canvas.density[0] * (0.7 + 0.3 * turn)
    chips = np.asarray(np.round(np.stack([columns, rows], 2) * 2**SUBPIXEL), np.int32)
    for chip, ink in zip(chips, of_ink, strict=True):
        cv2.fillPoly(base, [chip], [float(each) for each in inks[ink]], cv2.LINE_AA, SUBPIXEL)
    return base
