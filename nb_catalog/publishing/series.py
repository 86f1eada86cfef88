"""Publishes the pictures of a series as one, and undoes it as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from django.db import transaction
from django.utils.translation import gettext as _

from nb_catalog import generation
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import MemberPicture, MemberText
from nb_catalog.models import Placement, ProductImage, Publication, Series
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.publications import PublicationKind
from nb_catalog.publishing import placements, places, publications, renditions
from nb_catalog.publishing.rollbacks import roll_back_all, scope_of

Place: TypeAlias = tuple[int, str, str]
"""Position, key of the product, locale."""

# Members that are named in a refusal.
MOST_NAMED: Final = 20
REQUEST_SECONDS: Final = 20.0
"""How long a web request makes files of pictures."""


def publish_series(
    series: Series,
    *,
    actor: Actor,
    locale: str = "",
    partial: bool = False,
    replace: bool = False,
    reason: str = "",
    background: bool = False,
) -> Publication:
    """Publish the pictures of all members in the slot of ``series``; all are published, or none.

    Several members of one product, its variants, take consecutive positions in the order of the series.
    Places that a publication of the series has filled, and that none of its members takes any more, are
    emptied. If the series has a layout, its text is published with the pictures: that of each of the shop's
    locales in its locale, beside ``locale``. Each member needs an approved picture with the look that the
    series has now, and no place may go on to show another one of its pictures of this series. With
    ``partial``, what is ready is published all the same. A place that shows another series is taken only with
    ``replace``. ``reason`` is that of ``publish``. Missing files for web pages are made first; with
    ``background``, a worker makes them, if there is more than a web request can wait for, and the publication
    waits for that.

    Raises ``RequestRefused`` with every objection, ``InvalidTransition`` if the look was changed meanwhile,
    and whatever ``publish`` raises.
    """
    pictures = list(generation.member_pictures(series))
    if not pictures:
        raise RequestRefused(
            _("The series “%(name)s” has no members. Add products.") % {"name": series.name}
        )
    texts = list(generation.member_texts(series, pictures))
    ready = [each for each in pictures if _is_ready(each)]
    ready_texts = [each for each in texts if _is_ready(each.picture) and _is_ready(each)]
    shown = {(*_place(each), locale): each.image for each in ready if each.image is not None}
    shown |= {
        (*_place(each.picture), each.locale): each.image
        for each in ready_texts
        if each.image is not None
    }
    objections: list[str] = []
    if not partial:
        objections += _unready([each for each in pictures if each not in ready])
        objections += _without_text(
            [each for each in texts if _is_ready(each.picture) and each not in ready_texts]
        )
        objections += _two_looks(series, pictures, shown)
    if not replace:
        objections += _other_series(series, shown)
    if objections or not ready:
        raise RequestRefused(*(objections or _unready(pictures)))
    pictures_by_place = {
        (series.content_type_id, object_id, series.slot, code, position): image
        for (position, object_id, code), image in sorted(shown.items(), key=lambda each: each[0])
    }
    publication = Publication(
        kind=PublicationKind.SERIES,
        title=series.name,
        series=series,
        look_version=series.version,
        actor=actor,
        reason=reason,
    )
    if background:
        placements.check(pictures_by_place, actor=actor, reason=reason)
        images = {image.pk: image for image in pictures_by_place.values()}
        if len(renditions.without_files(list(images.values()))) > publications.MOST_INLINE:
            emptied = list(_surplus(series, pictures))
            with transaction.atomic():
                return publications.wait(publication, pictures_by_place, emptied=emptied)
    # Before the transaction: renditions take a moment.
    prepared = placements.checked(pictures_by_place, actor=actor, reason=reason)
    with transaction.atomic():
        # One publication of a series at a time. Other series may share places and images with it; those are
        # locked in an order that all share.
        same_look = Series.objects.filter(pk=series.pk, version=series.version)
        if not list(same_look.select_for_update().values_list("pk")):
            raise InvalidTransition(
                _(
                    "Someone else has changed the series “%(name)s” meanwhile. Look at it, and try again."
                )
                % {"name": series.name}
            )
        publication.published_at = database_now()
        publication.save()
        emptied = list(_surplus(series, pictures))
        placements.put(
            prepared,
            emptied=emptied,
            actor=actor,
            reason=reason,
            publication=publication,
        )
        # After the places and images are locked: its rows refer to images, which locks these as well.
        publications.write_plan(publication, pictures_by_place, emptied=emptied)
        if not publication.events.exists():
            raise RequestRefused(
                _("The series “%(name)s” is published already, with all these pictures.")
                % {"name": series.name}
            )
    return publication


def roll_back_series(
    series: Series, *, actor: Actor, partial: bool = False, seconds: float | None = None
) -> Publication:
    """Undo the last publication of ``series`` as a whole, and return it. Doing so twice undoes two.

    Places that somebody has changed since refuse it; with ``partial``, they stay as they are. Raises
    ``RequestRefused`` if there is nothing to undo, or if a picture that was there before cannot be shown any
    more. ``seconds`` is that of ``publish_series``.
    """
    scope = scope_of(series=series)
    assert scope.publication is not None  # noqa: S101 - that of the series
    roll_back_all(scope, actor=actor, partial=partial, seconds=seconds)
    return scope.publication


def _is_ready(picture: MemberPicture | MemberText) -> bool:
    image = picture.image
    return picture.is_current and image is not None and image.state == ImageState.APPROVED


def _place(picture: MemberPicture) -> tuple[int, str]:
    return picture.position, picture.member.object_id


def _unready(pictures: Sequence[MemberPicture]) -> Iterator[str]:
    """Yield a sentence for each of ``pictures`` that cannot be published, up to ``MOST_NAMED``."""
    for each in pictures[:MOST_NAMED]:
        name = {"product": each.name}
        if each.problem and each.image is not None:
            yield f"{_('The picture of “%(product)s” cannot be made again.') % name} {each.problem}"
        elif each.problem:
            yield f"{_('“%(product)s” has no picture.') % name} {each.problem}"
        elif each.is_current:
            yield _("The picture of “%(product)s” is not approved. Approve it first.") % name
        elif each.image is not None:
            yield _("The picture of “%(product)s” is out of date. Make it again.") % name
        else:
            yield _("“%(product)s” has no picture. Make it first.") % name
    if len(pictures) > MOST_NAMED:
        more = {"number": len(pictures) - MOST_NAMED}
        yield _("%(number)s more members are not ready.") % more


def _without_text(texts: Sequence[MemberText]) -> Iterator[str]:
    """Yield a sentence for each of ``texts`` that cannot be published, up to ``MOST_NAMED``."""
    for each in texts[:MOST_NAMED]:
        about = {"product": each.picture.name, "locale": each.locale}
        if each.problem:
            yield f"{_('“%(product)s” has no text in %(locale)r.') % about} {each.problem}"
        elif each.is_current:
            yield (
                _("The text of “%(product)s” in %(locale)r is not approved. Approve it first.")
                % about
            )
        else:
            yield (
                _("“%(product)s” has no text of today in %(locale)r. Make the text of the series.")
                % about
            )
    if len(texts) > MOST_NAMED:
        more = {"number": len(texts) - MOST_NAMED}
        yield _("%(number)s more texts are not ready.") % more


def _two_looks(
    series: Series, pictures: Sequence[MemberPicture], shown: Mapping[Place, ProductImage]
) -> Iterator[str]:
    """Yield which members would be shown in two versions of the look: in ``shown``, and in another place."""
    current = {
        (each.member.object_id, each.member.variant): each for each in pictures if each.is_current
    }
    surplus = {placement.pk for placement in _surplus(series, pictures)}
    elsewhere = Placement.objects.filter(
        content_type_id=series.content_type_id, image__series=series.key
    ).select_related("image")
    for placement in elsewhere.defer("image__spec", "image__checks", "image__provenance").order_by(
        "object_id", "slot", "locale", "position"
    ):
        place = (placement.position, placement.object_id, placement.locale)
        if (placement.slot == series.slot and place in shown) or placement.pk in surplus:
            continue
        each = current.get((placement.object_id, placement.image.variant))
        # The look of text is that of the picture below it.
        look = placement.image.parent_id if placement.image.locale else placement.image_id
        if each is not None and each.image is not None and look != each.image.pk:
            yield (
                _(
                    "“%(product)s” would be shown in two versions of the look: another picture of the series "
                    "is in the slot “%(slot)s”%(locale)s. Publish the new one there too, or withdraw it."
                )
                % {
                    "product": each.name,
                    "slot": placement.slot,
                    "locale": f" ({placement.locale})" if placement.locale else "",
                }
            )


def _surplus(series: Series, pictures: Sequence[MemberPicture]) -> Iterator[Placement]:
    """Yield the places of members' products that the series has filled and that no member takes any more. A
    query, and one for each place beyond the members."""
    counts = Counter(each.member.object_id for each in pictures)
    further = Placement.objects.filter(
        content_type_id=series.content_type_id,
        image__series=series.key,
        slot=series.slot,
        position__gt=0,
    )
    for placement in further.order_by("locale", "position", "object_id"):
        place = dict(zip(places.PLACE, places.place_key(placement), strict=True))
        if (
            0 < counts[placement.object_id] <= placement.position
            and series.publications.filter(
                events__image_after=placement.image_id,
                **{f"events__{name}": value for name, value in place.items()},
            ).exists()
        ):
            yield placement


def _other_series(series: Series, shown: Container[Place]) -> Iterator[str]:
    """Yield which other series the slot shows now in the places of ``shown``, and for how many members."""
    rows = Placement.objects.filter(
        content_type_id=series.content_type_id, slot=series.slot, image__series__isnull=False
    ).exclude(image__series=series.key)
    columns = ("position", "object_id", "locale", "image__series")
    replaced = {
        (str(key), object_id)
        for position, object_id, code, key in rows.values_list(*columns)
        if (position, object_id, code) in shown
    }
    for key, number in sorted(Counter(key for key, _object_id in replaced).items()):
        yield (
            _(
                "The slot “%(slot)s” shows the series %(other)r for %(number)s of these products. Say that "
                "it is to be replaced."
            )
            % {"slot": series.slot, "other": key, "number": number}
        )
