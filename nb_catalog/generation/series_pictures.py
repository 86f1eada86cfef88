"""The pictures that the members of a series have now: for a contact sheet, for review and for publishing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.conf.accept import MAX_DRIFT_RETRIES
from nb_catalog.core.iteration import blocks
from nb_catalog.core.specs import request_hash_of_member
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import RequestMode
from nb_catalog.generation.lookups import USABLE_STATES, finals_of
from nb_catalog.generation.plan import Item, ItemStatus, Plan
from nb_catalog.generation.series import MemberProducts, SeriesPlanner
from nb_catalog.imaging.drift import DRIFT_CHECK
from nb_catalog.models import ProductImage, Series, SeriesMember
from nb_catalog.models.images import ImageKind

BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPicture:
    """A member and its picture.

    ``image`` has the look that the series has now if ``status`` is "present", and is the latest one with
    another look otherwise; None if there is none. ``problem`` says why a picture is not possible any more.
    ``product`` is None if it was deleted. Of a picture that was made again because it is too far from the
    anchor, ``image`` is the approved try, otherwise the one that is closest to the anchor; of one that has an
    approved final, it is the final. ``position`` is the place of the member among those of its product, from
    0: there it is published in the slot.
    """

    member: SeriesMember
    product: Model | None
    status: ItemStatus
    image: ProductImage | None = None
    problem: str = ""
    position: int = 0

    @property
    def is_current(self) -> bool:
        return self.status == ItemStatus.PRESENT

    @property
    def name(self) -> str:
        """The name of the product, and that of the variant."""
        name = str(self.product or self.member.object_id)
        variant = self.member.variant_name or self.member.variant
        return f"{name}, {variant}" if variant else name


def member_pictures(
    series: Series, members: Iterable[SeriesMember] | None = None
) -> Iterator[MemberPicture]:
    """Yield ``members`` of ``series``, by default all in their order, with their pictures.

    A constant number of queries for each ``BLOCK`` of members. No photo is read.
    """
    if members is None:
        rows = series.members.filter(removed_at=None).order_by("position", "pk")
        members = rows.iterator(chunk_size=BLOCK)
    planner = SeriesPlanner.of(series, mode=RequestMode.DIRECT)
    planner.photo_reader.seconds_left = 0
    for block in blocks(members, size=BLOCK):
        keys = dict.fromkeys(member.object_id for member in block)
        products = {str(each.pk): each for each in MemberProducts(planner.source, list(keys))}
        plan = Plan(
            key="",
            title="",
            source=planner.source,
            products=list(products.values()),
            planner=planner,
            request={},
        )
        items = {(item.object_id, item.variant): item for item in plan.items()}
        positions = _positions(series, keys)
        fingerprints = {each.fingerprint for each in items.values() if each.fingerprint}
        hashes = {
            member: request_hash_of_member(
                planner.source.label, member[0], series=series.key, variant=member[1]
            )
            for member in items
        }
        usable = ProductImage.objects.filter(kind=ImageKind.PICTURE, state__in=USABLE_STATES)
        # The later in the order, the better: an approved picture before a pending one.
        by_state = sorted(
            usable.filter(fingerprint__in=fingerprints),
            key=lambda image: (image.state == ImageState.APPROVED, image.pk),
        )
        current = {image.fingerprint: image for image in by_state}
        current |= _best_tries(items.values(), current)
        # Of a picture that was made final, the final is shown, also if the draft was retired.
        drafts = ProductImage.objects.filter(kind=ImageKind.PICTURE, fingerprint__in=fingerprints)
        by_key = {image.pk: image.fingerprint for image in current.values()} | dict(
            drafts.exclude(fingerprint__in=current).values_list("pk", "fingerprint")
        )
        current |= {by_key[key]: final for key, final in finals_of(by_key).items()}
        others = usable.filter(request_hash__in=hashes.values()).exclude(
            fingerprint__in=fingerprints
        )
        latest = {image.request_hash: image for image in others.order_by("pk")}
        for member in block:
            key = (member.object_id, member.variant)
            item = items.get(key)
            if item is None:
                problem = _("The product no longer exists.")
                yield MemberPicture(
                    member=member,
                    product=None,
                    status=ItemStatus.IMPOSSIBLE,
                    problem=problem,
                    position=positions.get(member.pk, 0),
                )
                continue
            image = current.get(item.fingerprint)
            if image is None:
                image = latest.get(hashes[key])
            yield MemberPicture(
                member=member,
                product=products[member.object_id],
                status=item.status,
                image=image,
                problem=item.problem,
                position=positions.get(member.pk, 0),
            )


def _positions(series: Series, keys: Iterable[str]) -> dict[int, int]:
    """Return the place of each member of the products with ``keys`` among those of its product. One query."""
    rows = series.members.filter(object_id__in=list(keys), removed_at=None)
    counts: Counter[str] = Counter()
    positions = {}
    for pk, object_id in rows.order_by("position", "pk").values_list("pk", "object_id"):
        positions[pk] = counts[object_id]
        counts[object_id] += 1
    return positions


def _best_tries(
    items: Iterable[Item], current: Mapping[str, ProductImage]
) -> dict[str, ProductImage]:
    """Return the best try of each of ``items`` whose picture in ``current`` is too far from the anchor, by
    the item's fingerprint. One query at most."""
    chains: dict[str, list[str]] = {}
    for item in items:
        image, spec = current.get(item.fingerprint), item.spec
        if image is None or spec is None or (_drift_score(image) or 0) <= 1:
            continue
        chains[item.fingerprint] = chain = []
        for _try in range(MAX_DRIFT_RETRIES):
            spec = spec.another_try()
            chain.append(spec.fingerprint)
    if not chains:
        return {}
    made = ProductImage.objects.filter(
        kind=ImageKind.PICTURE,
        state__in=USABLE_STATES,
        fingerprint__in=[each for chain in chains.values() for each in chain],
    )
    tries = {image.fingerprint: image for image in made.order_by("pk")} | dict(current)
    return {
        first: min((tries[key] for key in (first, *chain) if key in tries), key=_rank)
        for first, chain in chains.items()
    }


def _rank(image: ProductImage) -> tuple[bool, float]:
    """Return what the best of several tries has the least of. One that was not compared is the last."""
    score = _drift_score(image)
    return image.state != ImageState.APPROVED, inf if score is None else score


def _drift_score(image: ProductImage) -> float | None:
    score: float | None = image.checks.get(DRIFT_CHECK, {}).get("score")
    return score
