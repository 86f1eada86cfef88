"""Painters of materials made of pieces: wooden planks, glazed tiles, brick."""

from __future__ import annotations

import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, blend, dye, parse_colour
from nb_catalog.imaging.scenery.noise import Plane, fractal, lattice, smoothstep, stream

PLANK = 0.46
TILE = 0.30
BRICK = (0.11, 0.34)


def oak(canvas: Canvas) -> Pixels:
    """Oiled oak planks: straight grain with cathedrals, open pores, a shadow in each joint."""
    return _planks(canvas, rings=2.6, swing=1.0, pores=1.0)


def walnut(canvas: Canvas) -> Pixels:
    """Walnut planks: wider, wavier figure and fewer pores."""
    return _planks(canvas, rings=1.8, swing=1.7, pores=0.6)


def _planks(canvas: Canvas, *, rings: float, swing: float, pores: float) -> Pixels:
    value = np.empty(canvas.shape, np.float32)
    offset = stream(canvas.seed, "planks").random() * PLANK
    for index in range(int((canvas.reach[0] + offset) / PLANK) + 1):
        start = round((index * PLANK - offset) * canvas.density[0])
        stop = round(((index + 1) * PLANK - offset) * canvas.density[0])
        rows = slice(max(0, start), min(canvas.shape[0], stop))
        if rows.stop > rows.start:
            strip = (rows.stop - rows.start, canvas.shape[1])
            value[rows] = _plank(canvas, index, shape=strip, rings=rings, swing=swing, pores=pores)
    y, _ = canvas.coordinates()
    gap = np.abs((y + offset + PLANK / 2) % PLANK - PLANK / 2)
    value -= 0.42 * np.exp(-np.square(gap / 0.0035)) + 0.06 * np.exp(-gap / 0.012)
    return dye(value, tone=canvas.material.tone, accent=canvas.material.accent)


def _plank(
    canvas: Canvas, index: int, *, shape: tuple[int, int], rings: float, swing: float, pores: float
) -> Plane:
    length = canvas.reach[1]

    def noise(name: str, rows: float, columns: float, octaves: int, gain: float) -> Plane:
        cells = (rows, max(2.0, columns * length))
        return fractal(
            canvas.seed, name, index, shape=shape, cells=cells, octaves=octaves, gain=gain
        )

    across = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    draw = stream(canvas.seed, "plank", index).random(4)
    bend = noise("bend", 2, 0.55, 2, 0.45) * swing
    wobble = noise("wobble", 9, 2.5, 3, 0.6)
    years = across * rings * (0.7 + 0.8 * draw[0]) + 0.42 * bend + 0.035 * wobble + draw[1]
    phase = (years * 4.0) % 1.0
    late = np.where(phase < 0.82, phase / 0.82, (1 - phase) / 0.18) ** 2
    fibre = noise("fibre", 70, 2.2, 3, 0.75)
    open_pores = smoothstep(noise("pores", 110, 9, 2, 0.7), start=0.9, stop=2.2)
    cloud = noise("cloud", 2, 1.2, 3, 0.5)
    value = 0.54 - 0.085 * late + 0.036 * fibre + 0.02 * cloud
    value -= 0.13 * pores * open_pores * (0.35 + late)
    return np.asarray(value + 0.11 * (draw[2] - 0.5), np.float32)


def tiles(canvas: Canvas) -> Pixels:
    """Hand-made glazed tiles: each a little different in colour and tilt, pale grout."""
    y, x = canvas.coordinates()
    rows, columns = (int(each / TILE) + 2 for each in canvas.reach)
    own = lattice(stream(canvas.seed, "tiles"), cells=(rows * 3, columns))
    row, column = (y / TILE).astype(int), (x / TILE).astype(int)
    inside_y, inside_x = y / TILE % 1 - 0.5, x / TILE % 1 - 0.5
    tilt = own[row + rows, column] * inside_y + own[row + 2 * rows, column] * inside_x
    wave = canvas.noise("glaze", rows=5, octaves=3, gain=0.4)
    value = 0.5 + 0.05 * own[row, column] + 0.07 * tilt + 0.012 * wave
    edge = np.maximum(np.abs(inside_y), np.abs(inside_x)) + 0.004 * wave
    value += 0.10 * canvas.relief((0.012 * wave).astype(np.float32), depth=0.35)
    value -= 0.16 * smoothstep(edge, start=0.455, stop=0.485)
    glazed = dye(value.astype(np.float32), tone=canvas.material.tone)
    grout = parse_colour(canvas.material.accent or "#d8d3ca") + 5 * canvas.grain("grout")[..., None]
    return blend(glazed, grout, amount=smoothstep(edge, start=0.482, stop=0.490))


def brick(canvas: Canvas) -> Pixels:
    """Painted or bare brick in running bond."""
    tall, long = BRICK
    y, x = canvas.coordinates()
    row = (y / tall).astype(int)
    shifted = x / long + 0.5 * (row % 2)
    own = lattice(
        stream(canvas.seed, "bricks"),
        cells=(int(canvas.reach[0] / tall) + 2, int(canvas.reach[1] / long) + 3),
    )
    rough = canvas.noise("rough", rows=12, octaves=6, gain=0.7)
    from_y = (0.5 - np.abs(y / tall % 1 - 0.5)) * tall
    from_x = (0.5 - np.abs(shifted % 1 - 0.5)) * long
    inside = np.minimum(from_y, from_x) + 0.0012 * rough
    face = smoothstep(inside, start=0.004, stop=0.011)
    height = (0.010 * face + 0.0018 * rough).astype(np.float32)
    value = 0.48 + 0.07 * own[row, shifted.astype(int)] * face + 0.03 * rough - 0.07 * (1 - face)
    value += 0.22 * canvas.relief(height, depth=0.8)
    return dye(value.astype(np.float32), tone=canvas.material.tone)
