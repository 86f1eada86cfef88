"""Bathroom products: soap dispenser and soap."""

from __future__ import annotations

import numpy as np

from demo_project.shop.photography.material import Material
from demo_project.shop.photography.outline import fillet, rounded_rectangle, smooth, superellipse
from demo_project.shop.photography.products.kitchen import band
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part, extrude, lathe, tube
from demo_project.shop.photography.subject import Subject
from demo_project.shop.photography.textures import Label, noise


def hand_wash() -> Subject:
    amber = Material(colour="#a8581c", rough=0.05, glass=2.0)
    black = Material(colour="#1b1b1c", rough=0.34)
    body = fillet(
        [
            (0, 0.02),
            (0.34, 0, 0.05),
            (0.4, 0.06, 0.06),
            (0.4, 1.12, 0.16),
            (0.17, 1.34, 0.08),
            (0.155, 1.4),
        ],
        step=0.014,
    )
    collar = fillet(
        [
            (0.16, 1.37),
            (0.185, 1.38, 0.01),
            (0.185, 1.56, 0.02),
            (0.12, 1.585, 0.02),
            (0.075, 1.59),
            (0.07, 1.63, 0.01),
            (0.045, 1.63),
        ],
        step=0.01,
    )
    stem = lathe(np.array([(0.042, 1.6), (0.042, 1.86)]), black, count=60)
    head = extrude(
        superellipse(0.34, 0.24, 2.6, count=80),
        fillet([(0.015, 0), (0, 0.015, 0.01), (0, 0.1, 0.03), (0.04, 0.12)], step=0.01),
        black,
    ).moved(y=1.85)
    spout = smooth(
        [(-0.1, 1.92, 0), (-0.3, 1.925, 0), (-0.46, 1.91, 0), (-0.535, 1.86, 0), (-0.55, 1.8, 0)],
        count=60,
    )
    nozzle = tube(
        spout, np.linspace(0.062, 0.04, 60), black, section=superellipse(2.2, 1.7, 2.6, count=40)
    )
    art = Label(1000, 900, background="#efe9dc")
    art.text("HALDEN & MOOR", (500, 150), size=54, ink="#2d2a26", spacing=0.18)
    art.line([(120, 222), (880, 222)], ink="#2d2a26", width=3)
    art.text("HAND WASH", (500, 370), size=104, ink="#2d2a26", spacing=0.08)
    art.text("rosemary", (500, 490), size=62, ink="#5c6a48", spacing=0.08)
    art.text("sea salt", (500, 570), size=62, ink="#5c6a48", spacing=0.08)
    art.line([(120, 676), (880, 676)], ink="#2d2a26", width=3)
    art.text("300 ml", (500, 770), size=50, ink="#2d2a26", spacing=0.1)
    paper = Material(colour="#efe9dc", rough=0.7, print=art.texture())
    ribs = _ribbed(lathe(np.array([(0.187, 1.39), (0.187, 1.54)]), black, count=360))
    return Subject(
        parts=(
            lathe(body, amber),
            lathe(collar, black),
            ribs,
            stem,
            head,
            nozzle,
            band(0.4025, 0.2, 0.94, 118, paper),
        ),
        camera=Camera(yaw=-12, pitch=8, fill=0.84),
        background="#f3f2f0",
    )


def _ribbed(part: Part) -> Part:
    angle = np.arctan2(part.points[..., 0], part.points[..., 2])
    grow = 1 + 0.02 * np.clip(np.sin(angle * 40) * 2, -1, 1)[..., None] * np.array([1, 0, 1])
    return part.bent(lambda points: points * np.where(grow == 1, 1, grow))


def soap() -> Subject:
    """Two bars, one on the other, slightly rotated."""
    olive = Material(
        colour="#9fa878",
        rough=0.42,
        sheen=0.08,
        tint=0.9 + 0.14 * noise(31, cell=16),
        tiles=(2, 2),
        bump=noise(32, cell=4),
        bump_depth=0.05,
    )
    sand = Material(
        colour="#d9c3a0",
        rough=0.45,
        sheen=0.08,
        tint=0.88 + 0.16 * noise(33, cell=16),
        tiles=(2, 2),
        bump=noise(34, cell=4),
        bump_depth=0.05,
    )
    rim = fillet([(0.1, 0), (0.0, 0.05, 0.05), (0.0, 0.33, 0.07), (0.1, 0.4)], step=0.014)
    shape = rounded_rectangle(1.5, 0.98, 0.22)
    lower = extrude(shape, rim, olive).turned(about="y", degrees=8)
    upper = extrude(shape, rim, sand).turned(about="y", degrees=-16).moved(y=0.395)
    x, z = np.meshgrid(np.linspace(-0.55, 0.55, 50), np.linspace(0.34, -0.34, 40))
    art = Label(1100, 680).frame((60, 60, 1040, 620), ink="#a88d63", width=9, radius=80)
    art.text("HALDEN", (550, 270), size=140, ink="#a88d63", spacing=0.14)
    art.text("& MOOR", (550, 430), size=140, ink="#a88d63", spacing=0.14)
    stamp = Material(
        colour="#d9c3a0",
        rough=0.45,
        sheen=0.08,
        tint=0.88 + 0.16 * noise(33, cell=16),
        print=art.texture(),
    )
    mark = (
        Part(points=np.stack([x, np.full_like(x, 0.4015), z], -1), material=stamp)
        .turned(about="y", degrees=-16)
        .moved(y=0.395)
    )
    return Subject(
        parts=(lower, upper, mark), camera=Camera(yaw=6, pitch=27, fill=0.72), background="#eef0f1"
    )
