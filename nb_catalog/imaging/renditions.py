"""Renditions: a stored picture as the files that a shop delivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nb_catalog.imaging.encode import MIME_TYPES, encode, flatten, shrink
from nb_catalog.imaging.inspect import examine, open_photo


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionFile:
    """One file for delivery; sizes in pixels."""

    format: str
    mime_type: str
    width: int
    height: int
    data: bytes = field(repr=False)


def derive(
    picture: bytes,
    *,
    widths: Iterable[int],
    formats: Iterable[str],
    xmp: bytes,
    max_bytes: int,
    max_pixels: int,
) -> Iterator[RenditionFile]:
    """Yield ``picture`` in each of ``formats`` at each of ``widths`` that does not enlarge it.

    A picture narrower than the widest of ``widths`` is also delivered at its own width. Every file
    contains ``xmp``. Raises ``PictureError`` if the picture does not open.
    """
    widths = list(widths)
    facts = examine(picture, max_bytes=max_bytes, max_pixels=max_pixels, decode=False)
    side = -(-max(widths) * max(facts.width, facts.height) // facts.width)
    image = flatten(
        open_photo(picture, longest_side=side, max_bytes=max_bytes, max_pixels=max_pixels)
    )
    for width in fitting_widths(widths, own=image.width):
        smaller = shrink(image, width=width)
        for each in formats:
            yield RenditionFile(
                format=each,
                mime_type=MIME_TYPES[each],
                width=smaller.width,
                height=smaller.height,
                data=encode(smaller, format=each, xmp=xmp),  # type: ignore[arg-type]
            )


def fitting_widths(widths: Iterable[int], *, own: int) -> list[int]:
    """Return the widths, ascending, at which a picture ``own`` pixels wide is not enlarged."""
    requested = set(widths)
    smaller = {width for width in requested if width < own}
    return sorted(smaller | {min(own, max(requested))})
