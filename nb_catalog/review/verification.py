"""Verifies that the files of a picture show its text: the original and every rendition."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nb_catalog import storage
from nb_catalog.conf import picture_limits
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
    """Return, by the name of each file of ``image``, how its texts compare with the requested ones.

    No OCR is involved: glyphs are drawn again and compared, in any script. While the base image
    exists, the whole picture is composed again, and ink that does not belong to the text is found
    as well.

    Raises ``RequestRefused`` for a picture without typeset text, ``PictureError`` and
    ``StorageFailed`` for a file that cannot be read, ``TextError`` if its fonts have changed.
    """
    if not image.checks.get("text", {}).get("texts"):
        raise RequestRefused(f"Picture {image.pk} has no typeset text.")
    report = Report.from_dict(image.checks["text"])
    layout = Layout.from_mapping(image.spec["renderer"]["layout"])
    chain = fonts.chain_for(report.locale)
    spec: dict[str, Any] = image.spec
    base = None
    # Its file may have been deleted.
    with suppress(PictureMissing):
        product = spec["renderer"].get("product")
        base = BaseImage(
            picture=storage.read(str(spec["photo"])),
            texts=spec["renderer"]["texts"],
            product=Rect(*product) if product else None,
            sizes=spec["renderer"].get("sizes", {}),
        )
    names = [image.file.name, *image.renditions.values_list("file", flat=True)]
    return {
        str(name): verify_file(
            storage.read(str(name)),
            report,
            layout=layout,
            chain=chain,
            base_image=base,
            **picture_limits(),
        )
        for name in names
    }
