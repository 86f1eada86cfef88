"""A product in front of the camera, and the ground that it is photographed on."""

from __future__ import annotations

from dataclasses import dataclass

from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``ground`` is a hex colour, or empty for a picture that is cut out already."""

    parts: tuple[Part, ...]
    camera: Camera
    ground: str = ""
