"""The roll-top backpack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, rounded_rectangle, smooth, superellipse
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Grid, Part, extrude, lathe, sheet, stand_up, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import leather, noise, weave


def backpack() -> Subject:
    canvas = Material(
        colour="#b58a3c",
        rough=0.85,
        sheen=0.14,
        bump=weave(32),
        bump_depth=0.35,
        tiles=(8, 8),
        tint=0.9 + 0.14 * noise(71, cell=32),
    )
    hide = Material(
        colour="#6b4126", rough=0.5, sheen=0.06, bump=leather(), bump_depth=0.25, tiles=(10, 4)
    )
    strap = Material(colour="#5c3820", rough=0.55, bump=leather(), bump_depth=0.2, tiles=(2, 12))
    web = Material(colour="#3b3a36", rough=0.9, bump=weave(16), bump_depth=0.4, tiles=(3, 30))
    brass = Material(colour="#c69a4e", rough=0.25, metal=True)
    rim = fillet(
        [
            (0.16, 0),
            (0.02, 0.08, 0.1),
            (0, 0.3, 0.1),
            (0.0, 0.5, 0.1),
            (0.05, 0.68, 0.1),
            (0.2, 0.76),
        ],
        step=0.02,
    )
    base_rim = fillet(
        [(0.16, 0), (0.02, 0.08, 0.1), (0, 0.3, 0.1), (0, 0.6), (0.0, 0.73, 0.08), (0.05, 0.775)],
        step=0.02,
    )
    body = (
        stand_up(extrude(rounded_rectangle(1.36, 1.8, 0.26), rim, canvas))
        .moved(z=-0.38)
        .bent(_filled)
        .grained(0.2)
    )
    base = (
        stand_up(extrude(rounded_rectangle(1.4, 0.54, 0.22), base_rim, hide))
        .scaled(1, 1, 1.06)
        .moved(y=-0.655, z=-0.4)
        .bent(_filled)
    )
    pocket_rim = fillet([(0, 0), (0, 0.12, 0.08), (0.07, 0.22, 0.06), (0.16, 0.235)], step=0.014)
    pocket = (
        stand_up(extrude(rounded_rectangle(0.98, 0.72, 0.16), pocket_rim, canvas))
        .moved(y=-0.2, z=0.33)
        .grained(0.2)
    )
    flap = (
        stand_up(
            extrude(
                rounded_rectangle(1.02, 0.3, 0.1),
                fillet([(0.0, 0), (0, 0.03, 0.02), (0.03, 0.05)], step=0.01),
                hide,
            )
        )
        .moved(y=0.08, z=0.545)
        .grained(0.35)
    )
    stud = lathe(
        fillet([(0.035, 0), (0.035, 0.02, 0.01), (0, 0.03)], step=0.006), brass, count=50
    ).turned(about="x", degrees=90)
    return Subject(
        parts=(
            body,
            base,
            pocket,
            flap,
            stud.moved(0, 0.0, 0.59),
            *_roll(canvas, hide),
            *_closures(strap, brass),
            *_carrying(web, strap),
        ),
        camera=Camera(yaw=-18, pitch=7, fill=0.86),
    )


def _filled(points: Grid) -> Grid:
    """A filled bag: fuller in the middle, softer at the top."""
    x, y = points[..., 0], points[..., 1]
    points[..., 2] += (
        0.09
        * np.cos(np.clip(x / 0.7, -1, 1) * np.pi / 2)
        * np.cos(np.clip((y + 0.2) / 1.2, -1, 1) * np.pi / 2)
        * (points[..., 2] > 0)
    )
    points[..., 0] *= 1 + 0.03 * np.sin((y + 0.9) * 1.7) + 0.012 * np.sin(y * 9 + 1)
    return points


def _roll(canvas: Material, hide: Material) -> list[Part]:
    """The rolled top across the bag: a spiral when seen from its ends."""
    turn = np.linspace(0, 2 * np.pi * 2.4, 220)
    size = 0.20 - 0.055 * turn / turn[-1]
    x = np.linspace(-0.66, 0.66, 60)
    wave = 0.012 * np.sin(x * 7)
    y = 0.98 + (size * np.cos(turn))[:, None] + wave
    z = 0.0 + (size * 1.15 * np.sin(turn))[:, None] + 0 * x
    roll = sheet(np.stack([np.repeat(x[None], 220, 0), y, z], -1), replace(canvas, tiles=(9, 14)))
    neck = (
        stand_up(
            extrude(
                rounded_rectangle(1.26, 0.4, 0.1),
                fillet([(0.06, 0), (0, 0.1, 0.05), (0, 0.4, 0.05), (0.08, 0.5)], step=0.02),
                canvas,
            )
        )
        .moved(y=0.8, z=-0.26)
        .grained(0.2)
    )
    return [roll, neck]


def _closures(strap: Material, brass: Material) -> list[Part]:
    parts = []
    for x in (-0.36, 0.36):
        path = smooth(
            [
                (x, 1.12, -0.16),
                (x, 1.2, 0.0),
                (x, 1.12, 0.2),
                (x, 0.94, 0.33),
                (x, 0.72, 0.43),
                (x, 0.4, 0.47),
                (x, 0.22, 0.485),
            ],
            count=90,
        )
        parts.append(
            tube(path, 0.02, strap, section=superellipse(5.6, 1.3, 4, count=40), up=(0.0, 0.3, 1.0))
        )
        frame = np.insert(rounded_rectangle(0.17, 0.13, 0.03), 2, 0.0, axis=1) + (x, 0.56, 0.47)
        parts.append(tube(frame, 0.016, brass, count=14, capped=False))
    return parts


def _carrying(web: Material, strap: Material) -> list[Part]:
    parts = []
    for side in (-1, 1):
        path = smooth(
            [
                (0.34 * side, 0.82, -0.36),
                (0.52 * side, 0.72, -0.62),
                (0.66 * side, 0.2, -0.74),
                (0.66 * side, -0.4, -0.62),
                (0.6 * side, -0.74, -0.38),
            ],
            count=80,
        )
        parts.append(
            tube(path, 0.035, web, section=superellipse(4.6, 1.5, 3, count=36), up=(0.0, 0.2, -1.0))
        )
    grip = smooth(
        [
            (-0.2, 0.98, -0.3),
            (-0.17, 1.2, -0.34),
            (0, 1.31, -0.36),
            (0.17, 1.2, -0.34),
            (0.2, 0.98, -0.3),
        ],
        count=60,
    )
    parts.append(tube(grip, 0.035, strap, section=superellipse(1.4, 2.4, 3, count=30)))
    return parts
