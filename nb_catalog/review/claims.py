"""Which pictures are whose to judge: claimed for a while, so that no two reviewers get the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from nb_catalog.core.types import Actor
from nb_catalog.models import ProductImage, ReviewClaim
from nb_catalog.models.db.clock import database_now

# How long a picture stays with a reviewer whose page is closed. Open pages renew their claims.
LEASE: Final = timedelta(minutes=30)
# Rounds in which others may be faster, before fewer pictures are returned than were asked for.
ROUNDS: Final = 5


def unclaimed_by_others(rows: QuerySet[ProductImage], *, reviewer: Actor) -> QuerySet[ProductImage]:
    """Return those of ``rows`` that no one but ``reviewer`` has claimed."""
    others = ReviewClaim.objects.filter(until__gt=database_now()).exclude(reviewer=reviewer)
    return rows.exclude(pk__in=others.values("image"))


def claim(keys: Iterable[int], *, reviewer: Actor) -> set[int]:
    """Claim the pictures with ``keys`` for ``reviewer``; return the keys of those that are theirs now.

    A picture that another person has claimed is left to them until their claim ends. Four queries.
    """
    # In one order, so that two people who claim at once do not wait for each other.
    keys = sorted(set(keys))
    now = database_now()
    until = now + LEASE
    claims = ReviewClaim.objects.filter(image__in=keys)
    known = set(claims.values_list("image", flat=True))
    claims.filter(Q(reviewer=reviewer) | Q(until__lte=now)).update(reviewer=reviewer, until=until)
    # Of two people who insert at once, the database lets one.
    ReviewClaim.objects.bulk_create(
        [
            ReviewClaim(image_id=key, reviewer=reviewer, until=until)
            for key in keys
            if key not in known
        ],
        ignore_conflicts=True,
    )
    return set(claims.filter(reviewer=reviewer, until__gt=now).values_list("image", flat=True))


def claim_next(rows: QuerySet[ProductImage], *, reviewer: Actor, count: int) -> list[ProductImage]:
    """Claim the first ``count`` of the ordered ``rows`` that no one else has, and return them.

    Those that ``reviewer`` has already are among them. Fewer are returned if there are no more.
    """
    found: list[ProductImage] = []
    for _round in range(ROUNDS):
        images = list(unclaimed_by_others(rows, reviewer=reviewer)[:count])
        mine = claim([image.pk for image in images], reviewer=reviewer)
        found = [image for image in images if image.pk in mine]
        if len(found) == len(images):
            break
    return found


def renew_claims(keys: Iterable[int] | None = None, *, reviewer: Actor) -> set[int]:
    """Prolong the claims of ``reviewer`` on the pictures with ``keys``, and return the keys of those that are
    theirs still: also one whose claim has ended, if nobody else has claimed it since. Without ``keys``, all
    that have not ended."""
    now = database_now()
    wanted = Q(until__gt=now) if keys is None else Q(image__in=list(keys))
    claims = ReviewClaim.objects.filter(wanted, reviewer=reviewer)
    claims.update(until=now + LEASE)
    return set(claims.values_list("image", flat=True))


def release_claims(keys: Iterable[int] | None = None, *, reviewer: Actor) -> int:
    """Give pictures back that ``reviewer`` has claimed, all of them without ``keys``. Returns how many."""
    claims = ReviewClaim.objects.filter(reviewer=reviewer)
    if keys is not None:
        claims = claims.filter(image__in=list(keys))
    return claims.delete()[0]


def claims_of(images: Iterable[ProductImage]) -> dict[int, tuple[int, str, datetime]]:
    """Return who has claimed each of ``images``, by its key: the user's key and name, and until when.

    One query."""
    claims = ReviewClaim.objects.filter(
        image__in=[image.pk for image in images], until__gt=database_now()
    ).select_related("reviewer")
    return {
        each.image_id: (each.reviewer_id, each.reviewer.get_username(), each.until)
        for each in claims
    }
