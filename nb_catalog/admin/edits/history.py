"""The history of a picture's edits as the page shows it, what is being made, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.contrib.admin import AdminSite
from django.utils.translation import gettext

from nb_catalog.admin import thumbnails
from nb_catalog.core.states import JOB_UNDERWAY, JobState
from nb_catalog.imaging.adjust.words import describe_adjustments
from nb_catalog.models import ImageJob, ProductImage
from nb_catalog.models.images import ImageKind

# Pictures of one product that are searched for the family of a picture, the newest ones.
MOST_RELATED: Final = 1000
MOST_FAILURES: Final = 3
ENDED_BADLY: Final = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)


class EditStep(NamedTuple):
    """A picture of a family of edits: how many edits led to it, and what the last one was."""

    image: ProductImage
    depth: int
    words: str
    thumbnail: str


def edit_steps(image: ProductImage, *, site: AdminSite) -> list[EditStep]:
    """Return the family of ``image``: the picture that its edits began with and all edits of that, each
    followed by its own. Two queries."""
    rows = ProductImage.objects.filter(
        content_type_id=image.content_type_id, object_id=image.object_id, kind=ImageKind.PICTURE
    ).prefetch_related(thumbnails.RENDITIONS)
    related = {row.pk: row for row in rows.defer("provenance", "checks")[:MOST_RELATED]}
    related.setdefault(image.pk, image)
    children: dict[int, list[ProductImage]] = {}
    for row in sorted(related.values(), key=lambda each: each.pk):
        if row.spec.get("edit") and row.parent_id is not None:
            children.setdefault(row.parent_id, []).append(row)
    root = related[image.pk]
    while root.spec.get("edit") and root.parent_id in related:
        root = related[root.parent_id]
    steps: list[EditStep] = []
    waiting = [(root, 0)]
    while waiting:
        row, depth = waiting.pop()
        thumbnail = thumbnails.thumbnail_url(row, site=site)
        steps.append(EditStep(row, depth, words_of(row), thumbnail))
        waiting += [(child, depth + 1) for child in reversed(children.get(row.pk, []))]
    return steps


def words_of(image: ProductImage) -> str:
    """Return what the last edit of ``image`` was; for one that is none, that the edits began with it."""
    edit = image.spec.get("edit") or {}
    if "instruction" in edit:
        return f"“{edit['instruction']}”"
    if "adjustments" in edit:
        return describe_adjustments(edit["adjustments"])
    return gettext("the picture as it was made")


def underway(steps: Sequence[EditStep]) -> int:
    """Return how many edits of the pictures in ``steps`` are being made. One query."""
    first = steps[0].image
    digests = {step.image.sha256 for step in steps}
    jobs = ImageJob.objects.filter(
        content_type_id=first.content_type_id,
        object_id=first.object_id,
        state__in=JOB_UNDERWAY,
    )
    return sum(_parent_of(job) in digests for job in jobs)


def failures_of(image: ProductImage) -> list[ImageJob]:
    """Return the last edits of ``image`` that failed since the last one that was made. One query."""
    jobs = ImageJob.objects.filter(
        content_type_id=image.content_type_id,
        object_id=image.object_id,
        state__in=(*ENDED_BADLY, JobState.SUCCEEDED),
    ).order_by("-pk")[:50]
    found: list[ImageJob] = []
    for job in jobs:
        if _parent_of(job) != image.sha256:
            continue
        if job.state == JobState.SUCCEEDED or len(found) == MOST_FAILURES:
            break
        found.append(job)
    return found


def _parent_of(job: ImageJob) -> str:
    edit = job.spec.get("edit") if isinstance(job.spec, dict) else None
    return str((edit or {}).get("parent", ""))
