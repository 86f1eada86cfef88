"""Words on a picture's file: the typeset picture as a marked JPEG, and what was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.exceptions import TextError
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.open_cache import open_cached
from nb_catalog.imaging.provenance import DigitalSourceType, strongest, xmp_packet
from nb_catalog.typesetting import FontChain, Report, ocr, typeset
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.proof import Compared, verify

QUALITY: Final = 95


class TypesetPicture(NamedTuple):
    """A JPEG, what was set on it, and the proof of each of its texts. ``doubts`` are what OCR read
    otherwise, by role; None where it was not asked."""

    data: bytes
    report: Report
    proofs: list[Compared]
    doubts: dict[str, str] | None = None


def typeset_picture(
    picture: bytes,
    *,
    layout: Layout,
    texts: Mapping[str, str],
    locale: str,
    chain: FontChain,
    origin: str,
    product: Rect | None = None,
    asks_ocr: bool = False,
    max_bytes: int,
    max_pixels: int,
) -> TypesetPicture:
    """``texts`` (role -> text) on a picture: a JPEG that carries the mark of its ``origin``, an IPTC
    term. Same arguments, same bytes.

    Raises ``PictureError`` when it does not open, and ``TextError`` for words that cannot be set or
    that the finished file does not show.
    """
    bounds = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    # In all languages of the shop the same picture comes again and again.
    ground = open_cached(picture, **bounds)
    made = typeset(ground, layout=layout, texts=texts, locale=locale, chain=chain, product=product)
    term = strongest(DigitalSourceType(origin), DigitalSourceType.CREATION)
    data = encode(
        made.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    shown = np.asarray(flatten(open_photo(data, **bounds)))
    proofs = verify(shown, report=made.report, layout=layout, chain=chain, expected=made.pixels)
    for text, proof in zip(made.report.texts, proofs, strict=True):
        if not proof.is_proved:
            problem = TextError(
                f"the finished file does not show it letter by letter: {proof.worst_letter:.0%} of its "
                f"worst letter, at {proof.em:.0f} px. Give the box a larger smallest size.",
                text=text.text,
            )
            raise problem.at(box=text.role, locale=locale)
    doubts = ocr.find_doubts(shown, made.report) if asks_ocr else None
    return TypesetPicture(data, made.report, proofs, doubts)


class BaseImage(NamedTuple):
    """What the words were set on: the picture's file, the words by role, and where its product is."""

    picture: bytes
    texts: Mapping[str, str]
    product: Rect | None


def prove(
    file: bytes,
    report: Report,
    *,
    layout: Layout,
    chain: FontChain,
    ground: BaseImage | None = None,
    max_bytes: int,
    max_pixels: int,
) -> list[Compared]:
    """Every text of ``report`` compared with what a file of the picture shows, at any width; with
    ``ground``, what else it shows where texts stand.

    Raises ``PictureError`` when it does not open, ``TextError`` when the fonts are others now.
    """
    bounds = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    shown = np.asarray(flatten(open_photo(file, **bounds)))
    expected = None
    if ground is not None:
        expected = typeset(
            open_cached(ground.picture, **bounds), layout=layout, texts=ground.texts,
            locale=report.locale, chain=chain, product=ground.product,
        ).pixels  # fmt: skip
    return verify(shown, report=report, layout=layout, chain=chain, expected=expected)
