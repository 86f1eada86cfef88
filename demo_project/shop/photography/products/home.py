"""Home products: lamp, candle, plant."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, smooth
from demo_project.shop.photography.products.kitchen import band
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, ball, lathe, sheet, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, noise


def lamp() -> Subject:
    brass = Material(colour="#c99a4b", rough=0.24, metal=True)
    enamel = Material(colour="#20443f", rough=0.28)
    inside = Material(colour="#fff3dc", rough=0.6, glow=0.75)
    base = lathe(
        fillet(
            [(0, 0), (0.5, 0, 0.03), (0.5, 0.07, 0.04), (0.06, 0.1, 0.05), (0.055, 0.2)], step=0.015
        ),
        enamel,
    )
    stem = tube(
        smooth(
            [
                (0, 0.12, 0),
                (0, 0.9, 0),
                (0.02, 1.55, 0),
                (0.12, 1.93, 0),
                (0.36, 2.0, 0),
                (0.56, 1.92, 0),
            ],
            count=110,
        ),
        0.032,
        brass,
    )
    shade = fillet(
        [(0.0, 0.5), (0.07, 0.5, 0.03), (0.1, 0.42, 0.03), (0.46, 0.0, 0.015)], step=0.015
    )[::-1]
    lining = fillet([(0.0, 0.44), (0.08, 0.4, 0.03), (0.45, 0.005)], step=0.015)
    knob = lathe(fillet([(0.06, 0.48), (0.075, 0.56, 0.02), (0, 0.6)], step=0.01), brass)
    bulb = ball(0.12, Material(colour="#fff6e2", rough=0.3, glow=1.4)).moved(y=0.16)
    head = [lathe(shade, enamel), lathe(lining, inside), knob, bulb]
    head = [part.turned(about="z", degrees=22).moved(0.62, 1.4, 0) for part in head]
    switch = lathe(fillet([(0.03, 0.0), (0.03, 0.03, 0.01), (0, 0.035)], step=0.01), brass).moved(
        -0.24, 0.08, 0.2
    )
    return Subject(
        parts=(base, stem, switch, *head),
        camera=Camera(yaw=-30, pitch=5, fill=0.84),
        background="#f3f3f1",
    )


def candle() -> Subject:
    stone = Material(
        colour="#3a3836",
        rough=0.7,
        tint=noise(8, cell=4),
        tiles=(4, 2),
        bump=noise(6, cell=3),
        bump_depth=0.12,
    )
    wax = Material(colour="#f3e6cb", rough=0.5, glow=0.06)
    cotton = Material(colour="#3b332b", rough=0.9)
    cup = fillet(
        [
            (0, 0),
            (0.44, 0, 0.06),
            (0.46, 0.06, 0.05),
            (0.48, 0.92, 0.02),
            (0.445, 0.92, 0.02),
            (0.43, 0.6),
        ],
        step=0.014,
    )
    top = fillet([(0.44, 0.765), (0.42, 0.755, 0.02), (0.12, 0.735, 0.1), (0, 0.75)], step=0.012)
    wick = tube(smooth([(0, 0.73, 0), (0.01, 0.83, 0), (0.03, 0.9, 0.0)], count=30), 0.014, cotton)
    art = Label(900, 620, background="#ece3d3").frame((30, 30, 870, 590), ink="#3a3836", width=3)
    art.text("FIG & CEDAR", (450, 240), size=92, ink="#2e2b28", spacing=0.1)
    art.line([(400, 318), (500, 318)], ink="#2e2b28", width=3)
    art.text("scented candle, 45 hours", (450, 385), size=42, ink="#4b453e", spacing=0.04)
    art.text("HALDEN & MOOR", (450, 500), size=34, ink="#4b453e", spacing=0.2)
    paper = Material(colour="#ece3d3", rough=0.8, print=art.texture())
    return Subject(
        parts=(lathe(cup, stone), lathe(top, wax), wick, band(0.4755, 0.26, 0.66, 78, paper)),
        camera=Camera(yaw=-6, pitch=8, fill=0.74),
        background="#f3f2ef",
    )


def plant() -> Subject:
    clay = Material(
        colour="#b5694a",
        rough=0.85,
        tint=0.85 + 0.25 * noise(14, cell=16),
        tiles=(2, 1),
        bump=noise(15, cell=2, octaves=2),
        bump_depth=0.08,
    )
    soil = Material(
        colour="#3b2a20",
        rough=1.0,
        tint=0.5 + noise(16, cell=4),
        tiles=(3, 2),
        bump=noise(17, cell=4),
        bump_depth=0.8,
    )
    pot = fillet(
        [
            (0, 0.06),
            (0.34, 0.05, 0.03),
            (0.45, 0.62, 0.02),
            (0.48, 0.63, 0.01),
            (0.5, 0.82, 0.02),
            (0.455, 0.82, 0.02),
            (0.43, 0.6),
        ],
        step=0.014,
    )
    saucer = fillet(
        [
            (0, 0),
            (0.4, 0, 0.03),
            (0.46, 0.09, 0.02),
            (0.43, 0.09, 0.02),
            (0.38, 0.045, 0.02),
            (0, 0.05),
        ],
        step=0.014,
    )
    earth = fillet([(0.45, 0.74), (0.2, 0.765, 0.1), (0, 0.77)], step=0.012)
    return Subject(
        parts=(lathe(pot, clay), lathe(saucer, clay), lathe(earth, soil), *_leaves()),
        camera=Camera(yaw=0, pitch=12, fill=0.86),
        background="#f1f2f0",
    )


def _leaves() -> list[Part]:
    random = np.random.default_rng(11)
    blade = _leaf_print().texture()
    table = [
        (0.0, 0.02, 1.55, 0.0),
        (52, 0.16, 1.2, 0.12),
        (125, 0.2, 1.0, 0.16),
        (200, 0.17, 1.28, 0.11),
        (262, 0.2, 0.92, 0.2),
        (318, 0.16, 1.4, 0.07),
        (20, 0.25, 0.7, 0.26),
        (160, 0.26, 0.62, 0.3),
        (290, 0.1, 1.05, 0.1),
    ]
    parts = []
    for degrees, away, tall, lean in table:
        t = np.linspace(0, 1, 70)[:, None]
        s = np.linspace(-1, 1, 17)[None, :]
        half = 0.115 * np.sin(np.pi * np.clip(0.2 + 0.8 * t, 0, 1)) ** 0.75 * (1 - t**5) + 0.002
        x = s * half
        y = 0.74 + tall * t + 0 * s
        z = away + lean * t**1.8 + 0.5 * half * (s**2)
        twist = np.radians(random.uniform(-40, 40)) * t + np.radians(random.uniform(-25, 25))
        xr, zr = x * np.cos(twist), z + x * np.sin(twist)
        points = np.stack([xr, y, zr + 0 * s], -1)
        leaf = Material(colour="#3d6b45", rough=0.38, print=blade, print_rough=0.38)
        parts.append(sheet(points, leaf).turned(about="y", degrees=degrees))
    return parts


def _leaf_print() -> Label:
    """Grey-green bands and a yellow rim, as on a snake plant."""
    art = Label(220, 900, background="#3f6f49")
    random = np.random.default_rng(3)
    for y in range(0, 900, 22):
        shift = random.integers(-9, 9, 12)
        knots = [(x * 20, y + int(shift[x % 12])) for x in range(12)]
        art.line(
            knots, ink="#88a983" if (y // 22) % 2 else "#2c5538", width=int(random.integers(4, 12))
        )
    art.block((0, 0, 17, 900), ink="#c9c06a").block((203, 0, 220, 900), ink="#c9c06a")
    return art
