"""What the contact sheet shows of each member of a series, and what the list shows of each series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.db.models import Count, Exists, OuterRef, Q, prefetch_related_objects
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import generation
from nb_catalog.admin import thumbnails
from nb_catalog.admin.catalog_objects import CatalogObjectInfo, info_for_product
from nb_catalog.admin.series.effects import with_variant
from nb_catalog.core.states import ImageState
from nb_catalog.generation import ItemStatus, MemberPicture
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.imaging.drift import DRIFT_CHECK, describe_missing, describe_part
from nb_catalog.models import Placement, ProductImage, Series, SeriesMember
from nb_catalog.models.images import ImageKind

# States of a member, in the order in which work goes on, with their names.
STATES: Final = {
    "impossible": _("not possible"),
    "missing": _("to be made"),
    "underway": _("being made"),
    "stale": _("out of date"),
    "review": _("to review"),
    "approved": _("approved"),
    "published": _("published"),
}
# Beyond this many tolerances, a bar of the strip grows no more.
LARGEST_BAR: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftBar:
    """The drift of a picture as a bar: ``height`` in percent, "" as ``score`` if it was not measured."""

    score: str
    height: int
    is_outlier: bool
    reason: str

    @property
    def top(self) -> int:
        return 100 - self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBadge:
    """The text of a member in one locale, by its state; ``image`` is the key of its picture, None without
    one."""

    locale: str
    state: str
    image: int | None
    problem: str

    @property
    def state_name(self) -> str:
        return str(STATES[self.state])


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A member on the sheet. ``picture_url`` is that of its picture or, while there is none, of its photo.

    ``place`` counts from 1. ``notes`` are sentences: why there is no picture, or what is wrong with it.
    """

    member: SeriesMember
    info: CatalogObjectInfo
    place: int
    state: str
    image: ProductImage | None
    picture_url: str
    is_anchor: bool
    notes: Sequence[str]
    drift: DriftBar | None
    texts: Sequence[TextBadge] = ()

    @property
    def pk(self) -> str:
        return str(self.member.pk)

    @property
    def key(self) -> str:
        return self.member.key

    @property
    def title(self) -> str:
        """The title of the product, and the name of the variant."""
        return with_variant(self.info.title, self.member)

    @property
    def state_name(self) -> str:
        return str(STATES[self.state])

    @property
    def can_be_anchor(self) -> bool:
        return (
            self.image is not None
            and not self.is_anchor
            and self.image.state == ImageState.APPROVED
        )


def cards_of(
    series: Series, pictures: Iterable[MemberPicture], *, first: int, site: AdminSite
) -> list[Card]:
    """Return a card for each of ``pictures``, whose members are in order from ``first``. Two queries, and two
    more for the text on them."""
    pictures = list(pictures)
    images = [each.image for each in pictures if each.image is not None]
    prefetch_related_objects(images, thumbnails.RENDITIONS)
    places = Placement.objects.filter(
        content_type=series.content_type_id,
        object_id__in={each.member.object_id for each in pictures},
        slot=series.slot,
        image__series=series.key,
    ).values_list("object_id", "image__variant", "locale", "image_id")
    published = {tuple(place): image_id for *place, image_id in places}
    texts: dict[int, list[TextBadge]] = defaultdict(list)
    for text in generation.member_texts(series, pictures, are_set=False):
        member, image, state = text.picture.member, text.image, text.status.value
        if image is not None and text.is_current:
            state = "review" if image.state == ImageState.PENDING else "approved"
            if published.get((member.object_id, member.variant, text.locale)) == image.pk:
                state = "published"
        badge = TextBadge(
            locale=text.locale,
            state=state,
            image=None if image is None else image.pk,
            problem=text.problem if text.picture.is_current else "",
        )
        texts[member.pk].append(badge)
    return [
        _card(
            series,
            each,
            place=place,
            published=published.get((each.member.object_id, each.member.variant, "")),
            texts=texts[each.member.pk],
            site=site,
        )
        for place, each in enumerate(pictures, first)
    ]


def _card(
    series: Series,
    picture: MemberPicture,
    *,
    place: int,
    published: int | None,
    texts: Sequence[TextBadge],
    site: AdminSite,
) -> Card:
    image, member = picture.image, picture.member
    if picture.product is None:
        key = (member.content_type_id, member.object_id)
        info = CatalogObjectInfo(key=key, title=member.object_id, exists=False)
    else:
        info = info_for_product(picture.product, site=site)
    drift = None if image is None else drift_bar(image.checks)
    notes = [picture.problem] if picture.problem else []
    if published is not None and (not picture.is_current or image is None or image.pk != published):
        notes.append(gettext("The shop shows an older look."))
    if drift is not None and (drift.is_outlier or not drift.score):
        notes.append(drift.reason)
    if image is not None and picture.is_current:
        state = "review" if image.state == ImageState.PENDING else "approved"
        if image.pk == published:
            state = "published"
    else:
        # Of a picture that is there already, only those of another look are left.
        state = "stale" if picture.status == ItemStatus.PRESENT else picture.status.value
    return Card(
        member=member,
        info=info,
        place=place,
        state=state,
        image=image,
        picture_url=info.photo_url if image is None else thumbnails.thumbnail_url(image, site=site),
        is_anchor=image is not None and image.pk == series.anchor_id,
        notes=notes,
        drift=drift,
        texts=texts,
    )


def drift_bar(checks: Mapping[str, Any]) -> DriftBar | None:
    """Return the drift in the ``checks`` of a picture; None if it was never compared with an anchor."""
    found = checks.get(DRIFT_CHECK)
    if not isinstance(found, Mapping):
        return None
    score = found.get("score")
    if score is None:
        reason = describe_missing(str(found.get("missing", "")))
        return DriftBar(score="", height=0, is_outlier=False, reason=reason)
    return DriftBar(
        score=number_format(score, decimal_pos=1),
        height=round(100 * min(score, LARGEST_BAR) / LARGEST_BAR),
        is_outlier=score > 1,
        reason=describe_part(str(found.get("worst", ""))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounts:
    """How many members a series has, how many of them have a picture, and how many are published."""

    members: int = 0
    made: int = 0
    published: int = 0


def member_counts(series: Iterable[Series]) -> dict[int, MemberCounts]:
    """Return the counts of each of ``series`` by key, whatever the look of the pictures. Three queries."""
    about = {"content_type": OuterRef("content_type"), "object_id": OuterRef("object_id")}
    images = ProductImage.objects.filter(
        **about, series=OuterRef("series__key"), variant=OuterRef("variant"), locale="",
        kind=ImageKind.PICTURE, state__in=USABLE_STATES,
    )  # fmt: skip
    placements = Placement.objects.filter(
        **about, slot=OuterRef("series__slot"), locale="",
        image__series=OuterRef("series__key"), image__variant=OuterRef("variant"),
    )  # fmt: skip
    keys = [each.pk for each in series]
    members = SeriesMember.objects.filter(series__in=keys, removed_at=None).order_by()
    total, made, published = (
        dict(members.filter(condition).values_list("series").annotate(number=Count("pk")))
        for condition in (Q(), Exists(images), Exists(placements))
    )
    return {
        key: MemberCounts(
            members=total.get(key, 0), made=made.get(key, 0), published=published.get(key, 0)
        )
        for key in keys
    }
