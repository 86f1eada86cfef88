"""Painters of soft grounds and plain walls: paper, sand, moss, foliage, panelling."""

from __future__ import annotations

import math

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, blend, dye, parse_colour
from nb_catalog.imaging.scenery.noise import Plane, blur, resize, smoothstep, stream

SUBPIXEL = 4
SHADES = 8


def paper(canvas: Canvas) -> Pixels:
    """Seamless background paper with a barely visible texture."""
    cloud = canvas.noise("cloud", rows=1.5, octaves=3)
    fibre = canvas.noise("fibre", rows=90, octaves=3, gain=0.8)
    value = 0.5 + 0.006 * cloud + 0.005 * fibre
    return dye(value.astype(np.float32), tone=canvas.material.tone)


def plain(canvas: Canvas) -> Pixels:
    """One flat colour: a painted board, or a backdrop that must have exactly this colour."""
    tone = np.round(parse_colour(canvas.material.tone)).astype(np.uint8)
    return np.broadcast_to(tone, (*canvas.shape, 3)).copy()


def sand(canvas: Canvas) -> Pixels:
    """Dry sand: patches of soft ripples that branch, shallow hollows, and grains."""
    y, x = canvas.coordinates()
    drift = canvas.noise("drift", rows=1.3, columns=1.1, octaves=4, gain=0.5)
    hollows = canvas.noise("hollows", rows=3.2, columns=2.4, octaves=4, gain=0.55)
    where = canvas.noise("where", rows=0.8, columns=0.8, octaves=3, gain=0.5)
    wave = np.sin(2 * np.pi * (3.0 * y + 0.7 * x + 0.8 * drift)).astype(np.float32)
    ripple = 0.013 * (wave + 0.25 * wave * wave) * smoothstep(where, start=-0.6, stop=1.4)
    grains = canvas.noise("grains", rows=130, octaves=3, gain=0.95)
    specks = smoothstep(canvas.grain("specks", cells=330), start=0.5, stop=0.95)
    value = 0.5 + 0.05 * grains + 0.02 * drift - 0.05 * specks
    height = (ripple + 0.011 * hollows + 0.0003 * grains).astype(np.float32)
    value += 0.2 * canvas.relief(height, depth=1.0)
    return dye(value.astype(np.float32), tone=canvas.material.tone)


def moss(canvas: Canvas) -> Pixels:
    """Cushion moss: round clumps made of thousands of small leaves."""
    domes = _domes(canvas)
    rough = canvas.noise("rough", rows=30, octaves=4, gain=0.8)
    # More leaves than pixels would only cost time in a thumbnail.
    each_unit = min(4800.0, 0.15 * canvas.density[0] * canvas.density[1])
    draws = canvas.scatter("leaves", each_unit=each_unit)
    angle, reach = draws[:, 2] * 2 * np.pi, 0.006 + 0.014 * draws[:, 3]
    x0, y0 = draws[:, 0] * canvas.shape[1], draws[:, 1] * canvas.shape[0]
    x1 = x0 + np.cos(angle) * reach * canvas.density[1]
    y1 = y0 + np.sin(angle) * reach * canvas.density[0]
    ends = np.round(np.stack([x0, y0, x1, y1], 1) * 2**SUBPIXEL).astype(np.int32)
    ends = ends.reshape(-1, 2, 1, 2)
    thick = max(1, round(canvas.density[1] * 0.0026))
    strokes = np.zeros(canvas.shape, np.uint8)
    # One call for each of a few shades: a call for each leaf takes three times as long.
    shade = (draws[:, 4] ** 2 * SHADES).astype(int)
    for step in range(SHADES):
        ink = 25 + 230 * (step + 0.5) / SHADES
        cv2.polylines(strokes, list(ends[shade == step]), False, ink, thick, cv2.LINE_AA, SUBPIXEL)
    leaves = strokes.astype(np.float32) * np.float32(1 / 255)
    height = (0.14 * domes + 0.0022 * rough).astype(np.float32)
    lit = canvas.relief(height, depth=1.0)
    hollow = smoothstep(domes, start=0.0, stop=0.7)
    value = 0.07 + 0.22 * hollow + 0.26 * lit + 0.03 * rough + 0.22 * leaves * (0.2 + hollow)
    greens = dye(value.astype(np.float32), tone=canvas.material.tone)
    dry = smoothstep(canvas.noise("dry", rows=1.3, octaves=4), start=0.3, stop=1.8)
    return blend(greens, parse_colour(canvas.material.accent or "#9a8a3c"), amount=0.22 * dry)


