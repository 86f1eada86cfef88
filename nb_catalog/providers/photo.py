"""The built-in provider of the product's own photos as pictures. No network, no key, no model."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from nb_catalog.conf import picture_limits
from nb_catalog.core.slots import aspect_of
from nb_catalog.core.types import PhotoKind, Treatment
from nb_catalog.exceptions import NoPicture, PictureMissing, RequestRejected
from nb_catalog.imaging.own_photo import own_photo
from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

ALIAS: Final = "photo"
VERSION: Final = "photo/1"


class PhotoProvider(Provider):
    """Returns the photo upright, in 8-bit sRGB and with nothing but its origin as metadata, cropped if
    the request has a ratio.

    The report has the product's place in the picture, if it is known, and what was changed.
    """

    is_free = True
    composites = True

    def build(self, request: ImageRequest) -> Payload:
        """Return photo, ratio and kind of photo.

        Raises ``RequestRejected`` for another treatment and for an invalid ratio, ``PictureMissing``
        without a photo.
        """
        if request.treatment != Treatment.PHOTO:
            raise RequestRejected("This provider shows photos as they are, and nothing else.")
        photo = next((each for each in request.references if each.role == "product"), None)
        if photo is None:
            raise PictureMissing("This provider needs a photo of the product, and got none.")
        try:
            if request.ratio:
                aspect_of(request.ratio)
        except ValueError as error:
            raise RequestRejected(str(error)) from error
        return Payload(
            model=request.model,
            body={
                "photo": photo.data,
                "ratio": request.ratio,
                "is_full_frame": request.photo_kind == PhotoKind.FULL_FRAME,
            },
        )

    async def send(self, payload: Payload) -> RawResponse:
        """Convert and crop the photo in a thread. Raises ``PictureError``."""
        picture = await asyncio.to_thread(own_photo, **payload.body, **picture_limits())
        report = {"product": picture.product, "photo_changes": picture.changes}
        filled = {name: value for name, value in report.items() if value}
        headers = {"type": picture.mime_type, "report": json.dumps(filled)}
        return RawResponse(body=picture.data, headers=headers)

    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture, with the product's place on it and what was changed."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("There is no photo in the response.")
        return ImageResult(
            data=answer.body,
            mime_type=answer.headers.get("type", ""),
            model_version=VERSION,
            report=json.loads(answer.headers.get("report", "{}")),
        )
