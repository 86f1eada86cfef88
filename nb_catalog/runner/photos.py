"""The product's photo on its way to a provider, for a single call and for a line of a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nb_catalog.cards import pixels
from nb_catalog.conf import settings
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.imaging import locking
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.references import LEAST_SIDE, Limits, as_reference
from nb_catalog.providers import Provider
from nb_catalog.registry import read_photo
from nb_catalog.runner.orders import Order
from nb_catalog.types import Reference

# Of the longer side of the wanted picture: more detail than that cannot show in it.
SIDES: Final = 2


def references_for(order: Order, *, maker: Provider) -> tuple[Order, tuple[Reference, ...]]:
    """The references of ``order``, and the order with what was done to the photo written on it.

    There are none when the answer will be surroundings that the product is set into. Raises
    ``PictureError``, ``StorageFailed``.
    """
    if order.photo is None:
        raise PictureMissing("The product has no photo. Upload one.")
    bounds = {"max_bytes": settings.MAX_PICTURE_BYTES, "max_pixels": settings.MAX_PICTURE_PIXELS}
    photo = read_photo(order.photo)
    if maker.composites:
        facts = examine(photo, decode=False, **bounds)
        return order, (Reference(data=photo, mime_type=facts.mime_type),)
    if order.recipe.locked:
        # Refused before it is paid for, should the product not come out of its background.
        locking.outlined(photo, **bounds)
        return order, ()
    reference, sent = as_reference(photo, limits=limits_of(order, maker=maker), **bounds)
    return replace(order, photo_sent=sent.as_dict()), (reference,)


def limits_of(order: Order, *, maker: Provider) -> Limits:
    """How the photo has to be for ``maker``, and how large it need be for this picture."""
    sizes = [maker.reference_limit_bytes, maker.reference_total_bytes]
    return Limits(
        reads=maker.reads,
        longest_side=max(LEAST_SIDE, SIDES * _longer_side(order)),
        most_bytes=min((size for size in sizes if size is not None), default=None),
    )


def _longer_side(order: Order) -> int:
    try:
        return max(pixels(order.recipe.ratio, order.recipe.size))
    except RequestRefused:
        return 0
