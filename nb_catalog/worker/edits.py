"""Edits on their way: the picture that is changed, and what is known of its product. Runs in pool threads."""

from __future__ import annotations

import logging

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core import logs
from nb_catalog.core.types import PARENT, Reference
from nb_catalog.exceptions import PictureError, StorageFailed
from nb_catalog.imaging.inspect import examine
from nb_catalog.registry import read_photo
from nb_catalog.worker import cutouts
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)


def adjusted_references(job: ClaimedJob) -> tuple[ClaimedJob, tuple[Reference, ...]]:
    """Return ``job``, and what the editor needs: the picture, and the product's mask if it was planned.

    Raises ``PictureError``, ``StorageFailed``.
    """
    edit = job.image_spec.edit
    data = storage.read(str(edit["file"]))
    facts = examine(data, decode=False, **picture_limits())
    references = [Reference(data=data, mime_type=facts.mime_type, role=PARENT)]
    if mask := edit.get("mask"):
        file = storage.read(str(mask["file"]))
        references.append(Reference(data=file, mime_type="image/png", role="mask"))
    return for_comparison(job), tuple(references)


def for_comparison(job: ClaimedJob) -> ClaimedJob:
    """Return ``job`` with the cut-out that its picture will be compared with, if a model drew the product.

    Without photo or cut-out the picture is not compared; it is made all the same.
    """
    if job.photo is None or not job.image_spec.redraws_product or job.image_spec.parts:
        return job
    try:
        return cutouts.for_comparison(job, read_photo(job.photo))
    except (PictureError, StorageFailed):
        logger.warning(
            "The product's photo of job %s cannot be read: its edit is not compared with it.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        return job
