"""Ground and backdrop stuff: moss, sand, paper, and walls that only hold light."""

from __future__ import annotations

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, colour, dyed, mixed
from nb_catalog.imaging.scenery.noise import blurred, smoothstep, stream

SUBPIXEL = 4


def paper(canvas: Canvas) -> Pixels:
    """Seamless background paper: almost nothing, but not nothing."""
    cloud = canvas.noise("cloud", rows=1.5, octaves=3)
    fibre = canvas.noise("fibre", rows=90, octaves=3, gain=0.8)
    value = 0.5 + 0.006 * cloud + 0.007 * fibre
    return dyed(value.astype(np.float32), tone=canvas.material.tone)


def sand(canvas: Canvas) -> Pixels:
    """Raked sand: soft ripples and grains."""
    y, _ = canvas.lines()
    drift = canvas.noise("drift", rows=0.9, columns=0.5, octaves=3, gain=0.45)
    wave = np.sin(2 * np.pi * (6.5 * y + 0.9 * drift)).astype(np.float32)
    ripple = 0.011 * (wave + 0.25 * wave * wave) * smoothstep(drift, start=-2.0, stop=0.5)
    grains = canvas.noise("grains", rows=120, octaves=3, gain=0.95)
    value = 0.5 + 0.045 * grains + 0.02 * drift
    value += 0.2 * canvas.relief((ripple + 0.0002 * grains).astype(np.float32), depth=1.0)
    return dyed(value.astype(np.float32), tone=canvas.material.tone)


def moss(canvas: Canvas) -> Pixels:
    """Cushion moss: round clumps made of thousands of small leaves."""
    clumps = canvas.noise("clumps", rows=4.5, octaves=3, gain=0.55)
    rough = canvas.noise("rough", rows=26, octaves=5, gain=0.85)
    leaves = _strokes(canvas, each_unit=5200)
    round_tops = 0.05 * np.sqrt(np.maximum(clumps + 1.6, 0.02))
    height = (round_tops + 0.0028 * rough).astype(np.float32)
    lit = canvas.relief(height, depth=1.0)
    hollow = smoothstep(clumps, start=-1.7, stop=0.2)
    value = 0.20 + 0.18 * hollow + 0.17 * lit + 0.055 * rough + 0.16 * leaves * (0.3 + hollow)
    greens = dyed(value.astype(np.float32), tone=canvas.material.tone)
    dry = smoothstep(canvas.noise("dry", rows=1.3, octaves=4), start=0.3, stop=1.8)
    return mixed(greens, colour(canvas.material.accent or "#9a8a3c"), amount=0.22 * dry)


def _strokes(
    canvas: Canvas, *, each_unit: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    plane = np.zeros(canvas.shape, np.uint8)
    draws = canvas.scattered("leaves", each_unit=each_unit)
    angle, reach = draws[:, 2] * 2 * np.pi, 0.004 + 0.010 * draws[:, 3]
    one = 2**SUBPIXEL
    x0, y0 = draws[:, 0] * canvas.shape[1], draws[:, 1] * canvas.shape[0]
    x1 = x0 + np.cos(angle) * reach * canvas.density[1]
    y1 = y0 + np.sin(angle) * reach * canvas.density[0]
    ends = np.round(np.stack([x0, y0, x1, y1], 1) * one).astype(np.int32)
    thick = max(1, round(canvas.density[1] * 0.0022))
    for (ax, ay, bx, by), bright in zip(ends.tolist(), draws[:, 4].tolist(), strict=True):
        cv2.line(plane, (ax, ay), (bx, by), 70 + 185 * bright, thick, cv2.LINE_AA, SUBPIXEL)
    return plane.astype(np.float32) * np.float32(1 / 255)


def dark(canvas: Canvas) -> Pixels:
    """A wall that the light hardly reaches."""
    cloud = canvas.noise("cloud", rows=0.6, octaves=4)
    return dyed((0.5 + 0.03 * cloud).astype(np.float32), tone=canvas.material.tone)


def foliage(canvas: Canvas) -> Pixels:
    """A garden far behind: leaves in three depths, for a blurred wall."""
    near = canvas.noise("near", rows=4, octaves=4, gain=0.7)
    far = canvas.noise("far", rows=1.1, octaves=3, gain=0.6)
    glints = smoothstep(canvas.noise("glints", rows=6, octaves=2), start=1.3, stop=2.0)
    value = 0.42 + 0.13 * far + 0.10 * near
    greens = dyed(value.astype(np.float32), tone=canvas.material.tone)
    pale = colour(canvas.material.accent or "#e9e6b5")
    return mixed(greens, pale, amount=(0.55 * blurred(glints, sigma=1)).astype(np.float32))


def panel(canvas: Canvas) -> Pixels:
    """Painted wall with raised mouldings, as in an old flat."""
    y, x = canvas.lines()
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
    return dyed(value.astype(np.float32), tone=canvas.material.tone)
