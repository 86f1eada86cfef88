"""The product's photo on its way to a provider, for a single call and for a line of a batch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import ANCHOR, AREA, BACKDROP, DRAFT, PARENT, PhotoSent, Reference
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.references import DEFAULT_LONGEST_SIDE, Limits, as_reference
from nb_catalog.providers import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.registry import read_photo
from nb_catalog.worker import bundles, cutouts, edits
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
    """Return ``job`` with its cut-out and what was done to its photo, and its references.

    If the product cannot be cut out, the job's ``problem`` says why, and there are no references. Raises
    ``PictureError``, ``StorageFailed``.
    """
    if job.image_spec.is_adjusted:
        return edits.adjusted_references(job)
    if job.image_spec.parts:
        job, files = bundles.read_parts(job)
        if job.problem is not None:
            return job, ()
        return job, bundle_references(job.image_spec, files, provider=provider)
    if job.photo is None:
        raise PictureMissing("The product has no photo. Upload one.")
    data = read_photo(job.photo)
    masks: tuple[Reference, ...] = ()
    if job.image_spec.redraws_product:
        job = cutouts.for_comparison(job, data)
    elif not job.image_spec.edit:
        job, masks = cutouts.with_masks(job, data)
    if job.problem is not None:
        return job, ()
    references, sent = references_of(job.image_spec, data, provider=provider, masks=masks)
    return replace(job, photo_sent=sent), references


def references_of(
    spec: ImageSpec, data: bytes, *, provider: Provider, masks: tuple[Reference, ...] = ()
) -> tuple[tuple[Reference, ...], dict[str, Any]]:
    """Return the references of a request for ``spec``, and a ``PhotoSent`` as plain data.

    ``data`` is the product's photo, ``masks`` its stored cut-out for a provider that composites. The photo
    is not among them if the model paints a background that the product is set into. A model gets, in this
    order, the picture to change, the photo, the anchor of a series, the photo of the place and the draft of a
    final; for an edit, the picture, the photo and the mask. Raises ``PictureError``, ``StorageFailed``.
    """
    if provider.composites:
        facts = examine(data, decode=False, **picture_limits())
        references = [Reference(data=data, mime_type=facts.mime_type), *masks]
        if spec.backdrop:
            place = storage.read(spec.backdrop_file)
            facts = examine(place, decode=False, **picture_limits())
            references.append(Reference(data=place, mime_type=facts.mime_type, role=BACKDROP))
        return tuple(references), {}
    limits = limits_of(spec, provider=provider)
    if spec.edit:
        picture = prepare(storage.read(str(spec.edit["file"])), limits=limits)[0]
        photo, sent = prepare(data, limits=limits)
        references = [replace(picture, role=PARENT), photo]
        if area := spec.edit.get("area"):
            mask = prepare(storage.read(str(area["file"])), limits=limits)[0]
            references.append(replace(mask, role=AREA))
        return tuple(references), sent.as_dict()
    canvas: tuple[Reference, ...] = ()
    if spec.canvas:
        # The picture that the model is to change goes first, as the prompt says.
        canvas = (prepare(storage.read(spec.canvas), limits=limits)[0],)
    looks = _prepared_looks(spec, limits=limits)
    if spec.locked:
        return (*canvas, *looks), {}
    reference, sent = prepare(data, limits=limits)
    return (*canvas, reference, *looks), sent.as_dict()


def bundle_references(
    spec: ImageSpec, files: Sequence[bundles.PartFiles], *, provider: Provider
) -> tuple[Reference, ...]:
    """Return the references of a request for a bundle, in the order of its parts.

    For a provider that composites, each photo is followed by its mask. Otherwise they are prepared as
    ``references_of`` does it, and left out if the model paints the background alone. Raises
    ``PictureError``, ``StorageFailed``.
    """
    if provider.composites:
        limits = picture_limits()
        references: list[Reference] = []
        for each in files:
            facts = examine(each.photo, decode=False, **limits)
            references += [Reference(data=each.photo, mime_type=facts.mime_type), *each.masks]
        return tuple(references)
    bounds = limits_of(spec, provider=provider)
    if spec.edit:
        # The picture first and the mask last, as the prompt says: all photos go along, to be left alone.
        picture = prepare(storage.read(str(spec.edit["file"])), limits=bounds)[0]
        mask = prepare(storage.read(str(spec.edit["area"]["file"])), limits=bounds)[0]
        shown = (prepare(each.photo, limits=bounds)[0] for each in files)
        return (replace(picture, role=PARENT), *shown, replace(mask, role=AREA))
    photos = () if spec.locked else tuple(prepare(each.photo, limits=bounds)[0] for each in files)
    return (*photos, *_prepared_looks(spec, limits=bounds))


def _prepared_looks(spec: ImageSpec, *, limits: Limits) -> tuple[Reference, ...]:
    """Return the anchor of a series, the photo of the place and the draft of a final as a model takes them:
    after the products, as the prompt says."""
    return tuple(
        replace(prepare(storage.read(file), limits=limits)[0], role=role)
        for role, file in (
            (ANCHOR, spec.anchor_file),
            (BACKDROP, spec.backdrop_file),
            (DRAFT, spec.draft_file),
        )
        if file
    )


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
    if total is not None:
        files = (spec.canvas, spec.anchor_file, spec.backdrop_file, spec.draft_file)
        others = sum(map(bool, files))
        others += bool(spec.edit) + ("area" in spec.edit)
        total //= (len(spec.parts) or 1) + others
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
