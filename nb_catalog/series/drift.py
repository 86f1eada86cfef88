"""How far the pictures of a series are from its anchor, as its page shows it: a strip of members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nb_catalog.imaging.drift import DRIFT_CHECK, describe_missing, describe_part
from nb_catalog.imaging.reframe import FRAMING_CHECK, describe_unframed
from nb_catalog.models import ProductImage, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDrift:
    """How far one picture is from the anchor of its series.

    ``score`` is None if it was not compared; up to 1 it is within the look. ``is_outlier`` says that a person
    should look at it, and ``reason`` why, in a sentence; "" if there is nothing to say. ``is_stale`` is
    whether the series has another anchor now than the one that it was compared with.
    """

    image_id: int
    score: float | None
    is_outlier: bool
    reason: str
    is_stale: bool = False


def drift_strip(series: Series, images: Iterable[ProductImage]) -> list[MemberDrift]:
    """Return the drift of each of ``images``, pictures of members of ``series``, in their order.

    The checks of ``images`` and the anchor of ``series`` have to be loaded: there is at most one query, for
    the anchor.
    """
    anchor = "" if series.anchor is None else series.anchor.sha256
    members = []
    for image in images:
        found, framing = image.checks.get(DRIFT_CHECK, {}), image.checks.get(FRAMING_CHECK, {})
        score = found.get("score")
        reason = ""
        if score is not None and score > 1:
            reason = describe_part(found["worst"])
        elif "missing" in framing:
            reason = describe_unframed(framing["missing"])
        elif "missing" in found:
            reason = describe_missing(found["missing"])
        members.append(
            MemberDrift(
                image_id=image.pk,
                score=score,
                is_outlier=bool(reason),
                reason=reason,
                is_stale=bool(found) and bool(anchor) and found["anchor"] != anchor,
            )
        )
    return members
