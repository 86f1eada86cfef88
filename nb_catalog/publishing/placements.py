"""Publishing: which image stands in which place of the storefront."""

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
    """Put an approved ``image`` into ``slot``, in place of what stood there.

    Makes the renditions that are missing, which takes a moment. Raises ``RequestRefused`` for
    an image that is not approved, a slot that the product does not have and a language that
    the site does not speak; ``PictureError`` and ``StorageFailed`` from the renditions.
    """
    objections = tuple(_objections(image, slot=slot, locale=locale))
    if objections:
        raise RequestRefused(*objections)
    kept = _delivery(image)
    place = _place_for(image, slot=slot, locale=locale, position=position)
    with transaction.atomic():
        # Place before picture, as roll_back() does: two people would else wait for each other.
        _locked(place)
        # Asked again, because renditions take a moment: somebody may have retired it meanwhile.
        if lock_image(image) != ImageState.APPROVED:
            raise RequestRefused(_not_approved(image))
        return _set(place, image=image, picture_data=kept, actor=actor, move="publish")


def withdraw(placement: Placement, *, actor: Actor) -> None:
    """Take a picture out of the storefront. The image stays approved.

    Raises ``InvalidTransition`` when another picture stands there meanwhile, ``RequestRefused`` when
    none does.
    """
    place = _place_of(placement)
    with transaction.atomic():
        standing = _locked(place)
        if standing is not None and standing.image_id != placement.image_id:
            raise InvalidTransition(
                "Another picture was published there meanwhile. Look again before you withdraw it."
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
    """Undo the last change of a place: what stood there before stands there again.

    Rolling back twice goes two steps back. Answers the placement, or None when the place is
    empty again. Raises ``RequestRefused`` when there is nothing to undo.
    """
    place = {
        "content_type": content_type_of(product),
        "object_id": str(product.pk),
        "slot": slot,
        "locale": locale,
        "position": position,
    }
    with transaction.atomic():
        # Held first: of two who roll back at once, the second sees what the first has done.
        _locked(place)
        before = _before(place)
        if before is not None and lock_image(before) != ImageState.APPROVED:
            raise RequestRefused(
                f"Picture {before.pk} stood there before and is {before.get_state_display().lower()}"
                f" now. Publish another one."
            )
        if before is None:
            _remove(place, actor=actor, move="roll_back")
            return None
        kept = _delivery(before)
        return _set(place, image=before, picture_data=kept, actor=actor, move="roll_back")


def _objections(image: ProductImage, *, slot: str, locale: str) -> Any:
    if image.kind != ImageKind.PICTURE:
        yield f"Picture {image.pk} shows surroundings without the product."
    if not ProductImage.objects.filter(pk=image.pk, state=ImageState.APPROVED).exists():
        yield _not_approved(image)
    model = image.content_type.model_class()
    slots = source_for(model).slots if model else ()
    if slot not in slots:
        yield f"The product has no slot {slot!r}.{nearest(slot, slots)}"
    languages = dict(django_settings.LANGUAGES)
    if locale and locale not in languages:
        yield f"The site does not speak {locale!r}.{nearest(locale, languages)}"


def _delivery(image: ProductImage) -> storefront.PictureData:
    return storefront.picture_data(
        renditions.make_renditions(image),
        origin=image.digital_source_type,
        said=overlay_text(image),
    )


def _not_approved(image: ProductImage) -> str:
    return f"Picture {image.pk} is not approved. Approve it first."


def _place_for(image: ProductImage, *, slot: str, locale: str, position: int) -> dict[str, Any]:
    return {
        "content_type_id": image.content_type_id,
        "object_id": image.object_id,
        "slot": slot,
        "locale": locale,
        "position": position,
    }


def _place_of(placement: Placement) -> dict[str, Any]:
    names = ("content_type_id", "object_id", "slot", "locale", "position")
    return {name: getattr(placement, name) for name in names}


def _locked(place: dict[str, Any]) -> Placement | None:
    return Placement.objects.filter(**place).select_for_update().first()


def _set(
    place: dict[str, Any],
    *,
    image: ProductImage,
    picture_data: storefront.PictureData,
    actor: Actor,
    move: str,
) -> Placement:
    standing = _locked(place)
    before_id = standing.image_id if standing else None
    if standing is None:
        standing = _first(place, image=image, picture_data=picture_data, actor=actor)
    else:
        standing.image, standing.picture_data, standing.actor = image, picture_data, actor
        standing.stale_since = None
        standing.save(
            update_fields=["image", "picture_data", "actor", "published_at", "stale_since"]
        )
    PlacementEvent.objects.create(
        **place, image_before_id=before_id, image_after=image, actor=actor, move=move
    )
    signals.send_on_commit(
        signals.image_published, sender=Placement, placement_id=standing.pk, image_id=image.pk
    )
    return standing


def _first(place: dict[str, Any], **columns: Any) -> Placement:
    try:
        with transaction.atomic():
            return Placement.objects.create(**place, **columns)
    except IntegrityError as error:
        raise InvalidTransition(
            "Somebody else published to this place at the same moment. Look, and try again."
        ) from error


def _remove(place: dict[str, Any], *, actor: Actor, move: str) -> None:
    standing = _locked(place)
    if standing is None:
        raise RequestRefused("Nothing is published there.")
    PlacementEvent.objects.create(
        **place, image_before_id=standing.image_id, image_after=None, actor=actor, move=move
    )
    standing.delete()


def _before(place: dict[str, Any]) -> ProductImage | None:
    """What stood in ``place`` before the last change that was not undone yet."""
    undone = 0
    for event in PlacementEvent.objects.filter(**place).order_by("-id").iterator():
        if event.move == "roll_back":
            undone += 1
        elif undone:
            undone -= 1
        else:
            before: ProductImage | None = event.image_before
            return before
    raise RequestRefused("There is no change of this place to undo.")
