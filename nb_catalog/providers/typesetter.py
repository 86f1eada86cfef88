"""The embedded typesetter: words on a picture that exists. No network, no key, no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.conf import settings
from nb_catalog.core.types import Rect
from nb_catalog.exceptions import InvalidSettings, NoPicture, PictureMissing, RequestRejected
from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.render import typeset_picture

ALIAS: Final = "typesetter"
VERSION: Final = "typesetter/1"


class TypesetterProvider(Provider):
    """Sets the words of ``renderer`` on the picture that comes as the reference.

    ``renderer`` has ``layout`` (a ``layouts.Layout`` as its mapping), ``texts`` (role -> text),
    ``locale``, ``origin`` (the picture's IPTC term) and, where it is known, ``product``: left, top,
    width and height in pixels.

    With ``ocr`` Tesseract reads each picture back, where the extra "ocr", the program and its data for the
    language are installed: half a second a picture, and a second opinion on the review page.
    """

    is_free = True
    composites = True

    def __init__(self, *, alias: str, ocr: bool = True) -> None:
        super().__init__(alias=alias)
        if not isinstance(ocr, bool):
            raise InvalidSettings(
                f"expected True or False, got {ocr!r}.",
                path=f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']['ocr']",
            )
        self.ocr = ocr

    def build(self, request: ImageRequest) -> Payload:
        """Picture, layout, words and locale.

        Raises ``RequestRejected`` for a layout that is wrong, ``PictureMissing`` without a picture.
        """
        if not request.references:
            raise PictureMissing("The typesetter needs a picture to set words on, and got none.")
        told = request.renderer
        try:
            layout = Layout.from_mapping(told["layout"])
            texts, locale, origin = dict(told["texts"]), str(told["locale"]), str(told["origin"])
        except KeyError as error:
            raise RequestRejected(f"The typesetter was told nothing of {error}.") from error
        except ValueError as error:
            raise RequestRejected(f"The layout is wrong. {error}") from error
        product = told.get("product")
        return Payload(
            model=request.model,
            body={
                "picture": request.references[0].data,
                "layout": layout,
                "texts": texts,
                "locale": locale,
                "origin": origin,
                "product": Rect(*product) if product else None,
                "use_ocr": self.ocr,
            },
        )

    async def send(self, payload: Payload) -> RawResponse:
        """Set the words in a thread. Raises ``PictureError``, ``TextError``, ``FontUnreadable``."""
        data, report = await asyncio.to_thread(_set, payload.body)
        return RawResponse(body=data, headers={"report": json.dumps(report)})

    def parse(self, answer: RawResponse) -> ImageResult:
        """The picture as it was made, and the report of what was set."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("The typesetter answered without a picture.")
        return ImageResult(
            data=answer.body,
            mime_type="image/jpeg",
            model_version=VERSION,
            report=json.loads(answer.headers.get("report", "{}")),
        )


def _set(body: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    told = dict(body)
    made = typeset_picture(
        told.pop("picture"),
        chain=fonts.chain_for(body["locale"]),
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
        **told,
    )
    proofs = {each.role: round(each.worst_glyph, 3) for each in made.proofs}
    said: dict[str, Any] = {"text": made.report.as_dict(), "text_proof": proofs}
    if made.ocr_differences is not None:
        said["text_read"] = made.ocr_differences
    return made.data, said
