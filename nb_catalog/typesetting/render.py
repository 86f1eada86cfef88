"""Picture files with text: typeset, encoded as marked JPEGs, and proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect
from nb_catalog.exceptions import TextError
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.open_cache import open_cached
from nb_catalog.imaging.provenance import DigitalSourceType, strongest, xmp_packet
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import FontChain, Report, ocr, typeset
from nb_catalog.typesetting.arrangement import FREE_SIZES
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.proof import TextProof, verify

QUALITY: Final = 95


class TypesetPicture(NamedTuple):
    """A JPEG, the report of its texts and the proof of each. ``opinion`` is what OCR read differently, or
    why it read nothing; None if it was not asked."""

    data: bytes
    report: Report
    proofs: list[TextProof]
    opinion: ocr.SecondOpinion | None = None


def typeset_picture(
    picture: bytes,
    *,
    layout: Layout,
    texts: Mapping[str, str],
    locale: str,
    chain: FontChain,
    origin: str,
    product: Rect | None = None,
    sizes: Mapping[str, float] = FREE_SIZES,
    use_ocr: bool = False,
    max_bytes: int,
    max_pixels: int,
) -> TypesetPicture:
    """Draw ``texts`` (role -> text) on a picture. The JPEG carries the mark of its ``origin``, an IPTC
    term. The same arguments give the same bytes.

    Raises ``PictureError`` if the picture does not open, and ``TextError`` for text that cannot be typeset
    or that the finished file does not show.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    base_image, product = _open_base(picture, product=product, **limits)
    result = typeset(
        base_image, layout=layout, texts=texts, locale=locale, chain=chain, product=product,
        sizes=sizes,
    )  # fmt: skip
    if not result.report.texts:
        raise TextError(_("there is no text for any of its boxes. Write one."), text="")
    term = strongest(DigitalSourceType(origin), DigitalSourceType.CREATION)
    data = encode(
        result.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    delivered = np.asarray(flatten(open_photo(data, **limits)))
    proofs = verify(
        delivered, report=result.report, layout=layout, chain=chain, expected=result.pixels
    )
    for text, proof in zip(result.report.texts, proofs, strict=True):
        if not proof.is_proved:
            error = TextError(
                _(
                    "the finished file does not show it exactly: its worst character matches by "
                    "%(match)s, at %(em)s px. Increase the box's smallest size."
                )
                % {
                    "match": f"{min(proof.worst_glyph, 1 - proof.difference):.0%}",
                    "em": f"{proof.em:.0f}",
                },
                text=text.text,
            )
            raise error.at(box=text.role, locale=locale)
    opinion = ocr.second_opinion(delivered, result.report) if use_ocr else None
    return TypesetPicture(data, result.report, proofs, opinion)


class BaseImage(NamedTuple):
    """What was typeset: the picture's file, texts by role, the rectangle of its product, and sizes by
    role."""

    picture: bytes
    texts: Mapping[str, str]
    product: Rect | None
    sizes: Mapping[str, float] = FREE_SIZES


def verify_file(
    file: bytes,
    report: Report,
    *,
    layout: Layout,
    chain: FontChain,
    base_image: BaseImage | None = None,
    max_bytes: int,
    max_pixels: int,
) -> list[TextProof]:
    """Compare a file of a picture, at any width, with the texts of ``report``; with ``base_image``, also
    measure stray ink in their boxes.

    Raises ``PictureError`` if the file does not open, ``TextError`` if the fonts have changed.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    delivered = np.asarray(flatten(open_photo(file, **limits)))
    expected = None
    if base_image is not None:
        below, product = _open_base(base_image.picture, product=base_image.product, **limits)
        expected = typeset(
            below, layout=layout, texts=base_image.texts, locale=report.locale, chain=chain,
            product=product, sizes=base_image.sizes,
        ).pixels  # fmt: skip
    return verify(delivered, report=report, layout=layout, chain=chain, expected=expected)


def _open_base(
    picture: bytes, *, product: Rect | None, max_bytes: int, max_pixels: int
) -> tuple[Pixels, Rect | None]:
    """Return the pixels of a base image and the rectangle of its product on them: a large one is scaled
    down. Cached, because the same picture comes once for each locale."""
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    pixels = open_cached(picture, **limits)
    if product is None:
        return pixels, None
    scale = pixels.shape[1] / examine(picture, decode=False, **limits).width
    return pixels, Rect(*(round(each * scale) for each in product))
