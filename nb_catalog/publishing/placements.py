"""Publishes images: which image is in which place of the storefront."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, TypeVar

from django.conf import settings as django_settings
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext as _

from nb_catalog import storefront
from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import ImageState
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Actor, Size
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import (
    Placement,
    PlacementEvent,
    ProductImage,
    Publication,
)
from nb_catalog.models.generic import key_condition, object_key
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import places, renditions
from nb_catalog.publishing.fidelity import fidelity_notes
from nb_catalog.publishing.places import PlaceChange, PlaceKey
from nb_catalog.registry import source_for
from nb_catalog.signals import events
from nb_catalog.storefront.alt_text import overlay_text

# Events that are read of a page of placements.
MAX_EVENTS: Final = 5000

Prepared: TypeAlias = tuple[ProductImage, storefront.PictureData]
T = TypeVar("T")


def publish(
    image: ProductImage,
    *,
    slot: str,
    locale: str = "",
    position: int = 0,
    actor: Actor,
    reason: str = "",
    publication: Publication | None = None,
) -> Placement:
    """Put an approved ``image`` into ``slot``, replacing what was there.

    An image that is there already stays, and no event is written.
    ``publication`` is what the change belongs to, to be undone as a whole.
    ``reason`` is recorded if the product on it differs from its photo and ``FIDELITY`` requires one.
    Makes missing renditions, which takes a moment. Raises ``FidelityRefused`` without that reason, or the
    permission to give it; ``RequestRefused`` for an image that is
    not approved or does not fit the slot, a slot that the product does not have and a locale that is
    not in ``LANGUAGES``; ``PictureError`` and ``StorageFailed`` from the renditions.
    """
    key = (image.content_type_id, image.object_id, slot, locale, position)
    pictures = checked({key: image}, actor=actor, reason=reason)
    return put(pictures, actor=actor, reason=reason, publication=publication)[key]


def checked(
    pictures: Mapping[PlaceKey, ProductImage],
    *,
    actor: Actor,
    reason: str,
    seconds: float | None = None,
) -> dict[PlaceKey, Prepared]:
    """Return ``pictures`` by their places with what pages need of them, for ``put``. Raises what ``publish``
    does.

    Makes missing renditions, for ``seconds`` at most: then raises ``RequestRefused``, and what was made is
    kept. A constant number of queries for each block of pictures otherwise.
    """
    check(pictures, actor=actor, reason=reason)
    images = {image.pk: image for image in pictures.values()}
    data = _pictures_data(images.values(), seconds=seconds)
    return {key: (image, data[image.pk]) for key, image in pictures.items()}


def check(pictures: Mapping[PlaceKey, ProductImage], *, actor: Actor, reason: str) -> None:
    """Raise ``RequestRefused`` with every reason why ``pictures`` cannot be published in their places, and
    ``FidelityRefused`` as ``publish`` does."""
    objections = [text for each in objections_to(pictures).values() for text in each]
    if objections:
        raise RequestRefused(*dict.fromkeys(objections))
    # Before the renditions are made; the border itself is where a place gets its picture.
    images = {image.pk: image for image in pictures.values()}
    fidelity_notes(images.values(), actor=actor, reason=reason)


def objections_to(pictures: Mapping[PlaceKey, ProductImage]) -> dict[PlaceKey, list[str]]:
    """Return why ``pictures`` cannot be published, by their places; empty if they can. A query for each block
    of pictures."""
    approved: set[int] = set()
    for block in blocks(sorted({image.pk for image in pictures.values()}), size=places.BLOCK):
        rows = ProductImage.objects.filter(pk__in=block, state=ImageState.APPROVED)
        approved |= set(rows.values_list("pk", flat=True))
    languages = dict(django_settings.LANGUAGES)
    found: dict[PlaceKey, list[str]] = {}
    for key, image in pictures.items():
        _type, _object, slot, locale, _position = key
        objections: list[str] = []
        if image.kind != ImageKind.PICTURE:
            objections.append(
                _("Picture %(pk)s shows a background without the product.") % {"pk": image.pk}
            )
        if image.pk not in approved:
            objections.append(_not_approved(image))
        objections += _misfits(image, slot)
        if locale and locale not in languages:
            objections.append(
                _("The site has no language %(code)r.") % {"code": locale}
                + nearest(locale, languages)
            )
        if objections:
            found[key] = objections
    return found


@transaction.atomic
def put(
    pictures: Mapping[PlaceKey, Prepared],
    *,
    emptied: Iterable[Placement] = (),
    actor: Actor,
    reason: str,
    publication: Publication | None,
) -> dict[PlaceKey, Placement]:
    """Put ``pictures``, which ``checked`` has returned, into their places, and return the placements. All are
    put there, or none. Of ``emptied``, those are emptied that still show the same.

    A constant number of queries for each block of places."""
    further = {places.place_key(each): each for each in emptied}
    current = places.lock_places([*pictures, *further])
    images = [image for image, _data in pictures.values()]
    states = places.lock_images(
        [each.pk for each in images] + [each.image_id for each in current.values()]
    )
    # Checked again: while the renditions were made, someone may have retired them.
    if late := [each for each in images if states.get(each.pk) != ImageState.APPROVED]:
        raise RequestRefused(*map(_not_approved, late))
    changes, same, renewed = [], {}, []
    for key, (image, picture_data) in pictures.items():
        placement = current.get(key)
        if placement is None or placement.image_id != image.pk:
            changes.append((key, placement, image, picture_data))
            continue
        # Nothing changes for people, so there is nothing to roll back. Renditions may be new.
        same[key] = placement
        if placement.picture_data != picture_data:
            placement.picture_data = picture_data
            renewed.append(placement)
    Placement.objects.bulk_update(renewed, ["picture_data"], batch_size=places.BLOCK)
    # Whatever publishes a picture comes through here, or through ``renew`` and ``restore``.
    notes = fidelity_notes(
        [image for _key, _row, image, _data in changes], actor=actor, reason=reason
    )
    written = places.write_changes(
        [
            PlaceChange(key=key, current=row, image=image, picture_data=data, note=notes[image.pk])
            for key, row, image, data in changes
        ],
        actor=actor,
        move="publish",
        publication=publication,
    )
    places.write_changes(
        [
            PlaceChange(key=key, current=current[key])
            for key, placement in further.items()
            if key in current and current[key].image_id == placement.image_id
        ],
        actor=actor,
        move="withdraw",
        publication=publication,
    )
    return same | {places.place_key(each): each for each in written}


def withdraw(placement: Placement, *, actor: Actor, is_stale: bool = False) -> None:
    """Remove a picture from the storefront. The image stays approved.

    ``is_stale``: its text is no longer true, which the history records. Raises ``InvalidTransition``
    if another picture has been published there since, ``RequestRefused`` if none is.
    """
    key = places.place_key(placement)
    with transaction.atomic():
        current = _lock(key)
        if current is not None and current.image_id != placement.image_id:
            raise InvalidTransition(
                _(
                    "Another picture has been published there meanwhile. Look at it before you withdraw it."
                )
            )
        places.write_changes(
            [PlaceChange(key=key, current=current)],
            actor=actor,
            move="withdraw_stale" if is_stale else "withdraw",
        )


def renew(
    placement: Placement, image: ProductImage, *, move: str = "renew", note: str = ""
) -> Placement:
    """Publish ``image``, the same picture with today's text, in place of a stale one.

    The slot's policy "renew", or with another ``move`` what a person has decided before, stands in for a
    person: there is no actor, and an image that waits for review is approved in the same transaction, with
    ``note``. Raises ``InvalidTransition`` if another picture has
    been published there since, ``RequestRefused`` for an image that was rejected or does not fit.
    """
    if objections := _misfits(image, placement.slot):
        raise RequestRefused(*objections)
    key = places.place_key(placement)
    picture_data = _pictures_data([image])[image.pk]
    with transaction.atomic():
        current = _lock(key)
        if current is None or current.image_id != placement.image_id:
            raise InvalidTransition(_("Another picture has been published there meanwhile."))
        state = places.lock_images([image.pk, current.image_id]).get(image.pk, "")
        if state == ImageState.PENDING:
            text_only = f"Renewed in the slot “{placement.slot}”: only its text is new."
            events.record_move(image, "approve", actor=None, note=note or text_only)
        elif state != ImageState.APPROVED:
            raise RequestRefused(_not_approved(image))
        note = fidelity_notes([image], actor=None, reason="")[image.pk]
        change = PlaceChange(
            key=key, current=current, image=image, picture_data=picture_data, note=note
        )
        [written] = places.write_changes([change], actor=None, move=move)
    return written


def roll_back(
    product: models.Model,
    *,
    slot: str,
    locale: str = "",
    position: int = 0,
    actor: Actor,
) -> Placement | None:
    """Undo the last change of a place: publish again what was there before.

    Rolling back twice undoes two changes. Returns the placement, or None if the place is empty
    again. Raises ``RequestRefused`` if there is nothing to undo, or if the previous picture is not
    approved or does not fit the slot any more.
    """
    key = (*object_key(product), slot, locale, position)
    with transaction.atomic():
        # Locked first: of two people who roll back at once, the second sees the first one's change.
        current = _lock(key)
        events = PlacementEvent.objects.filter(**dict(zip(places.PLACE, key, strict=True)))
        last = last_change(events.order_by("-id").values_list("move", "pk"))
        if last is None:
            raise RequestRefused(_("There is no change of this place to undo."))
        event = events.select_related("image_before").get(pk=last)
        shown = {} if current is None else {key: current}
        written = restore({key: event.image_before}, shown, actor=actor)
    return written[0] if written else None


def restore(
    before: Mapping[PlaceKey, ProductImage | None],
    current: Mapping[PlaceKey, Placement],
    *,
    actor: Actor,
    move: str = "roll_back",
    publication: Publication | None = None,
) -> list[Placement]:
    """Show again what was in places ``before``, None for nothing, and return the placements that show
    something now. ``current`` has what the places show, locked.

    Raises ``RequestRefused`` for pictures that cannot be shown any more. A constant number of queries for
    each block of places.
    """
    images = {image.pk: image for image in before.values() if image is not None}
    states = places.lock_images(
        [*images, *(current[key].image_id for key in before if key in current)]
    )
    for image in images.values():
        image.state = states.get(image.pk, image.state)
    if objections := [text for each in obstacles_to(before).values() for text in each]:
        raise RequestRefused(*dict.fromkeys(objections))
    notes = fidelity_notes(images.values(), actor=actor, reason="")
    picture_data = _pictures_data(images.values())
    changes = []
    for key, previous in before.items():
        change = PlaceChange(key=key, current=current.get(key), image=previous)
        if previous is not None:
            change = replace(
                change, picture_data=picture_data[previous.pk], note=notes[previous.pk]
            )
        changes.append(change)
    return places.write_changes(changes, actor=actor, move=move, publication=publication)


def obstacles_to(before: Mapping[PlaceKey, ProductImage | None]) -> dict[PlaceKey, list[str]]:
    """Return why pictures that were in places ``before`` cannot be shown there any more, by place."""
    obstacles: dict[PlaceKey, list[str]] = {}
    for key, image in before.items():
        if image is None:
            continue
        if image.state != ImageState.APPROVED:
            obstacles[key] = [
                _("Picture %(pk)s was there before and is %(state)s now. Publish another one.")
                % {"pk": image.pk, "state": image.get_state_display().lower()}
            ]
        elif misfits := _misfits(image, key[2]):
            message = _("Picture %(pk)s was there before and does not fit any more.")
            obstacles[key] = [message % {"pk": image.pk}, *misfits]
    return obstacles


def _pictures_data(
    images: Iterable[ProductImage], *, seconds: float | None = None
) -> dict[int, storefront.PictureData]:
    """Return what pages need of each of ``images``, by its key. Missing renditions are made first."""
    images = list(images)
    files = renditions.renditions_of(images, seconds=seconds)
    return {
        image.pk: storefront.picture_data(
            files[image.pk], origin=image.digital_source_type, overlay_text=overlay_text(image)
        )
        for image in images
    }


def _misfits(image: ProductImage, slot: str) -> tuple[str, ...]:
    """Return why ``image`` cannot be published in ``slot``; empty if it can."""
    model = ContentType.objects.get_for_id(image.content_type_id).model_class()
    if model is None:
        return (f"The model of picture {image.pk} is not installed any more.",)
    try:
        place = source_for(model).slot(slot)
    except RequestRefused as refusal:
        return refusal.objections
    texts = image.checks.get("text", {}).get("texts", ())
    return tuple(
        place.objections(
            Size(image.width, image.height),
            has_words=bool(image.locale),
            text_sizes={f"{each['role']} ({image.locale})": each["size"] for each in texts},
        )
    )


def _not_approved(image: ProductImage) -> str:
    return _("Picture %(pk)s is not approved. Approve it first.") % {"pk": image.pk}


def _lock(key: PlaceKey) -> Placement | None:
    return places.lock_places([key]).get(key)


def last_change(events: Iterable[tuple[str, T]]) -> T | None:
    """Return which of ``events`` of a place a roll-back undoes, given with their moves, the newest first."""
    undone = 0
    for move, event in events:
        if move == "roll_back":
            undone += 1
        elif undone:
            undone -= 1
        else:
            return event
    return None


def with_previous(placements: Iterable[Placement]) -> set[int]:
    """Return the keys of those ``placements`` that a roll-back would replace by an approved picture.

    One query. If the history of the products is longer than ``MAX_EVENTS``, places of which too little is
    known are included.
    """
    keys = {places.place_key(each): each.pk for each in placements}
    rows = PlacementEvent.objects.filter(key_condition({(key[0], key[1]) for key in keys}))
    columns = (*places.PLACE, "move", "image_before__state")
    events = list(rows.order_by("-id").values_list(*columns)[:MAX_EVENTS])
    history: dict[tuple[Any, ...], list[tuple[str, tuple[str]]]] = defaultdict(list)
    for *place, move, state in events:
        history[tuple(place)].append((move, (state,)))
    unknown = (ImageState.APPROVED,) if len(events) == MAX_EVENTS else ("",)
    return {
        pk
        for place, pk in keys.items()
        if (last_change(history[place]) or unknown)[0] == ImageState.APPROVED
    }
