"""The series of the demo shop: one look over all products, and one over the sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser

from demo_project.shop.models import Bundle, Product
from nb_catalog import generation, publishing, review
from nb_catalog import series as catalog_series
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import Plan
from nb_catalog.models import Placement, ProductImage, Series

SLOT: Final = "lookbook"
LOOKS: Final[tuple[dict[str, Any], ...]] = (
    {
        "key": "collection",
        "name": "The collection",
        "model": Product,
        "scene": "sunlit-window",
        "framing": {"fill": 0.6, "place": "centre", "baseline": 0.2},
        "overrides": {"light": {"side": "left"}},
    },
    {
        "key": "gift-sets",
        "name": "Gift sets",
        "model": Bundle,
        "bundles": True,
        "scene": "festive",
        "framing": {"fill": 0.66, "place": "centre", "baseline": 0.2},
    },
)


def create_series() -> list[Series]:
    """Create missing series with all products or sets as members; return those that have members.

    What a person has removed stays removed.
    """
    found = []
    for look in LOOKS:
        series = Series.objects.filter(key=look["key"]).first()
        series = series or catalog_series.create(slot=SLOT, tier="draft", **look)
        catalog_series.add(series, look["model"].objects.all(), by_rule=True)
        if series.members.filter(removed_at=None).exists():
            found.append(series)
    return found


def series_plans(series: Iterable[Series]) -> list[Plan]:
    return [generation.plan_series(each) for each in series]


def publish(series: Series, *, actor: AbstractBaseUser) -> int:
    """Approve and publish the pictures that nobody has reviewed yet, and return how many.

    The first one becomes the anchor of a series without one. Without new ones, a place in which a picture was
    withdrawn stays empty.
    """
    approved = review.approve_series(series, actor=actor).approved
    if not approved:
        return 0
    if series.anchor is None:
        anchor = ProductImage.objects.get(pk=approved[0])
        catalog_series.save_look(catalog_series.with_anchor(series, anchor))
        series.refresh_from_db()
    publication = publishing.publish_series(series, actor=actor, partial=True)
    return publication.events.count()


def request_final(*, actor: AbstractBaseUser) -> bool:
    """Have one published picture made final at a larger size, to be compared with its draft.

    Return whether there was one to make: only the first time.
    """
    placement = Placement.objects.filter(slot=SLOT).select_related("image").first()
    if placement is None or ProductImage.objects.exclude(draft=None).exists():
        return False
    try:
        review.escalate(placement.image, tier="standard", actor=actor)
    except RequestRefused:
        return False
    return True
