"""Whether the files of a picture show its words: every one of them, the original and what was derived."""

from __future__ import annotations

from nb_catalog import files, fonts
from nb_catalog.conf import settings
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.lettering import proved
from nb_catalog.imaging.typeset import Report
from nb_catalog.imaging.typeset.verifying import Compared
from nb_catalog.layouts import Layout
from nb_catalog.models import ProductImage


def verify_text(image: ProductImage) -> dict[str, list[Compared]]:
    """By the name of each file of ``image``, how its texts compare with what was asked for. Nothing is
    read as words: letters are drawn anew and compared, in any script.

    Raises ``RequestRefused`` for a picture without words, ``PictureError`` and ``StorageFailed`` for
    a file that cannot be read, ``TextError`` when its fonts are others now.
    """
    if not image.checks.get("text"):
        raise RequestRefused(f"Picture {image.pk} has no words of ours on it.")
    report = Report.from_dict(image.checks["text"])
    layout = Layout.from_mapping(image.recipe["renderer"]["layout"])
    chain = fonts.chain_for(report.locale)
    names = [image.file.name, *image.renditions.values_list("file", flat=True)]
    return {
        str(name): proved(
            files.read(str(name)),
            report,
            layout=layout,
            chain=chain,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
        for name in names
    }
