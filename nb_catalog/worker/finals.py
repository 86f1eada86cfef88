"""Finals: what is known of their drafts, and whether they kept the composition. Comparing runs in pool
threads."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from django.db.models import Count, Sum

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core import logs
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import NBCatalogError, PictureError, StorageFailed
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.composition import COMPOSITION_CHECK, CompositionChange
from nb_catalog.imaging.composition_files import compare_files
from nb_catalog.imaging.reframe import cut_out_product
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import read_photo
from nb_catalog.worker.types import ClaimedJob, DraftPicture

logger = logging.getLogger(__name__)

FINAL_CHECK: Final = "final"
"""The check of a final that holds its draft's key and what both cost, in micro-dollars; null is not known."""


def with_drafts(jobs: Iterable[ClaimedJob]) -> list[ClaimedJob]:
    """Look up the drafts of those of ``jobs``, which request pictures, that are finals. Two queries at
    most."""
    jobs = list(jobs)
    digests = {job.image_spec.draft for job in jobs} - {""}
    if not digests:
        return jobs
    rows = ProductImage.objects.filter(
        sha256__in=digests, kind=ImageKind.PICTURE, pruned_at=None
    ).select_related("job")
    images = list(rows.defer("spec", "provenance").order_by("-pk"))
    # What making each cost; None where a call has no known cost.
    calls = ProviderCall.objects.filter(job__in={image.job_id for image in images} - {None})
    sums = {
        job: total if number == priced else None
        for job, total, number, priced in calls.order_by()
        .values_list("job")
        .annotate(Sum("cost_microusd"), Count("pk"), Count("cost_microusd"))
    }
    costs = {
        image.pk: 0 if image.job is not None and image.job.is_free else sums.get(image.job_id)
        for image in images
    }
    # The earliest of equal pictures of a product is the last.
    drafts = {
        (image.sha256, image.content_type_id, image.object_id): DraftPicture(
            pk=image.pk,
            file=str(image.file.name),
            size=(image.width, image.height),
            product=tuple(image.checks.get("product") or ()),
            cost_microusd=costs.get(image.pk),
        )
        for image in images
    }
    return [
        replace(job, draft=drafts.get((job.image_spec.draft, job.content_type_id, job.object_id)))
        for job in jobs
    ]


def price_check(draft: DraftPicture, *, cost_microusd: int | None) -> dict[str, Any]:
    """Return the check of what a final cost beside its draft."""
    known = None not in (draft.cost_microusd, cost_microusd)
    return {
        FINAL_CHECK: {
            "draft": draft.pk,
            "draft_microusd": draft.cost_microusd,
            "final_microusd": cost_microusd,
            "difference_microusd": (cost_microusd or 0) - (draft.cost_microusd or 0)
            if known
            else None,
        }
    }


def product_place(job: ClaimedJob) -> Box | None:
    """Return where the product of a final has to be: where it is in its draft, as far as that is known.

    A picture of a set has the place that its camera gives it.
    """
    draft = job.draft
    if draft is None or len(draft.product) != 4 or job.image_spec.camera.get("framing"):
        return None
    return Box.of(Rect(*draft.product), Size(*draft.size))


def composition_check(
    job: ClaimedJob, picture: bytes, *, product: Box | None = None
) -> dict[str, Any]:
    """Return the check of how far a final's composition is from its draft's; empty for other pictures.

    ``product`` is the product's box in ``picture``, if it is known.
    """
    draft = job.draft
    if draft is None:
        return {}
    change = _compare(job, draft, picture, product)
    return {COMPOSITION_CHECK: {**change.as_dict(), "draft": draft.pk}}


def _compare(
    job: ClaimedJob, draft: DraftPicture, picture: bytes, product: Box | None
) -> CompositionChange:
    limits = picture_limits()
    try:
        return compare_files(
            storage.read(draft.file),
            picture,
            draft_product=Box.of(Rect(*draft.product), Size(*draft.size))
            if len(draft.product) == 4
            else None,
            final_product=product,
            cutout=_cutout_of(job),
            **limits,
        )
    except (PictureError, StorageFailed):
        return CompositionChange(score=None, missing="draft")
    except Exception:  # noqa: BLE001 - what was paid for is kept, compared or not
        logger.exception(
            "The picture of job %s cannot be compared with its draft.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        return CompositionChange(score=None, missing="failed")


def _cutout_of(job: ClaimedJob) -> Any:
    """Return the pixels of a product that a model drew, to be looked for; None if that is not possible."""
    spec, cutout = job.image_spec, job.found or job.cutout
    if not spec.redraws_product or spec.parts or job.photo is None:
        return None
    if not spec.is_full_frame and (cutout is None or cutout.problem or not cutout.method):
        return None
    try:
        return cut_out_product(
            read_photo(job.photo),
            mask=storage.read(cutout.mask) if cutout and cutout.mask else None,
            photo_kind=spec.photo_kind,
            **picture_limits(),
        ).pixels
    except NBCatalogError:
        return None
