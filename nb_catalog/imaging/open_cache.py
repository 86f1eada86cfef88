"""A small cache of decoded pictures: several results in a row are often made from one picture."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Final

import numpy as np

from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.scenery.canvas import Pixels

# Bytes of pixels in the cache: one picture of 4K, or a dozen of 1K.
MAX_BYTES: Final = 64 * 2**20

# A larger picture is scaled down to it. Models make up to 19 million; a product's own photo may have 100
# million, on which text would take minutes and gigabytes.
MAX_PIXELS: Final = 20_000_000

_cache: OrderedDict[bytes, Pixels] = OrderedDict()
_lock = Lock()


def open_cached(picture: bytes, *, max_bytes: int, max_pixels: int) -> Pixels:
    """Return the pixels of ``picture`` on white, (height, width, 3) sRGB uint8, read-only, and at most
    ``MAX_PIXELS`` of them.

    Raises ``PictureError`` if it does not open.
    """
    key = sha256(picture).digest()
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    facts = examine(picture, decode=False, **limits)
    scale = (MAX_PIXELS / (facts.width * facts.height)) ** 0.5
    side = int(max(facts.width, facts.height) * scale) if scale < 1 else None
    pixels = np.array(flatten(open_photo(picture, longest_side=side, **limits)))
    pixels.flags.writeable = False
    with _lock:
        _cache[key] = pixels
        _cache.move_to_end(key)
        while len(_cache) > 1 and sum(each.nbytes for each in _cache.values()) > MAX_BYTES:
            _cache.popitem(last=False)
        if pixels.nbytes > MAX_BYTES:
            del _cache[key]
    return pixels


def clear() -> None:
    """Empty the cache."""
    with _lock:
        _cache.clear()
