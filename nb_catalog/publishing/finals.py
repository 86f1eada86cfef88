"""Publishes finals in place of their drafts, with the text that is above these."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog import generation
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, NBCatalogError, RequestRefused
from nb_catalog.generation.final_texts import FinalTextPlanner, links_of
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.alt_text import copy_alt_texts
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import placements, places
from nb_catalog.registry import is_registered, source_for
from nb_catalog.signals import events

logger = logging.getLogger(__name__)

# Placements whose text is looked after in one go.
MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalPublication:
    """The placements that show the final now, and those whose text or adjustments are being made on it.

    ``staying`` are those that go on to show what they did, because a model edited the draft for them: edit
    the final likewise.
    """

    published: tuple[Placement, ...]
    waiting: tuple[Placement, ...]
    staying: tuple[Placement, ...]


def publish_final(image: ProductImage, *, actor: Actor, reason: str = "") -> FinalPublication:
    """Publish an approved final everywhere that its draft, or another final of it, is published.

    Where text is above one of these, it is typeset on the final first, free of charge, and follows without a
    person; adjustments of one, such as a crop, are made of the final likewise, and the text above them is
    set on that. Until then the place shows what it did. Edits in words are not repeated: places that show
    them stay as they are. ``reason`` is that of ``publish``.

    Raises ``RequestRefused`` for a picture that is not a final, if nothing of its draft is published, and
    with whatever ``publish`` raises; then nothing was changed.
    """
    if image.draft_id is None:
        raise RequestRefused(_("Picture %(pk)s is not the final of a draft.") % {"pk": image.pk})
    family = _family_of(image)
    rows = Placement.objects.filter(
        content_type_id=image.content_type_id, object_id=image.object_id
    ).order_by("slot", "locale", "position")
    shown = list(rows.filter(image__in=family))
    others = list(rows.exclude(image__in=[*family, image.pk]))
    model = ContentType.objects.get_for_id(image.content_type_id).model_class()
    assert model is not None  # noqa: S101 - its places were checked, or nothing is changed
    links = links_of(model, [image.object_id], pictures={each.image_id for each in others})
    above = [each for each in others if links.steps_above(family, each.image_id)]
    staying = tuple(
        each for each in others if each not in above and links.is_above(family, each.image_id)
    )
    if not shown and not above and staying:
        raise RequestRefused(
            _(
                "Of the draft of picture %(pk)s, only pictures that a model edited are published "
                "(%(slots)s). An edit is not repeated: edit the final likewise, and publish that."
            )
            % {"pk": image.pk, "slots": ", ".join(sorted({each.slot for each in staying}))}
        )
    if not shown and not above:
        raise RequestRefused(
            _(
                "Nothing of the draft of picture %(pk)s is published. Choose a slot, and publish the picture "
                "there."
            )
            % {"pk": image.pk}
        )
    checked = placements.checked(
        {places.place_key(each): image for each in shown}, actor=actor, reason=reason
    )
    if not checked and image.state != ImageState.APPROVED:
        raise RequestRefused(
            _("Picture %(pk)s is not approved. Approve it first.") % {"pk": image.pk}
        )
    with transaction.atomic():
        # Places before images: put() locks those that it changes, the others show text above.
        places.lock_places(map(places.place_key, (*shown, *above)))
        published = placements.put(checked, actor=actor, reason=reason, publication=None)
        for picture in family.values():
            copy_alt_texts(picture, to=image)
        waiting = Placement.objects.filter(pk__in=[each.pk for each in above])
        waiting.exclude(image__parent=image).update(next_base=image)
    follow_finals(waiting.filter(next_base=image))
    return FinalPublication(
        published=tuple(published.values()),
        waiting=tuple(waiting.filter(next_base=image)),
        staying=staying,
    )


def _family_of(image: ProductImage) -> dict[int, ProductImage]:
    """Return the drafts of ``image`` and all other finals of these, by key."""
    family: dict[int, ProductImage] = {}
    drafts = [image.draft]
    while (draft := drafts[-1]) is not None:
        family[draft.pk] = draft
        drafts.append(draft.draft)
    newest = list(family)
    while newest:
        finals = ProductImage.objects.filter(draft__in=newest, kind=ImageKind.PICTURE)
        newest = []
        for each in finals.exclude(pk__in=family):
            family[each.pk] = each
            newest.append(each.pk)
    family.pop(image.pk, None)
    return family


def follow_finals(rows: Iterable[Placement] | None = None) -> int:
    """Publish the text of placements that wait for a final, by default all, and have it typeset where that
    was not done yet. Return how many places show it now.

    A person has published the final, so that nobody decides about its text again. What fails is requested
    once a day.
    """
    waiting = Placement.objects.filter(next_base__isnull=False) if rows is None else rows
    by_type: dict[int, list[Placement]] = defaultdict(list)
    for placement in list(waiting)[:MOST]:
        by_type[placement.content_type_id].append(placement)
    followed = 0
    for type_id, group in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        source = source_for(model)
        keys = {each.object_id for each in group}
        products = list(source.queryset().filter(pk__in=keys))
        planner = FinalTextPlanner(
            designs=DesignCache(source), placements=frozenset(each.pk for each in group)
        ).for_block(products)
        missing: dict[int, str] = {}
        for product in products:
            for placement in planner.waiting.get(str(product.pk), ()):
                step = planner.next_step(placement, product)
                spec = step.spec
                if not isinstance(spec, ImageSpec):
                    logger.warning("The text of placement %s waits: %s", placement.pk, spec)
                elif step.is_last and _follow(placement, spec, below=step.below):
                    followed += 1
                else:
                    missing[placement.pk] = spec.fingerprint
        if missing:
            content = repr((timezone.now().date(), sorted(missing.items())))
            key = sha256(content.encode()).hexdigest()
            plan = generation.plan_final_texts(products, placements=frozenset(missing), key=key)
            if any(plan.wanted()):
                generation.start_run(plan, actor=None, priority=None)
    return followed


def _follow(placement: Placement, spec: ImageSpec, *, below: Iterable[ProductImage] = ()) -> bool:
    """Publish the picture of ``spec`` in place of that of ``placement``, and approve those ``below``, which
    its text is set on. Return False if there is none yet."""
    usable = (ImageState.PENDING, ImageState.APPROVED)
    pictures = ProductImage.objects.filter(
        fingerprint=spec.fingerprint, kind=ImageKind.PICTURE, state__in=usable, pruned_at=None
    )
    picture = pictures.order_by("-state", "-pk").first()
    if picture is None:
        return False
    previous = placement.image
    note = f"Its text is on picture {placement.next_base_id} now, which a person has published."
    try:
        placements.renew(placement, picture, move="follow_final", note=note)
    except NBCatalogError as refusal:
        logger.warning("Placement %s does not follow its final: %s", placement.pk, refusal)
        return True
    copy_alt_texts(previous, to=picture)
    for each in below:
        # Decided about in this moment: that holds.
        with suppress(InvalidTransition):
            if each.state == ImageState.PENDING:
                events.record_move(each, "approve", actor=None, note=note)
    return True
