"""Whether the files of a picture show its words: every one of them, the original and what was derived."""

from __future__ import annotations

from typing import Any

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.core.types import Rect
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.models import ProductImage
from nb_catalog.typesetting import Report, fonts
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.proof import TextProof
from nb_catalog.typesetting.render import BaseImage, verify_file

__all__ = [
    "verify_text",
]


def verify_text(image: ProductImage) -> dict[str, list[TextProof]]:
    """By the name of each file of ``image``, how its texts compare with what was asked for. Nothing is
    read as words: letters are drawn anew and compared, in any script. Where the picture below is still
    there, the whole is composed anew, and ink that does not belong to the words is found as well.

    Raises ``RequestRefused`` for a picture without words, ``PictureError`` and ``StorageFailed`` for
    a file that cannot be read, ``TextError`` when its fonts are others now.
    """
    if not image.checks.get("text"):
        raise RequestRefused(f"Picture {image.pk} has no words of ours on it.")
    report = Report.from_dict(image.checks["text"])
    layout = Layout.from_mapping(image.spec["renderer"]["layout"])
    chain = fonts.chain_for(report.locale)
    base_image = _base_image(image)
    names = [image.file.name, *image.renditions.values_list("file", flat=True)]
    return {
        str(name): verify_file(
            storage.read(str(name)),
            report,
            layout=layout,
            chain=chain,
            base_image=base_image,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
        for name in names
    }


def _base_image(image: ProductImage) -> BaseImage | None:
    """The picture that the words were set on; None where its file was taken away."""
    made_from: dict[str, Any] = image.spec
    try:
        picture = storage.read(str(made_from["photo"]))
    except PictureMissing:
        return None
    product = made_from["renderer"].get("product")
    return BaseImage(
        picture=picture,
        texts=made_from["renderer"]["texts"],
        product=Rect(*product) if product else None,
    )
