"""A small cache of decoded pictures: several results in a row are often made from one picture."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np

from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.recent import RecentArrays
from nb_catalog.imaging.scenery.canvas import Pixels

# A larger picture is scaled down to it. Models make up to 19 million; a product's own photo may have 100
# million, on which text would take minutes and gigabytes.
MAX_PIXELS: Final = 20_000_000

# One picture of 4K, or a dozen of 1K.
_cache = RecentArrays[tuple[Pixels]](max_bytes=64 * 2**20)


def open_cached(picture: bytes, *, max_bytes: int, max_pixels: int) -> Pixels:
    """Return the pixels of ``picture`` on white, (height, width, 3) sRGB uint8, read-only, and at most
    ``MAX_PIXELS`` of them.

    Raises ``PictureError`` if it does not open.
    """
    key = sha256(picture).digest()
    if (cached := _cache.get(key)) is not None:
        return cached[0]
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    facts = examine(picture, decode=False, **limits)
    scale = (MAX_PIXELS / (facts.width * facts.height)) ** 0.5
    side = int(max(facts.width, facts.height) * scale) if scale < 1 else None
    pixels = np.array(flatten(open_photo(picture, longest_side=side, **limits)))
    return _cache.put(key, (pixels,))[0]


def clear() -> None:
    """Empty the cache."""
    _cache.clear()
