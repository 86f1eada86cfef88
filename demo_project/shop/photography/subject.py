"""A product in front of the camera, and the background of its photo."""

from __future__ import annotations

from dataclasses import dataclass

from demo_project.shop.photography.raster import Camera
from demo_project.shop.photography.solid import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``background`` is a hex colour, or "" for a photo without background."""

    parts: tuple[Part, ...]
    camera: Camera
    background: str = ""
