"""The product's photo on its way to a provider, for a single call and for a line of a batch."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, PhotoSent, Reference
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.imaging import locked
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.references import DEFAULT_LONGEST_SIDE, Limits, as_reference
from nb_catalog.providers import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.registry import read_photo
from nb_catalog.worker.types import ClaimedJob

# Times the longer side of the requested picture: more detail than that cannot show in it.
SIDES: Final = 2
# Prepared photos that are kept, each of at most this many bytes: 32 MB in all.
MOST_CACHED: Final = 16
MOST_CACHED_BYTES: Final = 2 * 2**20

_prepared: OrderedDict[tuple[Any, ...], tuple[Reference, PhotoSent]] = OrderedDict()
_prepared_lock = Lock()


def references_for(
    job: ClaimedJob, *, provider: Provider
) -> tuple[ClaimedJob, tuple[Reference, ...]]:
    """Return ``job`` with what was done to its photo, and its references.

    Raises ``PictureError``, ``StorageFailed``.
    """
    if job.photo is None:
        raise PictureMissing("The product has no photo. Upload one.")
    references, sent = references_of(job.spec, job.photo, provider=provider)
    return replace(job, photo_sent=sent), references


def references_of(
    spec: ImageSpec, photo: Photo, *, provider: Provider
) -> tuple[tuple[Reference, ...], dict[str, Any]]:
    """Return the references of a request for ``spec``, and a ``PhotoSent`` as plain data.

    The photo is not among them if the model paints a background that the product is set into.
    Raises ``PictureError``, ``StorageFailed``.
    """
    bounds = picture_limits()
    data = read_photo(photo)
    if provider.composites:
        facts = examine(data, decode=False, **bounds)
        return (Reference(data=data, mime_type=facts.mime_type),), {}
    limits = limits_of(spec, provider=provider)
    canvas: tuple[Reference, ...] = ()
    if spec.canvas:
        # The picture that the model is to change goes first, as the prompt says.
        canvas = (prepare(storage.read(spec.canvas), limits=limits)[0],)
    if spec.locked:
        # Refused before it is paid for, should the product not come out of its background.
        locked.cut_out_photo(data, **bounds)
        return canvas, {}
    reference, sent = prepare(data, limits=limits)
    return (*canvas, reference), sent.as_dict()


def prepare(photo: bytes, *, limits: Limits) -> tuple[Reference, PhotoSent]:
    """Return ``photo`` as a model takes it, and what was done to it. Raises ``PictureError``.

    The last few are kept: pictures of one product follow each other and are made of the same photo.
    """
    bounds = picture_limits()
    key = (
        sha256(photo).digest(),
        frozenset(limits.reads),
        limits.longest_side,
        limits.most_bytes,
        *bounds.values(),
    )
    with _prepared_lock:
        if key in _prepared:
            _prepared.move_to_end(key)
            return _prepared[key]
    prepared = as_reference(photo, limits=limits, **bounds)
    if len(prepared[0].data) <= MOST_CACHED_BYTES:
        with _prepared_lock:
            _prepared[key] = prepared
            while len(_prepared) > MOST_CACHED:
                _prepared.popitem(last=False)
    return prepared


def limits_of(spec: ImageSpec, *, provider: Provider) -> Limits:
    """Return what the photo has to be for ``provider``, and how large it need be for this picture."""
    total = provider.reference_total_bytes
    if total is not None and spec.canvas:
        total //= 2
    sizes = [provider.reference_limit_bytes, total]
    try:
        longer_side = max(pixel_size(spec.ratio, spec.size))
    except RequestRefused:
        longer_side = 0
    return Limits(
        reads=provider.reads,
        longest_side=max(DEFAULT_LONGEST_SIDE, SIDES * longer_side),
        most_bytes=min((size for size in sizes if size is not None), default=None),
    )
