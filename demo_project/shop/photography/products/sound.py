"""Audio products: headphones and a speaker."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, rounded_rectangle, smooth, superellipse
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, extrude, lathe, stand_up, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, grain, leather, noise, weave


def headphones() -> Subject:
    shell = Material(
        colour="#d8cfc2", rough=0.4, bump=noise(6, cell=2, octaves=1), bump_depth=0.02, tiles=(6, 6)
    )
    steel = Material(colour="#c9c6c1", rough=0.2, metal=True)
    hide = Material(
        colour="#8a5a3a", rough=0.5, sheen=0.08, bump=leather(), bump_depth=0.35, tiles=(3, 14)
    )
    pad = Material(
        colour="#7c5034", rough=0.55, sheen=0.1, bump=leather(), bump_depth=0.3, tiles=(10, 3)
    )
    turn = np.linspace(np.radians(198), np.radians(-18), 150)
    wide, tall = 0.86, 0.98
    arc = np.stack([wide * np.cos(turn), tall * np.sin(turn), 0 * turn], 1)
    bow = tube(arc, 0.03, steel, section=superellipse(1.1, 3.2, 3, count=30))
    middle = np.linspace(np.radians(150), np.radians(30), 110)
    crown = np.stack([0.865 * np.cos(middle), 0.985 * np.sin(middle), 0 * middle], 1)
    fade = np.clip(np.minimum(np.arange(110), np.arange(110)[::-1]) / 9, 0.25, 1) ** 0.5
    cover = tube(crown, 0.062 * fade, hide, section=superellipse(1.35, 4.4, 2.6, count=48))
    return Subject(
        parts=(bow, cover, *_cup(shell, steel, pad, side=-1), *_cup(shell, steel, pad, side=1)),
        camera=Camera(yaw=-34, pitch=12, fill=0.78),
        background="#f2f1ef",
    )


def _cup(shell: Material, steel: Material, pad: Material, *, side: int) -> list[Part]:
    """An ear cup on its side; the pad faces inwards."""
    case = fillet(
        [
            (0, 0.3),
            (0.3, 0.29, 0.05),
            (0.4, 0.2, 0.1),
            (0.42, 0.06, 0.03),
            (0.4, 0.0, 0.02),
            (0, 0.0),
        ],
        step=0.014,
    )[::-1]
    disc = fillet(
        [(0.26, 0.292), (0.262, 0.306, 0.006), (0.24, 0.31, 0.006), (0.23, 0.3, 0.01), (0, 0.302)],
        step=0.01,
    )
    ring = fillet([(0.423, 0.04), (0.43, 0.06, 0.01), (0.423, 0.085)], step=0.006)
    soft = np.linspace(0, 2 * np.pi, 60)
    cushion = np.stack([0.29 + 0.115 * np.cos(soft), -0.055 + 0.1 * np.sin(soft)], 1)
    mesh = Material(colour="#2b2724", rough=0.95, bump=weave(30), bump_depth=0.4, tiles=(6, 3))
    cloth = fillet([(0, -0.012), (0.26, -0.012)], step=0.02)
    parts = [
        lathe(case, shell),
        lathe(disc, steel),
        lathe(ring, steel),
        lathe(cushion, pad, step=9),
        lathe(cloth, mesh),
    ]
    turned = [p.scaled(1, 1, 1.12).turned(about="z", degrees=-90 * side) for p in parts]
    turned = [p.turned(about="x", degrees=90) for p in turned]
    low = [p.moved(0.72 * side, -0.42, 0) for p in turned]
    slide = smooth(
        [(0.83 * side, -0.2, 0), (0.845 * side, -0.3, 0), (0.86 * side, -0.42, 0)], count=30
    )
    return [*low, tube(slide, 0.045, steel, section=superellipse(1.6, 2.6, 3, count=30))]


def speaker() -> Subject:
    wood = Material(colour="#a06d42", rough=0.45, tint=grain(9), tiles=(1, 1))
    cloth = Material(
        colour="#4b4f52",
        rough=0.95,
        sheen=0.12,
        tint=0.75 + 0.4 * weave(32),
        bump=weave(32),
        bump_depth=0.5,
        tiles=(7, 4),
    )
    brass = Material(colour="#c8a060", rough=0.22, metal=True)
    hide = Material(colour="#6e4529", rough=0.55, bump=leather(), bump_depth=0.35, tiles=(2, 12))
    width, tall, deep = 2.0, 1.2, 0.72
    rim = fillet(
        [
            (0.05, 0),
            (0, 0.05, 0.05),
            (0, deep - 0.03, 0.03),
            (0.03, deep, 0.01),
            (0.06, deep, 0.01),
            (0.065, deep - 0.04),
        ],
        step=0.02,
    )
    case = stand_up(extrude(rounded_rectangle(width, tall, 0.2), rim, wood)).moved(z=-deep / 2)
    x, y = np.meshgrid(np.linspace(-1, 1, 120), np.linspace(-1, 1, 90))
    edge = np.sqrt(np.clip(1 - x**8, 0, 1) * np.clip(1 - y**8, 0, 1))
    panel = Part(
        points=np.stack(
            [x * (width / 2 - 0.062), y * (tall / 2 - 0.062), deep / 2 - 0.045 + 0.035 * edge], -1
        ),
        material=cloth,
    )
    knob = lathe(
        fillet([(0.075, 0), (0.075, 0.09, 0.012), (0.0, 0.095)], step=0.01), brass, count=90
    )
    knobs = [knob.moved(px, tall / 2 - 0.005, 0.1) for px in (0.5, 0.72)]
    badge = (
        Label(600, 150).text("HALDEN", (300, 75), size=90, ink="#d9bb80", spacing=0.25).texture()
    )
    bx, by = np.meshgrid(np.linspace(-0.26, 0.26, 30), np.linspace(-0.06, 0.06, 12))
    plate = Part(
        points=np.stack([bx, by - 0.42, np.full_like(bx, deep / 2 - 0.006)], -1),
        material=Material(colour="#3c4043", rough=0.6, print=badge, print_rough=0.25),
    )
    path = smooth(
        [
            (-0.82, tall / 2 - 0.03, 0),
            (-0.79, tall / 2 + 0.1, 0),
            (-0.5, tall / 2 + 0.24, 0),
            (0, tall / 2 + 0.28, 0),
            (0.5, tall / 2 + 0.24, 0),
            (0.79, tall / 2 + 0.1, 0),
            (0.82, tall / 2 - 0.03, 0),
        ],
        count=100,
    )
    strap = tube(path, 0.03, hide, section=superellipse(1.3, 5.6, 3, count=40))
    studs = [knob.scaled(0.5, 0.35, 0.5).moved(px, tall / 2 - 0.005, -0.0) for px in (-0.9, 0.9)]
    dark = Material(colour="#1d1c1b", rough=0.7)
    plinth = extrude(
        rounded_rectangle(width - 0.16, deep - 0.12, 0.06),
        fillet([(0.03, -0.07), (0.0, -0.04, 0.02), (0.0, 0.02)], step=0.02),
        dark,
    ).moved(y=-tall / 2)
    return Subject(
        parts=(case, panel, plate, strap, *knobs, *studs, plinth),
        camera=Camera(yaw=-11, pitch=4, fill=0.8),
    )
