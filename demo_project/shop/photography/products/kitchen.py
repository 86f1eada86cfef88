"""Kitchen products: mug, oil, tea, flask."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, smooth, superellipse
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, lathe, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, grain, noise, speckles


def band(radius: float, low: float, high: float, degrees: float, material: Material) -> Part:
    """Return a label around the front of a cylinder."""
    angle = np.radians(np.linspace(-degrees / 2, degrees / 2, 80))
    height = np.linspace(low, high, 30)[:, None]
    ones = np.ones_like(height)
    points = np.stack(
        [
            radius * np.sin(angle) * ones,
            height * np.ones_like(angle),
            radius * np.cos(angle) * ones,
        ],
        -1,
    )
    return Part(points=points, material=material)


def mug() -> Subject:
    glaze = Material(colour="#d9d0bf", rough=0.22, tint=speckles(4), tiles=(2, 2))
    clay = Material(colour="#a07a58", rough=0.8, tint=0.82 + 0.22 * noise(2, cell=8), tiles=(4, 1))
    outside = fillet(
        [
            (0.452, 0.16),
            (0.5, 0.34, 0.2),
            (0.515, 1.0, 0.02),
            (0.49, 1.012, 0.015),
            (0.47, 0.99, 0.02),
            (0.45, 0.3, 0.2),
            (0, 0.12),
        ],
        step=0.015,
    )
    foot = fillet([(0, 0), (0.44, 0, 0.015), (0.452, 0.16)], step=0.015)
    path = smooth(
        [
            (0.46, 0.8, 0),
            (0.66, 0.84, 0),
            (0.82, 0.72, 0),
            (0.84, 0.52, 0),
            (0.7, 0.34, 0),
            (0.46, 0.28, 0),
        ],
        count=70,
    )
    handle = tube(path, 0.062, glaze, section=superellipse(1.3, 2.5, 2.6, count=36))
    return Subject(
        parts=(lathe(outside, glaze), lathe(foot, clay), handle),
        camera=Camera(yaw=-52, pitch=5.5, fill=0.72),
    )


def olive_oil() -> Subject:
    glass = Material(colour="#5f7a2a", rough=0.05, glass=2.1)
    body = fillet(
        [
            (0, 0.02),
            (0.3, 0, 0.05),
            (0.36, 0.05, 0.05),
            (0.36, 1.25, 0.22),
            (0.12, 1.62, 0.2),
            (0.105, 2.0),
        ],
        step=0.014,
    )
    capsule = fillet(
        [
            (0.112, 1.82),
            (0.118, 1.84, 0.01),
            (0.118, 2.0, 0.01),
            (0.128, 2.0, 0.01),
            (0.128, 2.16, 0.03),
            (0, 2.165),
        ],
        step=0.014,
    )
    art = Label(900, 900, background="#f4efe2").frame((34, 34, 866, 866), ink="#46512a", width=5)
    art.text("HALDEN & MOOR", (450, 120), size=52, ink="#46512a", spacing=0.12)
    art.line([(330, 170), (570, 170)], ink="#46512a", width=3)
    _olive_branch(art)
    art.text("OLIVE OIL", (450, 610), size=112, ink="#2c331b", spacing=0.06)
    art.text("extra virgin · first cold pressing", (450, 700), size=42, ink="#46512a", spacing=0.02)
    art.text("500 ml", (450, 806), size=46, ink="#46512a", spacing=0.1)
    paper = Material(colour="#f4efe2", rough=0.75, print=art.texture())
    black = Material(colour="#1d1c1a", rough=0.38)
    return Subject(
        parts=(lathe(body, glass), lathe(capsule, black), band(0.3625, 0.24, 1.02, 132, paper)),
        camera=Camera(pitch=5, yaw=0, fill=0.86),
        background="#f5f5f4",
    )


def _olive_branch(art: Label) -> None:
    stem = smooth([(300, 470), (400, 400), (500, 350), (610, 250)], count=40)
    art.line([tuple(p) for p in stem.tolist()], ink="#46512a", width=5)
    for i, side in ((6, 1), (12, -1), (18, 1), (24, -1), (30, 1), (36, -1)):
        x, y = stem[i]
        turn = np.radians(-38 + 58 * side)
        t = np.linspace(0, 1, 14)
        half = 15 * np.sin(np.pi * t)
        along, across = (
            np.array([np.cos(turn), np.sin(turn)]),
            np.array([-np.sin(turn), np.cos(turn)]),
        )
        spine = np.array([x, y]) + 105 * t[:, None] * along
        leaf = np.concatenate(
            [spine + half[:, None] * across, (spine - half[:, None] * across)[::-1]]
        )
        art.shape([tuple(p) for p in leaf.tolist()], ink="#6d7a44")
    for x, y in ((405, 465), (540, 395)):
        art.disc((x, y), 30, ink="#46512a")


def tea_tin() -> Subject:
    green = "#27463d"
    art = Label(2400, 760)
    for u in (1200,):
        art.frame((u - 330, 70, u + 330, 690), ink="#d8b876", width=6, radius=330)
        art.frame((u - 310, 90, u + 310, 670), ink="#d8b876", width=2, radius=310)
        art.text("N° 7", (u, 190), size=62, ink="#d8b876", spacing=0.05)
        art.text("EARL GREY", (u, 330), size=96, ink="#f3e9d2", spacing=0.1)
        art.line([(u - 150, 408), (u + 150, 408)], ink="#d8b876", width=4)
        art.text("bergamot & blue cornflower", (u, 468), size=38, ink="#f3e9d2", spacing=0.03)
        art.text("100 g", (u, 578), size=44, ink="#d8b876", spacing=0.1)
    paint = Material(colour=green, rough=0.42, print=art.texture(), print_rough=0.3)
    lid_paint = Material(colour=green, rough=0.4)
    steel = Material(colour="#d9cfae", rough=0.25, metal=True)
    wall = lathe(np.array([(0.5, 0.03), (0.5, 0.98)]), paint, count=200)
    base = lathe(
        fillet([(0, 0), (0.49, 0, 0.02), (0.508, 0.015, 0.012), (0.5, 0.03)], step=0.01), steel
    )
    ring = lathe(fillet([(0.5, 0.975), (0.512, 0.985, 0.01), (0.5, 0.997)], step=0.006), steel)
    lid = lathe(
        fillet(
            [
                (0.5, 0.995),
                (0.515, 1.0, 0.008),
                (0.515, 1.17, 0.012),
                (0.505, 1.19, 0.02),
                (0.49, 1.175, 0.012),
                (0.45, 1.172, 0.02),
                (0.41, 1.2, 0.02),
                (0.0, 1.205),
            ],
            step=0.01,
        ),
        lid_paint,
    )
    return Subject(
        parts=(wall, base, ring, lid),
        camera=Camera(pitch=9, yaw=-8, fill=0.76),
        background="#eef0f0",
    )


def flask() -> Subject:
    coat = Material(
        colour="#b9532f",
        rough=0.62,
        bump=noise(6, cell=2, octaves=1),
        bump_depth=0.06,
        tiles=(9, 7),
    )
    steel = Material(colour="#d6d6d4", rough=0.2, metal=True)
    wood = Material(colour="#b98a5a", rough=0.5, tint=grain(3), tiles=(1, 1))
    body = fillet(
        [
            (0, 0),
            (0.3, 0, 0.03),
            (0.34, 0.05, 0.05),
            (0.34, 1.42, 0.12),
            (0.255, 1.64, 0.1),
            (0.25, 1.7),
        ],
        step=0.015,
    )
    collar = fillet(
        [(0.252, 1.69), (0.262, 1.7, 0.01), (0.262, 1.76, 0.01), (0.25, 1.77)], step=0.008
    )
    cap = fillet([(0.25, 1.768), (0.272, 1.78, 0.015), (0.272, 2.05, 0.04), (0, 2.06)], step=0.012)
    loop = smooth(
        [
            (-0.262, 1.88, 0),
            (-0.33, 1.98, 0),
            (-0.3, 2.16, 0),
            (0, 2.27, 0),
            (0.3, 2.16, 0),
            (0.33, 1.98, 0),
            (0.262, 1.88, 0),
        ],
        count=80,
    )
    handle = tube(loop, 0.02, steel, count=18)
    mark = Label(700, 700).disc((350, 240), 92, ink="#f0dccb", fill=False, width=9)
    mark.line([(262, 262), (318, 204), (352, 240), (384, 196), (438, 262)], ink="#f0dccb", width=9)
    mark.text("HALDEN & MOOR", (350, 430), size=50, ink="#f0dccb", spacing=0.16)
    badge = Material(
        colour="#b9532f",
        rough=0.62,
        print=mark.texture(),
        bump=noise(6, cell=2, octaves=1),
        bump_depth=0.06,
        tiles=(3, 3),
    )
    return Subject(
        parts=(
            lathe(body, coat),
            lathe(collar, steel),
            lathe(cap, wood),
            handle,
            band(0.3405, 0.6, 1.2, 105, badge),
        ),
        camera=Camera(pitch=7, yaw=-10, fill=0.86),
    )
