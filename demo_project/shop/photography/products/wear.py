"""Accessories: watch and sunglasses."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, smooth, superellipse
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Grid, Part, lathe, sheet, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, leather, noise


def watch() -> Subject:
    steel = Material(colour="#cfd0d2", rough=0.17, metal=True)
    brushed = Material(colour="#c4c5c8", rough=0.34, metal=True)
    case = fillet(
        [
            (0, -0.16),
            (0.44, -0.15, 0.03),
            (0.5, -0.1, 0.03),
            (0.5, 0.06, 0.02),
            (0.47, 0.1, 0.02),
            (0.44, 0.1),
        ],
        step=0.01,
    )
    bezel = fillet(
        [(0.45, 0.095), (0.452, 0.13, 0.02), (0.425, 0.145, 0.01), (0.41, 0.12, 0.01), (0.4, 0.06)],
        step=0.008,
    )
    dial = Material(colour="#1d2f45", rough=0.4, print=_dial().texture(), print_rough=0.3)
    u = np.linspace(-0.41, 0.41, 120)
    x, y = np.meshgrid(u, u)
    face = Part(points=np.stack([x, y, np.full_like(x, 0.07)], -1), material=dial)
    parts = [lathe(case, brushed, count=220), lathe(bezel, steel, count=220)]
    parts = [part.turned(about="x", degrees=90) for part in parts]
    crown = lathe(
        fillet(
            [(0.0, 0), (0.055, 0, 0.01), (0.06, 0.02, 0.01), (0.06, 0.1, 0.012), (0, 0.11)],
            step=0.008,
        ),
        steel,
        count=60,
    )
    parts.append(crown.turned(about="z", degrees=-90).moved(0.49, 0, -0.02))
    return Subject(
        parts=(*parts, _round(face), *_hands(steel), *_lugs(steel), *_straps()),
        camera=Camera(yaw=-16, pitch=14, fill=0.88),
        background="#f3f3f3",
    )


def _round(face: Part) -> Part:
    """Return a square grid mapped to a disc, so that its print is undistorted in the middle."""
    points = face.points.copy()
    away = np.hypot(points[..., 0], points[..., 1])
    points[..., :2] *= np.minimum(1, 0.425 / np.maximum(away, 1e-6))[..., None]
    return Part(points=points, material=face.material)


def _dial() -> Label:
    art = Label(1200, 1200, background="#1c2e44")
    art.disc((600, 600), 560, ink="#21364f")
    for minute in range(60):
        turn = np.radians(minute * 6)
        c, s = np.sin(turn), -np.cos(turn)
        inner, width = (455, 15) if minute % 5 == 0 else (520, 4)
        art.line(
            [(600 + inner * c, 600 + inner * s), (600 + 545 * c, 600 + 545 * s)],
            ink="#e9e3d4",
            width=width,
        )
    art.block((800, 545, 915, 655), ink="#f1ede2").text("21", (857, 600), size=84, ink="#20242b")
    art.text("HALDEN", (600, 330), size=76, ink="#e9e3d4", spacing=0.16)
    art.text("AUTOMATIC", (600, 865), size=38, ink="#c9a667", spacing=0.18)
    return art


def _hands(steel: Material) -> list[Part]:
    gold = Material(colour="#d8ab62", rough=0.25, metal=True)
    parts = []
    for degrees, length, wide, height, material in (
        (-54, 0.2, 0.026, 0.084, steel),
        (62, 0.31, 0.02, 0.092, steel),
        (208, 0.34, 0.007, 0.1, gold),
    ):
        x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-0.07, length, 40))
        taper = wide * (1 - 0.55 * np.clip(y / length, 0, 1))
        z = height + 0.006 * (1 - abs(x))
        parts.append(
            sheet(np.stack([x * taper, y, z], -1), material).turned(about="z", degrees=-degrees)
        )
    hub = lathe(
        fillet([(0.034, 0.08), (0.034, 0.105, 0.005), (0, 0.108)], step=0.006), gold, count=60
    )
    return [*parts, hub.turned(about="x", degrees=90)]


def _lugs(steel: Material) -> list[Part]:
    parts = []
    for side in (-1, 1):
        for end in (-1, 1):
            path = smooth(
                [
                    (0.265 * side, 0.38 * end, -0.02),
                    (0.275 * side, 0.5 * end, -0.03),
                    (0.275 * side, 0.6 * end, -0.1),
                ],
                count=24,
            )
            parts.append(
                tube(
                    path,
                    np.linspace(0.05, 0.035, 24),
                    steel,
                    section=superellipse(1.7, 2.4, 4, count=28),
                )
            )
    return parts


def _straps() -> list[Part]:
    hide = Material(
        colour="#7a4a2b",
        rough=0.55,
        sheen=0.06,
        bump=leather(),
        bump_depth=0.28,
        tiles=(3, 7),
        tint=0.85 + 0.2 * noise(41, cell=32),
        print=_stitches().texture(),
        print_rough=0.8,
    )
    return [_strap(hide, end=1), _strap(hide, end=-1)]


def _strap(hide: Material, *, end: int) -> Part:
    """Straps that leave the case and curve over and behind the cushion that holds the watch."""
    knots = [
        (0, 0.43, -0.05),
        (0, 0.6, -0.09),
        (0, 0.84, -0.28),
        (0, 0.97, -0.62),
        (0, 0.88, -0.98),
        (0, 0.5, -1.24),
        (0, 0.0, -1.3),
    ]
    path = smooth(knots, count=110) * (1, end, 1)
    half = np.interp(np.linspace(0, 1, 110), [0, 0.1, 0.3, 1], [0.228, 0.245, 0.24, 0.2])
    s = np.linspace(-1, 1, 40)
    along = np.gradient(path, axis=0)
    normal = np.cross(np.array([1.0, 0, 0]), along) * end
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    puff = 0.045 * (1 - abs(s) ** 4)
    points: Grid = (
        path[:, None]
        + s[None, :, None] * half[:, None, None] * np.array([1.0, 0, 0])
        + puff[None, :, None] * normal[:, None]
    )
    return sheet(points, hide)


def _stitches() -> Label:
    art = Label(240, 1400)
    for y in range(10, 1400, 34):
        art.line([(20, y), (20, y + 19)], ink="#e8d9bd", width=5).line(
            [(219, y), (219, y + 19)], ink="#e8d9bd", width=5
        )
    return art


def sunglasses() -> Subject:
    frame = Material(colour="#5a3218", rough=0.16, tint=_tortoise(), tiles=(1, 5))
    lens = Material(colour="#2d3326", rough=0.05, alpha=0.86, reflect=0.06)
    gold = Material(colour="#d6ac62", rough=0.2, metal=True)
    parts: list[Part] = []
    for side in (-1, 1):
        rim = _rim(side)
        parts.append(
            tube(rim, 0.05, frame, section=superellipse(1.5, 2.1, 3, count=28), capped=False)
        )
        parts.append(_lens(rim, lens))
        hinge = np.array([1.09 * side, 0.2, -0.1])
        temple = smooth(
            [
                hinge,
                hinge + (0.05 * side, 0.02, -0.25),
                hinge + (0.02 * side, 0.02, -1.3),
                hinge + (-0.03 * side, -0.06, -1.75),
                hinge + (-0.08 * side, -0.34, -2.15),
            ],
            count=100,
        )
        parts.append(
            tube(
                temple,
                np.linspace(0.062, 0.05, 100),
                frame,
                section=superellipse(2.3, 1.2, 3, count=30),
                up=(1.0, 0.0, 0.0),
            )
        )
        stud = lathe(
            fillet([(0.03, 0), (0.03, 0.012, 0.005), (0, 0.016)], step=0.006), gold, count=40
        )
        parts.append(stud.turned(about="x", degrees=90).moved(1.06 * side, 0.29, -0.03))
    bridge = smooth(
        [
            (-0.24, 0.14, 0.03),
            (-0.12, 0.23, 0.075),
            (0, 0.255, 0.085),
            (0.12, 0.23, 0.075),
            (0.24, 0.14, 0.03),
        ],
        count=60,
    )
    parts.append(tube(bridge, 0.05, frame, section=superellipse(1.4, 2.0, 3, count=28)))
    return Subject(parts=tuple(parts), camera=Camera(yaw=-32, pitch=17, fill=0.84, lens=5.5))


def _rim(side: int) -> Grid:
    """One rim, on the curve of a face."""
    t = np.linspace(0, 2 * np.pi, 121)
    c, s = np.cos(t), np.sin(t)
    x = 0.46 * np.sign(c) * abs(c) ** 0.86
    y = 0.39 * np.sign(s) * abs(s) ** 0.9 + 0.05 * x * (s > 0)
    x = x * (1 + 0.06 * y)
    x = side * (x + 0.665)
    points = np.stack([x, y, -0.13 * x**2 + 0.05], -1)
    return points if side > 0 else points[::-1]


def _lens(rim: Grid, material: Material) -> Part:
    middle = rim[:-1].mean(axis=0)
    share = np.linspace(0.0005, 0.99, 30)[:, None, None]
    points = middle + (rim - middle)[None] * share
    points[..., 2] += 0.035 * (1 - share[..., 0] ** 2)
    return sheet(points, material)


def _tortoise() -> np.ndarray:
    spots = noise(51, size=256, cell=42)
    return (0.45 + 1.9 * np.clip((spots - 0.46) * 4, 0, 1)).astype(np.float32)
