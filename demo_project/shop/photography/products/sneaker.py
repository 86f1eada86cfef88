"""The sneaker: a sole, an upper over a last, and laces."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, smooth, superellipse
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Grid, Part, extrude, sheet, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, leather, noise, weave

HEEL, TOE = -1.4, 1.46
LENGTHS = [-1.4, -1.36, -1.2, -0.8, -0.2, 0.4, 0.85, 1.15, 1.36, 1.44, 1.46]
HALF_WIDTHS = [0.0, 0.17, 0.36, 0.42, 0.38, 0.46, 0.52, 0.45, 0.27, 0.12, 0.0]
RIDGE = [0.96, 1.03, 1.02, 0.96, 0.97, 0.77, 0.61, 0.53, 0.45, 0.38, 0.32]


def sneaker() -> Subject:
    rubber = Material(
        colour="#efe9dc", rough=0.6, tint=0.94 + 0.08 * noise(61, cell=16), tiles=(6, 1)
    )
    line = Material(colour="#2f5d50", rough=0.55)
    lace = Material(
        colour="#f2eee4", rough=0.9, sheen=0.1, bump=weave(24), bump_depth=0.4, tiles=(1, 4)
    )
    outline = _sole_outline()
    sole = extrude(
        outline,
        fillet([(0.06, 0), (0.0, 0.05, 0.04), (0.0, 0.24, 0.03), (0.035, 0.285)], step=0.015),
        rubber,
    )
    foxing = extrude(outline, np.array([(-0.006, 0.185), (-0.006, 0.215)]), line)
    return Subject(
        parts=(sole.bent(_sprung), foxing.bent(_sprung), _upper(), _tongue(), *_laces(lace)),
        camera=Camera(yaw=-4, pitch=5, fill=0.88),
        background="#f1f1f0",
    )


def _sole_outline() -> Grid:
    x = HEEL - 0.05 + (TOE - HEEL + 0.1) * (1 - np.cos(np.linspace(0, np.pi, 70))) / 2
    half = (
        np.interp(
            np.clip((x + 0.05) / (TOE - HEEL + 0.1) * (TOE - HEEL) - 0.05, HEEL, TOE),
            *_smooth_widths(),
        )
        + 0.05
    )
    half *= np.sqrt(np.clip(1 - ((x - 0.03) / 1.51) ** 10, 0, 1))
    lower = np.stack([x, -half], 1)
    upper = np.stack([x, half], 1)[::-1]
    return np.concatenate([lower, upper[1:-1], lower[:1]])


def _smooth_widths() -> tuple[Grid, Grid]:
    curve = smooth(list(zip(LENGTHS, HALF_WIDTHS, strict=True)), count=200)
    return curve[:, 0], curve[:, 1]


def _sprung(points: Grid) -> Grid:
    points[..., 1] += 0.07 * np.clip((points[..., 0] - 0.55) / 0.9, 0, 1) ** 2
    points[..., 1] += 0.01 * np.clip((-points[..., 0] - 0.9) / 0.5, 0, 1) ** 2
    return points


def _arch(x: Grid, s: Grid) -> Grid:
    """The upper's surface: ``x`` along the foot, ``s`` from one side (-1) over the ridge to the other."""
    half = np.interp(x, *_smooth_widths())
    curve = smooth(list(zip(LENGTHS, RIDGE, strict=True)), count=200)
    ridge = np.interp(x, curve[:, 0], curve[:, 1])
    turn = s * np.pi / 2
    boxy = np.interp(x, [-1.4, 0.2, 1.3], [1.0, 0.85, 0.75])
    z = half * np.sign(turn) * abs(np.sin(turn)) ** boxy
    lean = 1 - 0.18 * np.clip((-x - 0.2) / 0.8, 0, 1) * (1 - abs(s)) ** 0.5
    y = 0.25 + (ridge - 0.25) * np.cos(turn) ** np.interp(x, [-1.4, -0.3, 0.6], [0.42, 0.6, 0.8])
    return np.stack([x, y, z * lean], -1)


def _opening(x: Grid) -> Grid:
    """Half-width, in ``s``, of the hole for the foot."""
    return 0.56 * np.sqrt(np.clip(1 - ((x + 0.83) / 0.53) ** 2, 0, 1))


def _rim_place(x: Grid) -> Grid:
    return np.maximum(_opening(x), 0.25)


def _across(x: Grid, column: Grid) -> Grid:
    """``s`` of a grid column: the collar's edge runs along one column, or it would look sawn."""
    rim = _rim_place(x)
    inner, outer = abs(column) / 0.5 * rim, rim + (abs(column) - 0.5) / 0.5 * (1 - rim)
    return np.sign(column) * np.where(abs(column) < 0.5, inner, outer)


def _column(x: Grid, s: Grid) -> Grid:
    """The other way round."""
    rim = _rim_place(x)
    return np.sign(s) * np.where(
        abs(s) < rim, abs(s) / rim * 0.5, 0.5 + (abs(s) - rim) / (1 - rim) * 0.5
    )


def _upper() -> Part:
    t = np.linspace(0, 1, 190)
    rows = HEEL + (TOE - HEEL) * (0.35 * (1 - np.cos(np.pi * t)) / 2 + 0.65 * t)
    x, column = np.meshgrid(rows, np.linspace(-1, 1, 241), indexing="ij")
    s = _across(x, column)
    points = _arch(x, s)
    hole = _opening(x)
    inside = np.clip(1 - abs(s) / np.maximum(hole, 1e-6), 0, 1) * (hole > 0.02)
    points[..., 1] -= 0.75 * (1 - np.exp(-inside * 9)) * np.clip(hole / 0.3, 0, 1)
    collar = np.exp(-(((abs(s) - hole - 0.05) / 0.06) ** 2)) * (hole > 0.05)
    points[..., 1] += 0.02 * collar
    points[..., 2] *= 1 + 0.05 * collar
    skin = Material(
        colour="#dfdbd1",
        rough=0.5,
        sheen=0.06,
        bump=leather(),
        bump_depth=0.1,
        tiles=(12, 12),
        print=_upper_print(rows).texture(),
        print_rough=0.6,
    )
    return Part(points=points, material=skin).bent(_sprung)


