"""The product's photo on its way to a provider, for a single call and for a line of a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, Reference
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.imaging import locked
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.references import LEAST_SIDE, Limits, as_reference
from nb_catalog.providers import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.registry import read_photo
from nb_catalog.worker.types import ClaimedJob

# Of the longer side of the wanted picture: more detail than that cannot show in it.
SIDES: Final = 2


def references_for(
    order: ClaimedJob, *, maker: Provider
) -> tuple[ClaimedJob, tuple[Reference, ...]]:
    """The references of ``order``, and the order with what was done to the photo written on it.

    Raises ``PictureError``, ``StorageFailed``.
    """
    if order.photo is None:
        raise PictureMissing("The product has no photo. Upload one.")
    references, sent = references_of(order.spec, order.photo, maker=maker)
    return replace(order, photo_sent=sent), references


def references_of(
    spec: ImageSpec, photo: Photo, *, maker: Provider
) -> tuple[tuple[Reference, ...], dict[str, Any]]:
    """What goes along with a request for ``spec``, and a ``PhotoSent`` as plain data.

    The photo does not go along when the answer will be surroundings that the product is set into.
    Raises ``PictureError``, ``StorageFailed``.
    """
    bounds = {"max_bytes": settings.MAX_PICTURE_BYTES, "max_pixels": settings.MAX_PICTURE_PIXELS}
    data = read_photo(photo)
    if maker.composites:
        facts = examine(data, decode=False, **bounds)
        return (Reference(data=data, mime_type=facts.mime_type),), {}
    limits = limits_of(spec, maker=maker)
    canvas = _canvas(spec, limits=limits, **bounds)
    if spec.locked:
        # Refused before it is paid for, should the product not come out of its background.
        locked.outlined(data, **bounds)
        return canvas, {}
    reference, sent = as_reference(data, limits=limits, **bounds)
    return (*canvas, reference), sent.as_dict()


def _canvas(spec: ImageSpec, *, limits: Limits, **bounds: int) -> tuple[Reference, ...]:
    """The picture that the model is to change; it goes first, as the brief says."""
    if not spec.canvas:
        return ()
    return (as_reference(storage.read(spec.canvas), limits=limits, **bounds)[0],)


def limits_of(spec: ImageSpec, *, maker: Provider) -> Limits:
    """How the photo has to be for ``maker``, and how large it need be for this picture."""
    total = maker.reference_total_bytes
    if total is not None and spec.canvas:
        total //= 2
    sizes = [maker.reference_limit_bytes, total]
    return Limits(
        reads=maker.reads,
        longest_side=max(LEAST_SIDE, SIDES * _longer_side(spec)),
        most_bytes=min((size for size in sizes if size is not None), default=None),
    )


def _longer_side(spec: ImageSpec) -> int:
    try:
        return max(pixel_size(spec.ratio, spec.size))
    except RequestRefused:
        return 0
