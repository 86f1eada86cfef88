"""Draws the shop's product photos, so that the demo needs no picture files of anybody's."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from PIL import Image

from demo_project.shop.photography.grounds import on_ground
from demo_project.shop.photography.products import (
    backpack,
    bath,
    home,
    kitchen,
    sets,
    sneaker,
    soft,
    sound,
    wear,
)
from demo_project.shop.photography.render import photographed
from demo_project.shop.photography.subject import Subject

__all__ = ["SUBJECTS", "cut_out", "photo", "photo_file"]

SUBJECTS: Final[Mapping[str, Callable[[], Subject]]] = MappingProxyType(
    {
        "stoneware-mug": kitchen.mug,
        "olive-oil": kitchen.olive_oil,
        "earl-grey": kitchen.tea_tin,
        "travel-flask": kitchen.flask,
        "slow-kitchen": soft.book,
        "reading-lamp": home.lamp,
        "fig-candle": home.candle,
        "striped-cushion": soft.cushion,
        "snake-plant": home.plant,
        "hand-wash": bath.hand_wash,
        "soap-bars": bath.soap,
        "court-sneaker": sneaker.sneaker,
        "roll-top-backpack": backpack.backpack,
        "field-watch": wear.watch,
        "round-sunglasses": wear.sunglasses,
        "headphones": sound.headphones,
        "table-radio": sound.speaker,
        "slow-morning": sets.slow_morning,
        "evening-bath": sets.evening_bath,
    }
)


def cut_out(key: str, *, side: int = 1600) -> Image.Image:
    """The product ``key`` on nothing: RGBA, ``side`` pixels square."""
    subject = SUBJECTS[key]()
    return photographed(subject.parts, camera=subject.camera, side=side)


def photo(key: str, *, side: int = 1600) -> Image.Image:
    """The packshot of ``key``: RGB on a plain light ground, or RGBA if it is cut out already."""
    subject = SUBJECTS[key]()
    product = photographed(subject.parts, camera=subject.camera, side=side)
    return on_ground(product, subject.ground) if subject.ground else product


def photo_file(key: str, *, side: int = 1600) -> tuple[str, bytes]:
    """A file name and its bytes: JPEG with a ground, PNG without. The same each time."""
    picture = photo(key, side=side)
    buffer = io.BytesIO()
    if picture.mode == "RGBA":
        picture.save(buffer, "PNG", compress_level=4)
        return f"{key}.png", buffer.getvalue()
    picture.save(buffer, "JPEG", quality=93, subsampling=0)
    return f"{key}.jpg", buffer.getvalue()
