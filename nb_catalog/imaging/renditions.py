"""From a stored picture to the files that a shop delivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nb_catalog.imaging.encode import MIME_TYPES, encode, flatten, shrink
from nb_catalog.imaging.inspect import open_photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One delivery file; sizes in pixels."""

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
) -> Iterator[Derived]:
    """``picture`` in each of ``formats`` at each of ``widths`` that does not enlarge it.

    A picture narrower than the widest one asked for is delivered at its own width too. Every
    file carries ``xmp``. Raises ``PictureError`` when the picture does not open.
    """
    image = flatten(open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels))
    for width in fitting_widths(widths, own=image.width):
        smaller = shrink(image, width=width)
        for each in formats:
            yield Derived(
                format=each,
                mime_type=MIME_TYPES[each],
                width=smaller.width,
                height=smaller.height,
                data=encode(smaller, format=each, xmp=xmp),  # type: ignore[arg-type]
            )


def fitting_widths(widths: Iterable[int], *, own: int) -> list[int]:
    """The widths that make sense for a picture of ``own`` pixels across, ascending."""
    asked = set(widths)
    smaller = {width for width in asked if width < own}
    return sorted(smaller | {min(own, max(asked))})
