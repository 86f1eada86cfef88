"""What is already stored or being made, by fingerprint: a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from nb_catalog.core.states import ImageState
from nb_catalog.models import ImageJob, ProductImage
from nb_catalog.models.images import ImageKind

# Pictures in these states can be used; the later in the tuple, the better.
USABLE_STATES: Final = (ImageState.PENDING, ImageState.APPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """Fingerprints of pictures that can be used, that were rejected or retired, and that are being made."""

    present: frozenset[str]
    rejected: frozenset[str]
    underway: frozenset[str]

    def __or__(self, other: Existing) -> Existing:
        return Existing(
            present=self.present | other.present,
            rejected=self.rejected | other.rejected,
            underway=self.underway | other.underway,
        )


def find_existing(fingerprints: Collection[str]) -> Existing:
    """Look up which of ``fingerprints`` have a picture or a job. Two queries, and one more for those that
    were rejected or retired: a draft whose final is approved is not made again."""
    present: set[str] = set()
    rejected: set[str] = set()
    pictures = ProductImage.objects.filter(
        kind=ImageKind.PICTURE, fingerprint__in=fingerprints
    ).values_list("fingerprint", "state")
    for fingerprint, state in pictures:
        (present if state in USABLE_STATES else rejected).add(fingerprint)
    if rejected - present:
        finals = ProductImage.objects.filter(
            draft__fingerprint__in=rejected - present,
            kind=ImageKind.PICTURE,
            state=ImageState.APPROVED,
        )
        present.update(finals.values_list("draft__fingerprint", flat=True))
    live = ImageJob.objects.filter(live_key__in=fingerprints).values_list("live_key", flat=True)
    return Existing(
        present=frozenset(present),
        rejected=frozenset(rejected - present),
        underway=frozenset(str(key) for key in live),
    )


def requests_with_pictures(request_hashes: Collection[str]) -> frozenset[str]:
    """Return those of ``request_hashes`` that have a usable picture, whatever its fingerprint."""
    pictures = ProductImage.objects.filter(
        kind=ImageKind.PICTURE, request_hash__in=request_hashes, state__in=USABLE_STATES
    )
    return frozenset(pictures.values_list("request_hash", flat=True))


def ancestors_of(image: ProductImage) -> list[int]:
    """Return the keys of the pictures that ``image`` was made from, the nearest first. One query, however
    many there are."""
    links = ProductImage.objects.filter(
        content_type_id=image.content_type_id, object_id=image.object_id
    )
    parents: dict[int, int | None] = dict(links.values_list("pk", "parent_id"))
    path: list[int] = []
    key = parents.get(image.pk)
    while key is not None and key not in path:
        path.append(key)
        key = parents.get(key)
    return path


def finals_of(keys: Collection[int]) -> dict[int, ProductImage]:
    """Return the approved final of each of the pictures with ``keys`` that has one, the final of the final if
    that has one in turn. A query for each tier in between, and one."""
    finals: dict[int, ProductImage] = {}
    wanted = {key: key for key in keys}
    while wanted:
        rows = ProductImage.objects.filter(
            draft__in=wanted, kind=ImageKind.PICTURE, state=ImageState.APPROVED
        ).order_by("pk")
        # Of several, the one that was made last.
        found = {wanted[image.draft_id]: image for image in rows if image.draft_id is not None}
        finals |= found
        wanted = {image.pk: key for key, image in found.items()}
    return finals
