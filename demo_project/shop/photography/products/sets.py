"""Sets: products that are sold, and photographed, together."""

from __future__ import annotations

from demo_project.shop.photography.products.bath import hand_wash, soap
from demo_project.shop.photography.products.home import candle
from demo_project.shop.photography.products.kitchen import mug, tea_tin
from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part
from demo_project.shop.photography.subject import Subject


def placed(
    subject: Subject, *, size: float, degrees: float, x: float, y: float = 0.0, z: float = 0.0
) -> list[Part]:
    """Return a subject's parts, moved to another place."""
    return [
        part.scaled(size, size, size).turned(about="y", degrees=degrees).moved(x, y, z)
        for part in subject.parts
    ]


def slow_morning() -> Subject:
    tin = placed(tea_tin(), size=1.05, degrees=10, x=-0.55, z=-0.05)
    cup = placed(mug(), size=0.85, degrees=-40, x=0.5, z=0.05)
    return Subject(parts=(*tin, *cup), camera=Camera(yaw=0, pitch=7, fill=0.84))


def evening_bath() -> Subject:
    bottle = placed(hand_wash(), size=0.95, degrees=-8, x=-0.62)
    bars = placed(soap(), size=0.6, degrees=-14, x=0.26, z=0.1)
    light = placed(candle(), size=0.8, degrees=4, x=0.92, z=-0.06)
    return Subject(parts=(*bottle, *bars, *light), camera=Camera(yaw=-4, pitch=7, fill=0.84))
