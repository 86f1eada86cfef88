"""Publishes images: which image is in which place of the storefront."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.db import IntegrityError, models, transaction

from nb_catalog import signals, storefront
from nb_catalog.core.states import ImageState
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent, ProductImage
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import lock_image
from nb_catalog.publishing import renditions
from nb_catalog.registry import source_for
from nb_catalog.storefront.alt_text import overlay_text


def publish(
    image: ProductImage,
    *,
    slot: str,
    locale: str = "",
    position: int = 0,
    actor: Actor,
) -> Placement:
    """Put an approved ``image`` into ``slot``, replacing what was there.

    Makes missing renditions, which takes a moment. Raises ``RequestRefused`` for an image that is
    not approved, a slot that the product does not have and a locale that is not in ``LANGUAGES``;
    ``PictureError`` and ``StorageFailed`` from the renditions.
    """
    objections: list[str] = []
    if image.kind != ImageKind.PICTURE:
        objections.append(f"Picture {image.pk} shows a background without the product.")
    if not ProductImage.objects.filter(pk=image.pk, state=ImageState.APPROVED).exists():
        objections.append(_not_approved(image))
    model = image.content_type.model_class()
    slots = source_for(model).slots if model else ()
    if slot not in slots:
        objections.append(f"The product has no slot {slot!r}.{nearest(slot, slots)}")
    languages = dict(django_settings.LANGUAGES)
    if locale and locale not in languages:
        objections.append(f"The site has no language {locale!r}.{nearest(locale, languages)}")
    if objections:
        raise RequestRefused(*objections)
    picture_data = _picture_data(image)
    place = {
        "content_type_id": image.content_type_id,
        "object_id": image.object_id,
        "slot": slot,
        "locale": locale,
        "position": position,
    }
    with transaction.atomic():
        # Place before image, as in roll_back(): a fixed order prevents deadlocks.
        _lock(place)
        # Checked again: while the renditions were made, someone may have retired it.
        if lock_image(image) != ImageState.APPROVED:
            raise RequestRefused(_not_approved(image))
        return _set(place, image=image, picture_data=picture_data, actor=actor, move="publish")


def withdraw(placement: Placement, *, actor: Actor) -> None:
    """Remove a picture from the storefront. The image stays approved.

    Raises ``InvalidTransition`` if another picture has been published there since,
    ``RequestRefused`` if none is.
    """
    columns = ("content_type_id", "object_id", "slot", "locale", "position")
    place = {name: getattr(placement, name) for name in columns}
    with transaction.atomic():
        current = _lock(place)
        if current is not None and current.image_id != placement.image_id:
            raise InvalidTransition(
                "Another picture has been published there meanwhile. Look at it before you withdraw it."
            )
        _remove(place, actor=actor, move="withdraw")


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
    again. Raises ``RequestRefused`` if there is nothing to undo.
    """
    place = {
        "content_type_id": content_type_of(product).pk,
        "object_id": str(product.pk),
        "slot": slot,
        "locale": locale,
        "position": position,
    }
    with transaction.atomic():
        # Locked first: of two people who roll back at once, the second sees the first one's change.
        _lock(place)
        previous = _previous_image(place)
        if previous is not None and lock_image(previous) != ImageState.APPROVED:
            raise RequestRefused(
                f"Picture {previous.pk} was there before and is"
                f" {previous.get_state_display().lower()} now. Publish another one."
            )
        if previous is None:
            _remove(place, actor=actor, move="roll_back")
            return None
        picture_data = _picture_data(previous)
        return _set(place, image=previous, picture_data=picture_data, actor=actor, move="roll_back")


def _picture_data(image: ProductImage) -> storefront.PictureData:
    return storefront.picture_data(
        renditions.make_renditions(image),
        origin=image.digital_source_type,
        overlay_text=overlay_text(image),
    )


def _not_approved(image: ProductImage) -> str:
    return f"Picture {image.pk} is not approved. Approve it first."


def _lock(place: dict[str, Any]) -> Placement | None:
    return Placement.objects.filter(**place).select_for_update().first()


def _set(
    place: dict[str, Any],
    *,
    image: ProductImage,
    picture_data: storefront.PictureData,
    actor: Actor,
    move: str,
) -> Placement:
    placement = _lock(place)
    previous_id = placement.image_id if placement else None
    columns = {"image": image, "picture_data": picture_data, "actor": actor}
    if placement is None:
        try:
            with transaction.atomic():
                placement = Placement.objects.create(**place, **columns)
        except IntegrityError as error:
            raise InvalidTransition(
                "Someone else has published to this place at the same moment. Look at it, and try again."
            ) from error
    else:
        placement.image, placement.picture_data, placement.actor = image, picture_data, actor
        placement.stale_since = None
        placement.save(update_fields=[*columns, "published_at", "stale_since"])
    PlacementEvent.objects.create(
        **place, image_before_id=previous_id, image_after=image, actor=actor, move=move
    )
    signals.send_on_commit(
        signals.image_published, sender=Placement, placement_id=placement.pk, image_id=image.pk
    )
    return placement


def _remove(place: dict[str, Any], *, actor: Actor, move: str) -> None:
    placement = _lock(place)
    if placement is None:
        raise RequestRefused("Nothing is published there.")
    PlacementEvent.objects.create(
        **place, image_before_id=placement.image_id, image_after=None, actor=actor, move=move
    )
    placement.delete()


def _previous_image(place: dict[str, Any]) -> ProductImage | None:
    """Return the image that was in ``place`` before the last change that has not been undone."""
    undone = 0
    for event in PlacementEvent.objects.filter(**place).order_by("-id").iterator():
        if event.move == "roll_back":
            undone += 1
        elif undone:
            undone -= 1
        else:
            previous: ProductImage | None = event.image_before
            return previous
    raise RequestRefused("There is no change of this place to undo.")
