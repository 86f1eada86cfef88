"""Decisions about all pictures of a series."""

from __future__ import annotations

from nb_catalog import generation
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.models import Series
from nb_catalog.review.services import BulkReviewResult, approve_all


def approve_series(series: Series, *, actor: Actor) -> BulkReviewResult:
    """Approve the pending pictures of ``series`` that have its look, and the text on them, as ``approve_all``
    does."""
    pictures = list(generation.member_pictures(series))
    pending = [
        each.image
        for each in (*pictures, *generation.member_texts(series, pictures))
        if each.is_current and each.image is not None and each.image.state == ImageState.PENDING
    ]
    return approve_all(pending, actor=actor)
