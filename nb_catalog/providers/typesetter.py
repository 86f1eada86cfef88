"""The built-in typesetter: sets text on an existing picture. No network, no key, no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.conf import picture_limits
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
    """Sets the texts of ``renderer`` on the picture that is passed as the reference.

    ``renderer`` has ``layout`` (a ``layouts.Layout`` as its mapping), ``texts`` (role -> text),
    ``locale``, ``origin`` (the picture's IPTC term) and, if known, ``product``: left, top, width
    and height in pixels. ``sizes`` are the largest ems by role, as shares of the shorter side.

    With ``ocr``, Tesseract reads each picture back if the extra "ocr", the program and its data for
    the language are installed. It takes half a second per picture and gives the review page a
    second opinion. A picture never waits for it longer than ``ocr.PICTURE_SECONDS``, nor fails
    with it: the report says why there is no opinion.
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
        """Return picture, layout, texts and locale.

        Raises ``RequestRejected`` for an invalid layout, ``PictureMissing`` without a picture.
        """
        if not request.references:
            raise PictureMissing("The typesetter needs a picture to set text on, and got none.")
        options = request.renderer
        try:
            layout = Layout.from_mapping(options["layout"])
            texts, locale = dict(options["texts"]), str(options["locale"])
            origin = str(options["origin"])
        except KeyError as error:
            raise RequestRejected(f"The typesetter's options lack {error}.") from error
        except ValueError as error:
            raise RequestRejected(f"The layout is invalid. {error}") from error
        product = options.get("product")
        return Payload(
            model=request.model,
            body={
                "picture": request.references[0].data,
                "layout": layout,
                "texts": texts,
                "locale": locale,
                "origin": origin,
                "product": Rect(*product) if product else None,
                "sizes": dict(options.get("sizes", {})),
                "use_ocr": self.ocr,
            },
        )

    async def send(self, payload: Payload) -> RawResponse:
        """Set the text in a thread. Raises ``PictureError``, ``TextError``, ``FontUnreadable``."""
        data, report = await asyncio.to_thread(render_text, payload.body)
        return RawResponse(body=data, headers={"report": json.dumps(report)})

    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture, and the report about the text on it."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("The typesetter returned no picture.")
        return ImageResult(
            data=answer.body,
            mime_type="image/jpeg",
            model_version=VERSION,
            report=json.loads(answer.headers.get("report", "{}")),
        )


def render_text(body: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Set the texts on the picture: return a JPEG file and the report about it."""
    options = dict(body)
    result = typeset_picture(
        options.pop("picture"),
        chain=fonts.chain_for(body["locale"]),
        **picture_limits(),
        **options,
    )
    report = {
        "text": result.report.as_dict(),
        "text_proof": {each.role: round(each.worst_glyph, 3) for each in result.proofs},
    }
    if result.opinion is None:
        return result.data, report
    if result.opinion.differences is None:
        return result.data, {**report, "text_read_missing": dict(result.opinion.missing)}
    return result.data, {**report, "text_read": result.opinion.differences}
