"""Words on a picture's file: the typeset picture as a marked JPEG, and what was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, strongest, xmp_packet
from nb_catalog.imaging.typeset import Chain, Report, typeset
from nb_catalog.layouts import Layout, Rect

QUALITY: Final = 95


def lettered(
    picture: bytes,
    *,
    layout: Layout,
    words: Mapping[str, str],
    locale: str,
    chain: Chain,
    origin: str,
    product: Rect | None = None,
    max_bytes: int,
    max_pixels: int,
) -> tuple[bytes, Report]:
    """``words`` (role -> text) on a picture: a JPEG that carries the mark of its ``origin``, an IPTC
    term. Same arguments, same bytes.

    Raises ``PictureError`` when it does not open and ``TextError`` for words that cannot be set.
    """
    opened = flatten(open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels))
    made = typeset(
        np.asarray(opened), layout=layout, words=words, locale=locale, chain=chain, product=product
    )
    term = strongest(DigitalSourceType(origin), DigitalSourceType.CREATION)
    data = encode(
        made.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return data, made.report