def _upper_print(rows: Grid) -> Label:
    """Colour fields and seams, drawn over the unrolled upper: across is ``s``, up is the toe."""
    art = Label(1600, 1900)

    def at(x: float, s: float) -> tuple[float, float]:
        row = np.interp(x, rows, np.arange(len(rows))) / (len(rows) - 1)
        return (float(_column(np.array(x), np.array(s))) + 1) * 800, (1 - row) * 1900

    green, seam = "#2f5d50", "#c9c2b2"
    art.shape(
        [
            at(x, s)
            for x, s in (
                (-1.4, -1),
                (-1.4, 1),
                (-1.08, 1),
                (-1.2, 0.62),
                (-1.3, 0.0),
                (-1.2, -0.62),
                (-1.08, -1),
            )
        ],
        ink=green,
    )
    holes = np.linspace(-1.355, -0.305, 70)
    half = _opening(holes) + 0.015
    ring = [at(x, h) for x, h in zip(holes, half, strict=True)] + [
        at(x, -h) for x, h in zip(holes[::-1], half[::-1], strict=True)
    ]
    art.shape(ring, ink="#cdb894")
    art.shape(
        [at(-0.32, 0.1), at(0.62, 0.07), at(0.66, 0.0), at(0.62, -0.07), at(-0.32, -0.1)],
        ink="#d9d3c6",
    )
    for side in (-1, 1):
        art.line(
            [
                at(x, s * side)
                for x, s in ((-0.42, 0.5), (-0.2, 0.36), (0.3, 0.3), (0.66, 0.24), (0.74, 0.0))
            ],
            ink=seam,
            width=4,
        )
        art.line(
            [at(x, s * side) for x, s in ((0.66, 1.0), (0.78, 0.6), (0.86, 0.3), (0.88, 0.0))],
            ink=seam,
            width=4,
        )
        art.line([at(x, s * side) for x, s in ((-1.04, 1.0), (-1.14, 0.64))], ink=seam, width=4)
        for x0 in (-0.42, -0.12):
            art.shape(
                [
                    at(x, s * side)
                    for x, s in (
                        (x0, 0.98),
                        (x0 + 0.14, 0.98),
                        (x0 + 0.42, 0.42),
                        (x0 + 0.28, 0.42),
                    )
                ],
                ink=green,
            )
        for x in np.linspace(-0.22, 0.52, 6):
            art.disc(at(float(x), 0.2 * side), 9, ink="#8d877b")
        for k in range(12):
            art.disc(at(1.0 + 0.07 * (k % 4), (0.1 + 0.11 * (k // 4)) * side), 4, ink="#bdb6a6")
    return art


def _tongue() -> Part:
    cloth = Material(
        colour="#efe9dc",
        rough=0.8,
        sheen=0.15,
        bump=weave(24),
        bump_depth=0.25,
        tiles=(5, 5),
        print=_tongue_print().texture(),
    )
    s, t = np.meshgrid(np.linspace(1, -1, 40), np.linspace(0, 1, 50))
    x = 0.1 - 0.62 * t
    y = np.interp(t, [0, 0.4, 1], [0.8, 0.97, 1.24]) - 0.09 * s**2
    z = (
        s
        * np.interp(t, [0, 0.7, 1], [0.13, 0.21, 0.19])
        * (1 - 0.3 * np.clip(t - 0.85, 0, 1) / 0.15 * s**4)
    )
    return sheet(np.stack([x - 0.05 * s**2, y, z], -1), cloth).bent(_sprung)


def _tongue_print() -> Label:
    art = Label(400, 620).block((110, 60, 290, 190), ink="#2f5d50")
    return art.text("MOOR", (200, 125), size=52, ink="#f2eee4", spacing=0.08)


def _laces(lace: Material) -> list[Part]:
    parts = []
    flat = superellipse(2.0, 1.0, 2.6, count=18)
    stations = np.linspace(-0.22, 0.52, 6)
    for i, x in enumerate(stations):
        s = np.linspace(-0.2, 0.2, 40)
        slant = 0.05 if i % 2 else -0.05
        path = _arch(np.full(40, x) + slant * s / 0.2, s)
        path[:, 1] += 0.045 * np.sqrt(np.clip(1 - (s / 0.21) ** 2, 0, 1)) + 0.004
        parts.append(tube(path, 0.034, lace, section=flat, up=(0.3, 1.0, 0.0)).bent(_sprung))
    top = _arch(np.array([-0.22]), np.array([0.0]))[0] + (0, 0.06, 0)
    for side in (-1, 1):
        loop = smooth(
            [
                top,
                top + (0.06, 0.07, 0.12 * side),
                top + (0.16, -0.01, 0.32 * side),
                top + (0.05, -0.11, 0.36 * side),
                top + (0.0, 0.0, 0.14 * side),
                top,
            ],
            count=60,
        )
        parts.append(tube(loop, 0.024, lace))
        end = smooth(
            [
                top,
                top + (0.14, 0.02, 0.1 * side),
                top + (0.3, -0.16, 0.28 * side),
                top + (0.36, -0.32, 0.36 * side),
            ],
            count=40,
        )
        parts.append(tube(end, 0.022, lace))
    return parts
