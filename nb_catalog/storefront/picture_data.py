"""What a placement stores of its picture, so that pages need one query and no storage access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NotRequired, TypedDict

from nb_catalog.models import PhotoRendition, Rendition


class PictureData(TypedDict):
    """``Placement.picture_data``: plain values, not escaped. ``srcsets`` are by format.

    It is read for every picture of every page, so what can be derived is left out. ``overlay_text``
    is the text on the picture, for its alternative text; other pictures do not have the key.
    """

    src: str
    width: int
    height: int
    srcsets: dict[str, str]
    origin: str
    overlay_text: NotRequired[str]


def picture_data(
    renditions: Iterable[Rendition | PhotoRendition], *, origin: str, overlay_text: str = ""
) -> PictureData:
    """Return everything that a page needs of one published picture; sizes in pixels."""
    by_format: dict[str, list[Rendition | PhotoRendition]] = defaultdict(list)
    for rendition in sorted(renditions, key=lambda each: each.width):
        by_format[rendition.format].append(rendition)
    widest = by_format["jpeg"][-1]
    data: PictureData = {
        "src": widest.url,
        "width": widest.width,
        "height": widest.height,
        "srcsets": {
            # A space ends an address in a srcset, and not every storage quotes its addresses.
            name: ", ".join(f"{each.url.replace(' ', '%20')} {each.width}w" for each in files)
            for name, files in by_format.items()
        },
        "origin": str(origin),
    }
    return {**data, "overlay_text": overlay_text} if overlay_text else data


def widths_of(srcset: str) -> dict[int, str]:
    """Return width in pixels -> address, from a srcset that ``picture_data`` wrote."""
    pairs = (each.rsplit(" ", 1) for each in srcset.split(", ") if each)
    return {int(width.removesuffix("w")): url for url, width in pairs}
