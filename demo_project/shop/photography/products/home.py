"""For the room: lamp, candle, cushion, plant pot, book."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import filleted, rounded_rectangle, smooth
from demo_project.shop.photography.products.kitchen import band
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, ball, extruded, lathe, sheet, standing, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, noise, pages, weave


def lamp() -> Subject:
    brass = Material(colour="#c99a4b", rough=0.24, metal=True)
    enamel = Material(colour="#20443f", rough=0.28)
    inside = Material(colour="#fff3dc", rough=0.6, glow=0.75)
    base = lathe(
        filleted(
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
    shade = filleted(
        [(0.0, 0.5), (0.07, 0.5, 0.03), (0.1, 0.42, 0.03), (0.46, 0.0, 0.015)], step=0.015
    )[::-1]
    lining = filleted([(0.0, 0.44), (0.08, 0.4, 0.03), (0.45, 0.005)], step=0.015)
    knob = lathe(filleted([(0.06, 0.48), (0.075, 0.56, 0.02), (0, 0.6)], step=0.01), brass)
    bulb = ball(0.12, Material(colour="#fff6e2", rough=0.3, glow=1.4)).moved(y=0.16)
    head = [lathe(shade, enamel), lathe(lining, inside), knob, bulb]
    head = [part.turned(about="z", degrees=22).moved(0.62, 1.4, 0) for part in head]
    switch = lathe(filleted([(0.03, 0.0), (0.03, 0.03, 0.01), (0, 0.035)], step=0.01), brass).moved(
        -0.24, 0.08, 0.2
    )
    return Subject(
        parts=(base, stem, switch, *head),
        camera=Camera(yaw=-30, pitch=5, fill=0.84),
        ground="#f3f3f1",
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
    cup = filleted(
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
    top = filleted([(0.44, 0.765), (0.42, 0.755, 0.02), (0.12, 0.735, 0.1), (0, 0.75)], step=0.012)
    wick = tube(smooth([(0, 0.73, 0), (0.01, 0.83, 0), (0.03, 0.9, 0.0)], count=30), 0.014, cotton)
    art = Label(900, 620, ground="#ece3d3").frame((30, 30, 870, 590), ink="#3a3836", width=3)
    art.text("FIG & CEDAR", (450, 240), size=92, ink="#2e2b28", spacing=0.1)
    art.line([(400, 318), (500, 318)], ink="#2e2b28", width=3)
    art.text("scented candle, 45 hours", (450, 385), size=42, ink="#4b453e", spacing=0.04)
    art.text("HALDEN & MOOR", (450, 500), size=34, ink="#4b453e", spacing=0.2)
    paper = Material(colour="#ece3d3", rough=0.8, print=art.texture())
    return Subject(
        parts=(lathe(cup, stone), lathe(top, wax), wick, band(0.4755, 0.26, 0.66, 78, paper)),
        camera=Camera(yaw=-6, pitch=8, fill=0.74),
        ground="#f3f2ef",
    )


def cushion() -> Subject:
    u = np.linspace(-1, 1, 150)
    x, y = np.meshgrid(u, u)
    full = np.sqrt(np.clip(1 - abs(x) ** 3.2, 0, 1) * np.clip(1 - abs(y) ** 3.2, 0, 1))
    pinch = 1 - 0.075 * (1 - abs(y) ** 2.2), 1 - 0.03 * (1 - abs(x) ** 2.2)
    wave = noise(12, size=150, cell=50) - 0.5
    crease = (
        0.045
        * np.exp(-(((abs(x) - abs(y)) / 0.14) ** 2))
        * np.clip(np.hypot(x, y) - 0.75, 0, 1)
        * np.cos(26 * np.hypot(x, y))
    )
    z = 0.46 * full + 0.06 * wave * full + crease * full**0.3
    front = np.stack([x * pinch[0], y * pinch[1], z], -1)
    linen = Material(
        colour="#3f6683",
        rough=0.9,
        reflect=0.02,
        sheen=0.22,
        bump=weave(24),
        bump_depth=0.55,
        tiles=(9, 9),
        tint=0.86 + 0.2 * noise(21, cell=32),
        print=_stripes().texture(),
        print_rough=0.9,
    )
    back = Material(colour="#3f6683", rough=0.9, sheen=0.2)
    ring = np.concatenate([front[0, :-1], front[:-1, -1], front[-1, :0:-1], front[::-1, 0]])
    piping = tube(
        ring, 0.022, Material(colour="#e6dcc6", rough=0.85, sheen=0.2), count=14, capped=False
    )
    rear = sheet(front * (1, 1, -1), back)
    return Subject(
        parts=(Part(points=front, material=linen, two_sided=True), rear, piping),
        camera=Camera(yaw=-6, pitch=3, fill=0.78),
        ground="#f4f2ee",
    )


def _stripes() -> Label:
    art = Label(1200, 1200)
    for x, width in ((190, 34), (252, 10), (286, 10), (880, 10), (914, 10), (948, 34)):
        art.block((x, 0, x + width, 1200), ink="#e9e0cc")
    return art


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
    pot = filleted(
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
    saucer = filleted(
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
    earth = filleted([(0.45, 0.74), (0.2, 0.765, 0.1), (0, 0.77)], step=0.012)
    return Subject(
        parts=(lathe(pot, clay), lathe(saucer, clay), lathe(earth, soil), *_leaves()),
        camera=Camera(yaw=0, pitch=12, fill=0.86),
        ground="#f1f2f0",
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
    """Grey-green bands across and a yellow rim, as a snake plant has them."""
    art = Label(220, 900, ground="#3f6f49")
    random = np.random.default_rng(3)
    for y in range(0, 900, 22):
        shift = random.integers(-9, 9, 12)
        knots = [(x * 20, y + int(shift[x % 12])) for x in range(12)]
        art.line(
            knots, ink="#88a983" if (y // 22) % 2 else "#2c5538", width=int(random.integers(4, 12))
        )
    art.block((0, 0, 17, 900), ink="#c9c06a").block((203, 0, 220, 900), ink="#c9c06a")
    return art


def book() -> Subject:
    cloth = Material(
        colour="#8f2f2b", rough=0.85, sheen=0.12, bump=weave(40), bump_depth=0.16, tiles=(14, 14)
    )
    art = _cover()
    face = Material(
        colour="#8f2f2b",
        rough=0.85,
        sheen=0.12,
        bump=weave(40),
        bump_depth=0.16,
        tiles=(9, 12),
        print=art.texture(),
        print_rough=0.45,
    )
    paper = Material(colour="#efe6d2", rough=0.9, tint=pages(70).T, tiles=(1, 1))
    width, tall, thick = 1.3, 1.9, 0.26
    board = standing(
        extruded(
            rounded_rectangle(width, tall, 0.02),
            filleted([(0.008, 0), (0, 0.006, 0.004), (0, 0.03, 0.004), (0.008, 0.036)], step=0.006),
            cloth,
        )
    )
    front = board.moved(z=thick / 2)
    back = board.moved(z=-thick / 2 - 0.036)
    x, y = np.meshgrid(
        np.linspace(-width / 2 + 0.012, width / 2 - 0.012, 60),
        np.linspace(-tall / 2 + 0.012, tall / 2 - 0.012, 80),
    )
    plate = Part(points=np.stack([x, y, np.full_like(x, thick / 2 + 0.0375)], -1), material=face)
    groove = np.stack(
        [
            np.full(40, -width / 2 + 0.1),
            np.linspace(-tall / 2, tall / 2, 40),
            np.full(40, thick / 2 + 0.034),
        ],
        1,
    )
    joint = tube(groove, 0.009, Material(colour="#7a2624", rough=0.9), count=10)
    block = _box(width - 0.1, tall - 0.08, thick, paper)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 40)
    spine = np.stack([-width / 2 - 0.055 * np.cos(turn), (thick / 2 + 0.034) * np.sin(turn)], 1)
    height = np.linspace(-tall / 2, tall / 2, 60)[:, None]
    back_strip = Part(
        points=np.stack(
            [
                np.repeat(spine[None, :, 0], 60, 0),
                np.repeat(height, 40, 1),
                np.repeat(spine[None, :, 1], 60, 0),
            ],
            -1,
        ),
        material=cloth,
        two_sided=True,
    )
    return Subject(
        parts=(front, back, plate, joint, *block, back_strip),
        camera=Camera(yaw=-18, pitch=4.5, fill=0.8),
    )


def _box(width: float, tall: float, deep: float, material: Material) -> list[Part]:
    """The three sides of a block of pages that can be seen: right, top, bottom."""
    a, b = np.linspace(-0.5, 0.5, 40), np.linspace(-0.5, 0.5, 40)
    p, q = np.meshgrid(a, b)
    half = np.full_like(p, 0.5)
    hollow = 0.02 * np.cos(np.pi * p)
    right = np.stack([half * width - hollow, q * tall, -p * deep], -1)
    top = np.stack([q.T * width, half * tall, p.T * deep], -1)
    left = np.stack([-half * width, q * tall, p * deep], -1)
    return [
        Part(points=side, material=material, two_sided=True)
        for side in (right, top.transpose(1, 0, 2), left)
    ]


def _cover() -> Label:
    art = Label(1000, 1460).frame((70, 70, 930, 1390), ink="#e2c98f", width=5)
    art.text("THE", (500, 300), size=62, ink="#e9d7a8", spacing=0.3)
    art.text("SLOW", (500, 430), size=170, ink="#e9d7a8", spacing=0.1)
    art.text("KITCHEN", (500, 600), size=150, ink="#e9d7a8", spacing=0.06)
    art.disc((500, 880), 128, ink="#e2c98f", fill=False, width=6)
    for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        c, s = np.cos(turn), np.sin(turn)
        art.line(
            [(500 + 146 * c, 880 + 146 * s), (500 + 182 * c, 880 + 182 * s)], ink="#e2c98f", width=6
        )
    art.text("Ingrid Halden", (500, 1250), size=64, ink="#e9d7a8", spacing=0.06)
    return art
