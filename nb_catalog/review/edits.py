"""What follows when an edit is approved: the words above the picture move along."""

from __future__ import annotations

import logging

from nb_catalog import generation
from nb_catalog.core import logs
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import ProductImage, Run

logger = logging.getLogger(__name__)


def move_texts(image: ProductImage, *, actor: Actor) -> Run | None:
    """Have the texts set on ``image`` that are on the pictures it is an edit of, free of charge.

    They wait for review. Returns the run, or None if there is nothing to set. Raises ``RequestRefused`` for
    a picture that is not an edit.
    """
    plan = generation.plan_moved_texts(image)
    if not any(plan.wanted()):
        return None
    return generation.start_run(plan, actor=actor, priority=None)


def move_texts_of_approved(image: ProductImage, *, actor: Actor) -> None:
    """Move the texts to ``image`` if it is an edit. The decision stands, whatever becomes of them."""
    if not image.spec.get("edit"):
        return
    try:
        move_texts(image, actor=actor)
    except NBCatalogError as error:
        logger.warning(
            "The text of the pictures before was not set on the edit %s: %s",
            image.pk,
            error,
            extra=logs.fields(image=image.pk),
        )
