"""What the database knows of fingerprints: a constant number of queries for any number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from nb_catalog.core.states import ImageState
from nb_catalog.models import ImageJob, ProductImage
from nb_catalog.models.images import ImageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """Fingerprints, by what became of them."""

    present: frozenset[str]
    rejected: frozenset[str]
    underway: frozenset[str]

    def __or__(self, other: Existing) -> Existing:
        return Existing(
            present=self.present | other.present,
            rejected=self.rejected | other.rejected,
            underway=self.underway | other.underway,
        )


def lookup(fingerprints: Collection[str]) -> Existing:
    """Which of ``fingerprints`` exist as pictures, were turned down, or are being made."""
    present: set[str] = set()
    rejected: set[str] = set()
    for fingerprint, state in (
        _pictures().filter(fingerprint__in=fingerprints).values_list("fingerprint", "state")
    ):
        (present if state in _STANDING else rejected).add(fingerprint)
    live = ImageJob.objects.filter(live_key__in=fingerprints).values_list("live_key", flat=True)
    return Existing(
        present=frozenset(present),
        rejected=frozenset(rejected - present),
        underway=frozenset(str(key) for key in live),
    )


def requests_with_pictures(request_hashes: Collection[str]) -> frozenset[str]:
    """Which of ``request_hashes`` have a picture that stands, whatever its fingerprint."""
    standing = _pictures().filter(request_hash__in=request_hashes, state__in=_STANDING)
    return frozenset(standing.values_list("request_hash", flat=True))


_STANDING = (ImageState.PENDING, ImageState.APPROVED)


def _pictures() -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(kind=ImageKind.PICTURE)
