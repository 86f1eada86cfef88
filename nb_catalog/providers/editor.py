"""The built-in editor: adjusts an existing picture. No network, no key, no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.conf import picture_limits
from nb_catalog.core.types import PARENT, Rect
from nb_catalog.exceptions import NoPicture, PictureMissing, RequestRejected
from nb_catalog.imaging.adjust import (
    EDIT_CHECK,
    ProductMask,
    RenderedScene,
    adjust_file,
    parse_adjustments,
)
from nb_catalog.imaging.adjust.geometry import as_rows, matrix_of, then
from nb_catalog.imaging.colour_shift import RELIT_CHECK
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

ALIAS: Final = "editor"
VERSION: Final = "editor/1"


class EditorProvider(Provider):
    """Makes the adjustments of ``edit`` on the reference with the role "parent".

    A reference with the role "mask" is the product's alpha in its photo, as a PNG file. ``edit`` has
    ``adjustments``, ``origin`` (the picture's IPTC term) and, if known, ``product`` and ``place`` (left, top,
    width and height in pixels, in the picture and in the one that was made first) with the ``matrix`` from
    the one to the other.
    """

    is_free = True
    composites = True

    def build(self, request: ImageRequest) -> Payload:
        """Return picture, adjustments, and what is known of product and scene.

        Raises ``RequestRejected`` for invalid adjustments, ``PictureMissing`` without a picture.
        """
        files = {each.role: each.data for each in request.references}
        if PARENT not in files:
            raise PictureMissing("The editor needs a picture to adjust, and got none.")
        edit = request.edit
        try:
            body = {
                "picture": files[PARENT],
                "adjustments": parse_adjustments(edit["adjustments"]),
                **options_from(edit, mask=files.get("mask"), request=request),
            }
        except KeyError as error:
            raise RequestRejected(f"The editor's options lack {error}.") from error
        except ValueError as error:
            raise RequestRejected(str(error)) from error
        return Payload(model=request.model, body={**body, "edit": edit})

    async def send(self, payload: Payload) -> RawResponse:
        """Adjust the picture in a thread. Raises ``PictureError``."""
        options = dict(payload.body)
        edit = options.pop("edit")
        file = await asyncio.to_thread(adjust_file, **options, **picture_limits())
        report: dict[str, Any] = {
            EDIT_CHECK: {
                "matrix": as_rows(then(matrix_of(edit.get("matrix")), file.matrix)),
                **({"place": edit["place"]} if edit.get("place") else {}),
            }
        }
        if file.product is not None:
            report["product"] = list(file.product)
        if file.shift is not None:
            report[RELIT_CHECK] = file.shift.report()
        elif edit.get("relit"):
            report[RELIT_CHECK] = dict(edit["relit"])
        headers = {"type": file.mime_type, "report": json.dumps(report)}
        return RawResponse(body=file.data, headers=headers)

    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture, with the product's place in it and how far its colours were changed."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("The editor returned no picture.")
        return ImageResult(
            data=answer.body,
            mime_type=answer.headers.get("type", ""),
            model_version=VERSION,
            report=json.loads(answer.headers.get("report", "{}")),
        )


def options_from(
    edit: Mapping[str, Any], *, mask: bytes | None, request: ImageRequest
) -> dict[str, Any]:
    """Return the keyword arguments of ``adjust_file`` that are about the picture."""
    product, place = edit.get("product"), edit.get("place")
    scene = None
    if edit.get("rendered"):
        scene = RenderedScene(recipe=request.renderer, seed=request.seed, camera=request.camera)
    return {
        "origin": DigitalSourceType(edit["origin"]),
        "product": Rect(*product) if product else None,
        "mask": ProductMask(
            file=mask,
            place=Rect(*place),
            matrix=matrix_of(edit.get("matrix")),
            refine=bool(edit["mask"]["refine"]),
        )
        if mask is not None and place
        else None,
        "scene": scene,
        "bounded": edit.get("relit"),
    }