def _domes(canvas: Canvas) -> Plane:
    """Return cushions of two sizes, 0 in the gaps to 1 on top.

    They are smooth, so they are drawn at low resolution.
    """
    per_unit = 96
    shape = (
        max(16, math.ceil(canvas.reach[0] * per_unit)),
        max(16, math.ceil(canvas.reach[1] * per_unit)),
    )
    total = np.zeros(shape, np.float32)
    for name, each_unit, share in (("large", 16, 0.75), ("small", 110, 0.4)):
        empty = np.full(shape, 255, np.uint8)
        at = canvas.scatter(name, each_unit=each_unit)[:, :2]
        empty[(at[:, 1] * shape[0]).astype(int), (at[:, 0] * shape[1]).astype(int)] = 0
        away = cv2.distanceTransform(empty, cv2.DIST_L2, 5)
        radius = 0.82 * per_unit / math.sqrt(each_unit)
        total += np.float32(share) * np.sqrt(np.maximum(1 - np.square(away / radius), 0))
    return resize(blur(total.astype(np.float32), sigma=0.9), shape=canvas.shape)


def dark(canvas: Canvas) -> Pixels:
    """A wall that little light reaches."""
    cloud = canvas.noise("cloud", rows=0.6, octaves=4)
    return dye((0.5 + 0.03 * cloud).astype(np.float32), tone=canvas.material.tone)


def foliage(canvas: Canvas) -> Pixels:
    """A garden far behind: hundreds of leaves from dark to sunlit, meant to be blurred."""
    far = canvas.noise("far", rows=1.3, octaves=4, gain=0.6)
    plane = np.clip(96 + 26 * far, 0, 255).astype(np.uint8)
    one = 2**SUBPIXEL
    for x, y, large, turn, bright, lean in canvas.scatter("leaves", each_unit=150):
        reach = (0.04 + 0.09 * large * large) * one
        axes = (
            round(reach * canvas.density[1]),
            round(reach * canvas.density[0] * (0.3 + 0.4 * lean)),
        )
        at = (round(x * canvas.shape[1] * one), round(y * canvas.shape[0] * one))
        cv2.ellipse(plane, at, axes, turn * 180, 0, 360, 40 + 170 * bright**1.6, -1, 0, SUBPIXEL)
    value = blur(plane.astype(np.float32) / 255, sigma=0.02 * canvas.density[0])
    greens = dye(value, tone=canvas.material.tone)
    glints = smoothstep(value, start=0.56, stop=0.8)
    return blend(greens, parse_colour(canvas.material.accent or "#eef0c4"), amount=0.6 * glints)


def panel(canvas: Canvas) -> Pixels:
    """A painted wall with raised mouldings, as in an old apartment."""
    y, x = canvas.coordinates()
    wide = 1.15
    shift = stream(canvas.seed, "panel").random() * wide
    from_x = np.abs((x + shift) % wide - wide / 2)
    inset = np.maximum(
        from_x - (wide / 2 - 0.14), np.abs(y - canvas.reach[0] / 2) - (canvas.reach[0] / 2 - 0.2)
    )
    moulding = np.exp(-np.square(inset / 0.016)) + 0.6 * np.exp(-np.square((inset + 0.035) / 0.008))
    skin = canvas.noise("skin", rows=50, octaves=3, gain=0.7)
    height = (0.018 * moulding + 0.0002 * skin).astype(np.float32)
    value = 0.5 + 0.2 * canvas.relief(height, depth=0.7) + 0.004 * skin
    return dye(value.astype(np.float32), tone=canvas.material.tone)
