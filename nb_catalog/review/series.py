"""Decisions about all pictures of a series."""

from __future__ import annotations

from nb_catalog import generation
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.generation.series_pictures import MemberPicture
from nb_catalog.generation.series_texts import MemberText
from nb_catalog.models import Series
from nb_catalog.review.services import BulkReviewResult, approve_all


def approve_series(series: Series, *, actor: Actor) -> BulkReviewResult:
    """Approve the pending pictures of ``series`` that have its look, and the text on them, as ``approve_all``
    does."""
    pictures = list(generation.member_pictures(series))
    shown: list[MemberPicture | MemberText] = [*pictures]
    shown += generation.member_texts(series, pictures)
    pending = [
        each.image
        for each in shown
        if each.is_current and each.image is not None and each.image.state == ImageState.PENDING
    ]
    return approve_all(pending, actor=actor)
