"""What a placement keeps, so that a page of any length asks the database once and no storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NotRequired, TypedDict

from nb_catalog.models import Rendition


class PictureData(TypedDict):
    """``Placement.delivery``: plain values, nothing in it is escaped. ``srcsets`` are by format.

    Read once for every picture of every page: what can be told from the rest is left out. ``said`` are
    the words on the picture, which its alternative text has to tell; only pictures with words have it.
    """

    src: str
    width: int
    height: int
    srcsets: dict[str, str]
    origin: str
    said: NotRequired[str]


def picture_data(renditions: Iterable[Rendition], *, origin: str, said: str = "") -> PictureData:
    """Everything that a page needs of one published picture; sizes in pixels."""
    by_format: dict[str, list[Rendition]] = defaultdict(list)
    for rendition in sorted(renditions, key=lambda each: each.width):
        by_format[rendition.format].append(rendition)
    widest = by_format["jpeg"][-1]
    kept: PictureData = {
        "src": widest.url,
        "width": widest.width,
        "height": widest.height,
        "srcsets": {kind: _srcset(files) for kind, files in by_format.items()},
        "origin": str(origin),
    }
    return {**kept, "said": said} if said else kept


def _srcset(renditions: Iterable[Rendition]) -> str:
    # A space ends an address in a srcset; not every storage quotes its addresses.
    return ", ".join(f"{each.url.replace(' ', '%20')} {each.width}w" for each in renditions)


def widths_of(srcset: str) -> dict[int, str]:
    """Width in pixels -> address, from a srcset that ``picture_data`` wrote."""
    pairs = (each.rsplit(" ", 1) for each in srcset.split(", ") if each)
    return {int(width.removesuffix("w")): url for url, width in pairs}
