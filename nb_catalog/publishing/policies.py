"""What the slots ask for when the text on their pictures is no longer true: withdraw it, or renew it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

from django.db.models import Model
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.refresh import PublishedText
from nb_catalog.models import Placement, PlacementEvent, ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import placements
from nb_catalog.registry import CatalogSource, registered

logger = logging.getLogger(__name__)

PlaceKey: TypeAlias = tuple[str, str, str, int]


def apply(
    stale: Iterable[PublishedText], *, source: CatalogSource, products: Sequence[Model]
) -> set[int]:
    """Withdraw or renew those of ``stale``, published texts of ``products``, whose slots ask for it.

    Returns the keys of the placements that are settled. Those that are being typeset are not, nor
    are those that are left to a person: text that a model painted, pictures of which only the layout
    has changed, texts that cannot be set today, renewed pictures that a person has rejected, and
    pictures that a person has brought back by a roll-back.
    """
    slots = source.slot_table
    policy = {name: slot.stale for name, slot in slots.items()}
    due = [
        each
        for each in stale
        if each.is_untrue and policy.get(each.placement.slot, "keep") != "keep"
    ]
    if not due:
        return set()
    # Places whose last change was a roll-back: people have decided.
    keys = [(each.placement.content_type_id, each.placement.object_id) for each in due]
    events = PlacementEvent.objects.about_keys(keys).order_by("id").only(
        "object_id", "slot", "locale", "position", "move"
    )  # fmt: skip
    last = {_place_key(event): event.move for event in events}
    brought_back = {key for key, move in last.items() if move in ("roll_back", "restore")}
    due = [each for each in due if _place_key(each.placement) not in brought_back]
    settled: set[int] = set()
    for placement in (each.placement for each in due):
        if policy[placement.slot] != "withdraw":
            continue
        try:
            placements.withdraw(placement, actor=None, is_stale=True)
        except NBCatalogError as refusal:
            logger.info("Placement %s was not withdrawn: %s", placement.pk, refusal)
        else:
            logger.warning("Placement %s was withdrawn: its text is no longer true.", placement.pk)
            settled.add(placement.pk)
    renewable = [
        each
        for each in due
        if policy[each.placement.slot] == "renew"
        and isinstance(each.current, ImageSpec)
        and each.current.sets_text
    ]
    return settled | _renew(renewable, products=products)


def slots_with(policy: str) -> set[str]:
    """Return the names of all slots of registered models that have ``policy``."""
    return {
        slot.name
        for source in registered().values()
        for slot in source.slot_table.values()
        if slot.stale == policy
    }


def _renew(due: Sequence[PublishedText], *, products: Sequence[Model]) -> set[int]:
    """Publish the renewed pictures that exist, and start a free run for the others."""
    if not due:
        return set()
    rows = ProductImage.objects.filter(
        kind=ImageKind.PICTURE,
        fingerprint__in=[each.current.fingerprint for each in due],  # type: ignore[union-attr]
        pruned_at=None,
    )
    # Of each fingerprint an approved picture before others, a usable one before the rest.
    order = (ImageState.REJECTED, ImageState.RETIRED, *USABLE_STATES)
    best = sorted(rows, key=lambda image: (order.index(ImageState(image.state)), image.pk))
    images = {image.fingerprint: image for image in best}
    settled: set[int] = set()
    missing: dict[int, str] = {}
    for each in due:
        placement, fingerprint = each.placement, each.current.fingerprint  # type: ignore[union-attr]
        image = images.get(fingerprint)
        if image is None:
            missing[placement.pk] = fingerprint
        elif image.state in USABLE_STATES:
            try:
                placements.renew(placement, image)
            except NBCatalogError as refusal:
                logger.warning("Placement %s was not renewed: %s", placement.pk, refusal)
            else:
                settled.add(placement.pk)
    if missing:
        # The same pictures are requested once a day, however often they are found to be stale: what
        # fails today is left to a person, and tried again tomorrow.
        content = repr((timezone.now().date(), sorted(missing.items())))
        key = sha256(content.encode()).hexdigest()
        plan = generation.plan_refresh(products, placements=frozenset(missing), key=key)
        if any(plan.wanted()):
            generation.start_run(plan, actor=None, priority=None)
    return settled


def _place_key(row: Placement | PlacementEvent) -> PlaceKey:
    return (row.object_id, row.slot, row.locale, row.position)
