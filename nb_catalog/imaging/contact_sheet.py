"""A contact sheet: several pictures small on one, for an e-mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, strongest, xmp_packet

# Pixels: of a cell's sides, and of the space around it. Four cells fit the width of most mail programs.
CELL: Final = 140
GAP: Final = 8
COLUMNS: Final = 4
GROUND: Final = "#ffffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPicture:
    """The bytes of a picture, and the term of its origin."""

    data: bytes
    source_type: DigitalSourceType


def contact_sheet(
    pictures: Iterable[SheetPicture], *, max_bytes: int, max_pixels: int
) -> bytes | None:
    """Return a JPEG file with ``pictures`` in rows of four, in their order; None if none can be read.

    Those that cannot be read leave no gap. The file has the mark of the one with the most AI.
    """
    cells: list[Image.Image] = []
    terms: list[DigitalSourceType] = []
    for each in pictures:
        try:
            picture = open_photo(
                each.data, longest_side=CELL, max_bytes=max_bytes, max_pixels=max_pixels
            )
        except PictureError:
            continue
        cells.append(flatten(picture))
        terms.append(each.source_type)
    if not cells:
        return None
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    size = (GAP + columns * (CELL + GAP), GAP + rows * (CELL + GAP))
    sheet = Image.new("RGB", size, GROUND)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        left = GAP + column * (CELL + GAP) + (CELL - cell.width) // 2
        top = GAP + row * (CELL + GAP) + (CELL - cell.height) // 2
        sheet.paste(cell, (left, top))
    return encode(sheet, format="jpeg", xmp=xmp_packet(strongest(*terms)))
