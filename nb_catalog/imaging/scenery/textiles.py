"""Painters of cloth with folds: woven linen and velvet."""

from __future__ import annotations

import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, dye
from nb_catalog.imaging.scenery.noise import Plane, smoothstep

THREADS = 150
"""Threads per unit: coarser than in reality, so that the weave is still visible at 1K."""


def linen(canvas: Canvas) -> Pixels:
    """Plain weave with slubs and a few soft creases."""
    y, x = canvas.coordinates()
    thick_x = canvas.noise("slub x", rows=9, columns=THREADS, octaves=2, gain=0.6)
    thick_y = canvas.noise("slub y", rows=THREADS, columns=9, octaves=2, gain=0.6)
    weave = np.sin(np.pi * THREADS * y + 0.5 * thick_y) * np.sin(
        np.pi * THREADS * x + 0.5 * thick_x
    )
    folds = canvas.directional_noise("folds", angle=28, along=0.5, across=1.7, octaves=3, gain=0.42)
    drape = canvas.relief((0.085 * folds).astype(np.float32), depth=1.0)
    cloud = canvas.noise("cloud", rows=1.2, octaves=3)
    value = 0.5 + 0.030 * weave + 0.016 * (thick_x + thick_y) + 0.15 * drape + 0.012 * cloud
    return dye(value.astype(np.float32), tone=canvas.material.tone)


def velvet(canvas: Canvas) -> Pixels:
    """Pile cloth in folds: dark in the hollows, a silky sheen where the pile leans."""
    folds = canvas.directional_noise(
        "folds", angle=-34, along=0.55, across=2.6, octaves=2, gain=0.4
    )
    return _pile(canvas, folds)


def drape(canvas: Canvas) -> Pixels:
    """A velvet curtain: the same cloth hanging in upright folds."""
    folds = canvas.directional_noise(
        "folds", angle=88, along=0.16, across=3.4, octaves=2, gain=0.35
    )
    return _pile(canvas, folds * np.float32(0.45))


def _pile(canvas: Canvas, folds: Plane) -> Pixels:
    lean = canvas.relief((0.30 * folds).astype(np.float32), depth=1.0)
    brushed = smoothstep(
        canvas.noise("brushed", rows=2.2, octaves=4, gain=0.6), start=-0.3, stop=0.6
    )
    nap = canvas.noise("nap", rows=150, octaves=3, gain=0.9)
    sheen = np.square(np.maximum(lean, 0)) * 0.75 + 0.1 * np.maximum(-lean, 0)
    value = 0.36 + 0.20 * lean + 0.60 * sheen + 0.045 * brushed + 0.022 * nap
    return dye(value.astype(np.float32), tone=canvas.material.tone)
