"""Publishes images: which image is in which place of the storefront."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from django.conf import settings as django_settings
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from nb_catalog import signals, storefront
from nb_catalog.core.states import ImageState
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Actor, Size
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import (
    Placement,
    PlacementEvent,
    ProductImage,
    ReviewEvent,
    SeriesPublication,
)
from nb_catalog.models.generic import key_condition, object_key
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import lock_image, transition_image
from nb_catalog.publishing import renditions
from nb_catalog.publishing.fidelity import require_fidelity
from nb_catalog.registry import source_for
from nb_catalog.storefront.alt_text import overlay_text

# Events that are read of a page of placements.
MAX_EVENTS: Final = 5000
_PLACE: Final = ("content_type_id", "object_id", "slot", "locale", "position")

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
    publication: SeriesPublication | None = None,
) -> Placement:
    """Put an approved ``image`` into ``slot``, replacing what was there.

    An image that is there already stays, and no event is written.
    ``publication`` is that of a series, to be undone as a whole.
    ``reason`` is recorded if the product on it differs from its photo and ``FIDELITY`` requires one.
    Makes missing renditions, which takes a moment. Raises ``FidelityRefused`` without that reason, or the
    permission to give it; ``RequestRefused`` for an image that is
    not approved or does not fit the slot, a slot that the product does not have and a locale that is
    not in ``LANGUAGES``; ``PictureError`` and ``StorageFailed`` from the renditions.
    """
    pictures = checked([image], slot=slot, locale=locale, actor=actor, reason=reason)
    [placement] = put(
        pictures,
        slot=slot,
        locale=locale,
        position=position,
        actor=actor,
        reason=reason,
        publication=publication,
    )
    return placement


def checked(
    images: Sequence[ProductImage], *, slot: str, locale: str, actor: Actor, reason: str
) -> list[Prepared]:
    """Return ``images`` with what pages need of them, for ``put``. Raises what ``publish`` does.

    Makes missing renditions. A query for each image, and one for all.
    """
    approved = set(
        ProductImage.objects.filter(
            pk__in=[image.pk for image in images], state=ImageState.APPROVED
        ).values_list("pk", flat=True)
    )
    objections: list[str] = []
    for image in images:
        if image.kind != ImageKind.PICTURE:
            objections.append(
                _("Picture %(pk)s shows a background without the product.") % {"pk": image.pk}
            )
        if image.pk not in approved:
            objections.append(_not_approved(image))
        objections += _misfits(image, slot)
    languages = dict(django_settings.LANGUAGES)
    if locale and locale not in languages:
        objections.append(
            _("The site has no language %(code)r.") % {"code": locale} + nearest(locale, languages)
        )
    if objections:
        raise RequestRefused(*dict.fromkeys(objections))
    for image in images:
        # Before the renditions are made; the border itself is where a place gets its picture.
        require_fidelity(image, actor=actor, reason=reason)
    return [(image, _picture_data(image)) for image in images]


@transaction.atomic
def put(
    pictures: Sequence[Prepared],
    *,
    slot: str,
    locale: str,
    position: int = 0,
    actor: Actor,
    reason: str,
    publication: SeriesPublication | None,
) -> list[Placement]:
    """Put ``pictures`` of different products, which ``checked`` has returned, into ``slot``, and return their
    placements. All are put there, or none. Two queries, and two for each place that changes."""
    images = {(image.content_type_id, image.object_id): image for image, _data in pictures}
    # Places before images, as in roll_back(), each in one order: that prevents deadlocks.
    places = Placement.objects.filter(
        key_condition(set(images)), slot=slot, locale=locale, position=position
    ).order_by("content_type_id", "object_id")
    current = {(each.content_type_id, each.object_id): each for each in places.select_for_update()}
    rows = ProductImage.objects.filter(pk__in=[image.pk for image in images.values()])
    states = dict(rows.order_by("pk").select_for_update().values_list("pk", "state"))
    # Checked again: while the renditions were made, someone may have retired them.
    if late := [each for each in images.values() if states.get(each.pk) != ImageState.APPROVED]:
        raise RequestRefused(*map(_not_approved, late))
    placements = []
    for image, picture_data in pictures:
        key = (image.content_type_id, image.object_id)
        placement = current.get(key)
        if placement is not None and placement.image_id == image.pk:
            # Nothing changes for people, so there is nothing to roll back. Renditions may be new.
            if placement.picture_data != picture_data:
                placement.picture_data = picture_data
                Placement.objects.filter(pk=placement.pk).update(picture_data=picture_data)
        else:
            place = dict(zip(_PLACE, (*key, slot, locale, position), strict=True))
            placement = _set(
                place,
                placement,
                image=image,
                picture_data=picture_data,
                actor=actor,
                move="publish",
                reason=reason,
                publication=publication,
            )
        placements.append(placement)
    return placements


def withdraw(placement: Placement, *, actor: Actor, is_stale: bool = False) -> None:
    """Remove a picture from the storefront. The image stays approved.

    ``is_stale``: its text is no longer true, which the history records. Raises ``InvalidTransition``
    if another picture has been published there since, ``RequestRefused`` if none is.
    """
    place = _place_of(placement)
    with transaction.atomic():
        current = _lock(place)
        if current is not None and current.image_id != placement.image_id:
            raise InvalidTransition(
                _(
                    "Another picture has been published there meanwhile. Look at it before you withdraw it."
                )
            )
        _remove(place, current, actor=actor, move="withdraw_stale" if is_stale else "withdraw")


def renew(placement: Placement, image: ProductImage) -> Placement:
    """Publish ``image``, the same picture with today's text, in place of a stale one.

    The slot's policy "renew" stands in for a person: there is no actor, and an image that waits for
    review is approved in the same transaction. Raises ``InvalidTransition`` if another picture has
    been published there since, ``RequestRefused`` for an image that was rejected or does not fit.
    """
    if objections := _misfits(image, placement.slot):
        raise RequestRefused(*objections)
    place = _place_of(placement)
    picture_data = _picture_data(image)
    with transaction.atomic():
        current = _lock(place)
        if current is None or current.image_id != placement.image_id:
            raise InvalidTransition(_("Another picture has been published there meanwhile."))
        state = lock_image(image)
        if state == ImageState.PENDING:
            transition_image(image, "approve")
            ReviewEvent.objects.create(
                image=image,
                move="approve",
                state=image.state,
                note=f"Renewed in the slot “{placement.slot}”: only its text is new.",
            )
        elif state != ImageState.APPROVED:
            raise RequestRefused(_not_approved(image))
        return _set(
            place, current, image=image, picture_data=picture_data, actor=None, move="renew"
        )


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
    type_id, key = object_key(product)
    place = {
        "content_type_id": type_id,
        "object_id": key,
        "slot": slot,
        "locale": locale,
        "position": position,
    }
    return roll_back_place(place, actor=actor)


def roll_back_place(
    place: dict[str, Any], *, actor: Actor, only: PlacementEvent | None = None
) -> Placement | None:
    """Undo the last change of ``place``, given by its columns, as ``roll_back`` does.

    With ``only``, provided that it is the last change; otherwise raises ``InvalidTransition``.
    """
    slot = place["slot"]
    with transaction.atomic():
        # Locked first: of two people who roll back at once, the second sees the first one's change.
        current = _lock(place)
        events = PlacementEvent.objects.filter(**place).order_by("-id").iterator()
        last: PlacementEvent | None = _last_change((event.move, event) for event in events)
        if last is None:
            raise RequestRefused(_("There is no change of this place to undo."))
        if only is not None and last != only:
            raise InvalidTransition(_("Another picture has been published there meanwhile."))
        previous = last.image_before
        if previous is not None and lock_image(previous) != ImageState.APPROVED:
            raise RequestRefused(
                _("Picture %(pk)s was there before and is %(state)s now. Publish another one.")
                % {"pk": previous.pk, "state": previous.get_state_display().lower()}
            )
        if previous is None:
            _remove(place, current, actor=actor, move="roll_back")
            return None
        if objections := _misfits(previous, slot):
            raise RequestRefused(
                _("Picture %(pk)s was there before and does not fit any more.")
                % {"pk": previous.pk},
                *objections,
            )
        picture_data = _picture_data(previous)
        return _set(
            place,
            current,
            image=previous,
            picture_data=picture_data,
            actor=actor,
            move="roll_back",
        )


def _picture_data(image: ProductImage) -> storefront.PictureData:
    return storefront.picture_data(
        renditions.make_renditions(image),
        origin=image.digital_source_type,
        overlay_text=overlay_text(image),
    )


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


def _place_of(placement: Placement) -> dict[str, Any]:
    return {name: getattr(placement, name) for name in _PLACE}


def _not_approved(image: ProductImage) -> str:
    return _("Picture %(pk)s is not approved. Approve it first.") % {"pk": image.pk}


def _lock(place: dict[str, Any]) -> Placement | None:
    return Placement.objects.filter(**place).select_for_update().first()


def _set(
    place: dict[str, Any],
    placement: Placement | None,
    *,
    image: ProductImage,
    picture_data: storefront.PictureData,
    actor: Actor,
    move: str,
    reason: str = "",
    publication: SeriesPublication | None = None,
) -> Placement:
    """Publish ``image`` in ``place``, whose locked row is ``placement``.

    Call it in a transaction that ends with whatever is raised here.
    """
    # Whatever publishes a picture comes through here.
    note = require_fidelity(image, actor=actor, reason=reason)
    previous_id = placement.image_id if placement else None
    columns = {"image": image, "picture_data": picture_data, "actor": actor}
    if placement is None:
        try:
            placement = Placement.objects.create(**place, **columns)
        except IntegrityError as error:
            raise InvalidTransition(
                _(
                    "Someone else has published to this place at the same moment. Look at it, and try again."
                )
            ) from error
    else:
        placement.image, placement.picture_data, placement.actor = image, picture_data, actor
        placement.stale_since = None
        placement.save(update_fields=[*columns, "published_at", "stale_since"])
    PlacementEvent.objects.create(
        **place,
        image_before_id=previous_id,
        image_after=image,
        actor=actor,
        move=move,
        note=note,
        publication=publication,
    )
    signals.send_on_commit(
        signals.image_published, sender=Placement, placement_id=placement.pk, image_id=image.pk
    )
    return placement


def _remove(place: dict[str, Any], placement: Placement | None, *, actor: Actor, move: str) -> None:
    if placement is None:
        raise RequestRefused(_("Nothing is published there."))
    PlacementEvent.objects.create(
        **place, image_before_id=placement.image_id, image_after=None, actor=actor, move=move
    )
    placement.delete()


def _last_change(events: Iterable[tuple[str, T]]) -> T | None:
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
    keys = {tuple(_place_of(each).values()): each.pk for each in placements}
    rows = PlacementEvent.objects.filter(key_condition({(key[0], key[1]) for key in keys}))
    columns = (*_PLACE, "move", "image_before__state")
    events = list(rows.order_by("-id").values_list(*columns)[:MAX_EVENTS])
    history: dict[tuple[Any, ...], list[tuple[str, tuple[str]]]] = defaultdict(list)
    for *place, move, state in events:
        history[tuple(place)].append((move, (state,)))
    unknown = (ImageState.APPROVED,) if len(events) == MAX_EVENTS else ("",)
    return {
        pk
        for place, pk in keys.items()
        if (_last_change(history[place]) or unknown)[0] == ImageState.APPROVED
    }
