"""Decisions about made pictures. A decision and its event commit together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from nb_catalog.exceptions import IllegalMove, RequestRefused
from nb_catalog.models import Placement, ProductImage, ReviewEvent
from nb_catalog.models.images import ImageKind
from nb_catalog.models.moves import hold_image, move_image
from nb_catalog.types import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How a decision about several pictures went; ``refused`` holds a sentence for each that
    could not be decided."""

    decided: int
    refused: tuple[str, ...]


def approve(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> approved. Raises ``IllegalMove`` when somebody decided first, ``RequestRefused``
    for surroundings, which are not a picture of the product."""
    if image.kind != ImageKind.PICTURE:
        raise RequestRefused(f"Picture {image.pk} shows surroundings without the product.")
    _decide(image, "approve", actor=actor, note=note)


def reject(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> rejected. Raises ``IllegalMove`` when somebody decided first."""
    _decide(image, "reject", actor=actor, note=note)


def reconsider(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Rejected -> pending. Raises ``IllegalMove``, ``RequestRefused`` when its file is gone."""
    with transaction.atomic():
        hold_image(image)
        if ProductImage.objects.filter(pk=image.pk).exclude(pruned_at=None).exists():
            raise RequestRefused(
                f"Picture {image.pk} was rejected long ago and its file was taken away."
                " Have another one made."
            )
        _decide(image, "reconsider", actor=actor, note=note)


def retire(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Approved -> retired. Raises ``IllegalMove``, ``RequestRefused`` while it is published."""
    with transaction.atomic():
        # Held first: nobody publishes it between the question and the move.
        hold_image(image)
        slots = list(Placement.objects.filter(image=image).values_list("slot", flat=True))
        if slots:
            raise RequestRefused(
                f"Picture {image.pk} is published ({', '.join(slots)}). "
                f"Publish another one there first, or withdraw it."
            )
        _decide(image, "retire", actor=actor, note=note)


def approve_all(images: Iterable[ProductImage], *, actor: Actor) -> Tally:
    """Approve each picture on its own: one that was decided meanwhile does not stop the rest."""
    decided, refused = 0, []
    for image in images:
        try:
            approve(image, actor=actor)
        except (IllegalMove, RequestRefused) as refusal:
            refused.append(str(refusal))
        else:
            decided += 1
    return Tally(decided=decided, refused=tuple(refused))


def _decide(image: ProductImage, move: str, *, actor: Actor, note: str) -> None:
    with transaction.atomic():
        move_image(image, move)
        ReviewEvent.objects.create(
            image=image, move=move, state=image.state, actor=actor, note=note
        )
