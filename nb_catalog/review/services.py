"""Decisions about generated pictures. A decision and its event commit together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from nb_catalog import generation
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, ProductImage, ReviewEvent, Run
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import lock_image, transition_image
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, readings_in


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReviewResult:
    """The result of a decision about several pictures; ``refused`` has a message for each that failed."""

    decided: int
    refused: tuple[str, ...]


def approve(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> approved.

    Raises ``InvalidTransition`` if someone else decided first, ``RequestRefused`` for a background,
    which is not a picture of the product.
    """
    if image.kind != ImageKind.PICTURE:
        raise RequestRefused(f"Picture {image.pk} shows a background without the product.")
    _decide(image, "approve", actor=actor, note=note)


def reject(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> rejected. Raises ``InvalidTransition`` if someone else decided first."""
    _decide(image, "reject", actor=actor, note=note)


def reconsider(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Rejected -> pending. Raises ``InvalidTransition``, ``RequestRefused`` if its file was deleted."""
    with transaction.atomic():
        lock_image(image)
        if ProductImage.objects.filter(pk=image.pk).exclude(pruned_at=None).exists():
            raise RequestRefused(
                f"Picture {image.pk} was rejected long ago and its file was deleted."
                " Generate another one."
            )
        _decide(image, "reconsider", actor=actor, note=note)


def retire(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Approved -> retired. Raises ``InvalidTransition``, ``RequestRefused`` while it is published."""
    with transaction.atomic():
        # Locked first, so that nobody publishes it between the check and the transition.
        lock_image(image)
        slots = list(Placement.objects.filter(image=image).values_list("slot", flat=True))
        if slots:
            raise RequestRefused(
                f"Picture {image.pk} is published ({', '.join(slots)}). "
                f"Publish another one there first, or withdraw it."
            )
        _decide(image, "retire", actor=actor, note=note)


def _decide(image: ProductImage, move: str, *, actor: Actor, note: str) -> None:
    with transaction.atomic():
        transition_image(image, move)
        ReviewEvent.objects.create(
            image=image, move=move, state=image.state, actor=actor, note=note
        )


def needs_individual_review(image: ProductImage) -> bool:
    """Return whether a model painted its text, and OCR did not read every letter as requested."""
    if OCR_CHECK not in image.checks:
        return False
    readings = readings_in(image.checks)
    return not readings or not all(reading.is_exact for reading in readings)


def require_individual_review(image: ProductImage) -> None:
    """Raise ``RequestRefused`` for an image that ``needs_individual_review``."""
    if needs_individual_review(image):
        raise RequestRefused(
            f"OCR did not read the text on picture {image.pk} as requested. Look at the picture, and "
            f"decide about it individually."
        )


def approve_all(images: Iterable[ProductImage], *, actor: Actor) -> BulkReviewResult:
    """Approve each picture in its own transaction: one that was already decided does not stop the rest.

    Those that ``needs_individual_review`` names are refused.
    """
    decided, refused = 0, []
    for image in images:
        try:
            require_individual_review(image)
            approve(image, actor=actor)
        except (InvalidTransition, RequestRefused) as refusal:
            refused.append(str(refusal))
        else:
            decided += 1
    return BulkReviewResult(decided=decided, refused=tuple(refused))


def typeset_instead(image: ProductImage, *, actor: Actor) -> Run | None:
    """Have the text that a model painted on ``image`` typeset instead, free of charge.

    Returns the run, or None if such a picture exists or is being made. Raises ``RequestRefused``
    for a picture without painted text, and if the text cannot be typeset.
    """
    plan = generation.plan_replacement([image])
    [item] = plan.items()
    if item.problem:
        raise RequestRefused(item.problem)
    return generation.start_run(plan, actor=actor, priority=None) if item.is_wanted else None
