"""Renders the shop's product photos, so that the demo needs no third-party picture files."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from PIL import Image

from demo_project.shop.photography.background import on_background
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
from demo_project.shop.photography.render import photograph
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
    """Return the product ``key`` without background: RGBA, ``side`` pixels square."""
    subject = SUBJECTS[key]()
    return photograph(subject.parts, camera=subject.camera, side=side)


def photo(key: str, *, side: int = 1600) -> Image.Image:
    """Return the packshot of ``key``: RGB on a plain light background, or RGBA without one."""
    subject = SUBJECTS[key]()
    product = photograph(subject.parts, camera=subject.camera, side=side)
    return on_background(product, subject.background) if subject.background else product


def photo_file(key: str, *, side: int = 1600) -> tuple[str, bytes]:
    """Return a file name and reproducible bytes: JPEG with a background, PNG without."""
    picture = photo(key, side=side)
    buffer = io.BytesIO()
    if picture.mode == "RGBA":
        picture.save(buffer, "PNG", compress_level=4)
        return f"{key}.png", buffer.getvalue()
    picture.save(buffer, "JPEG", quality=93, subsampling=0)
    return f"{key}.jpg", buffer.getvalue()
