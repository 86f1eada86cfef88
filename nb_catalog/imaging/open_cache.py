"""Pictures that were just opened, kept for a moment: the next ones are made of them too."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Final

import numpy as np

from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.canvas import Pixels

# Bytes of pixels that are kept: one picture of 4K, or a dozen of 1K.
MOST: Final = 64 * 2**20

_kept: OrderedDict[bytes, Pixels] = OrderedDict()
_keeping = Lock()


def open_cached(picture: bytes, *, max_bytes: int, max_pixels: int) -> Pixels:
    """The pixels of ``picture`` on white, (height, width, 3) sRGB uint8, not to be written to.

    Raises ``PictureError`` when it does not open.
    """
    key = sha256(picture).digest()
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    pixels = np.array(flatten(open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels)))
    pixels.flags.writeable = False
    with _keeping:
        _kept[key] = pixels
        _kept.move_to_end(key)
        while len(_kept) > 1 and sum(each.nbytes for each in _kept.values()) > MOST:
            _kept.popitem(last=False)
        if pixels.nbytes > MOST:
            del _kept[key]
    return pixels


def forget() -> None:
    """Let all of them go."""
    with _keeping:
        _kept.clear()
