"""Products of cloth and paper: cushion and book."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, rounded_rectangle
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, extrude, sheet, stand_up, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, noise, pages, weave


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
        background="#f4f2ee",
    )


def _stripes() -> Label:
    art = Label(1200, 1200)
    for x, width in ((190, 34), (252, 10), (286, 10), (880, 10), (914, 10), (948, 34)):
        art.block((x, 0, x + width, 1200), ink="#e9e0cc")
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
    board = stand_up(
        extrude(
            rounded_rectangle(width, tall, 0.02),
            fillet([(0.008, 0), (0, 0.006, 0.004), (0, 0.03, 0.004), (0.008, 0.036)], step=0.006),
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
    """Return the three visible sides of a block of pages: right, top, bottom."""
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
