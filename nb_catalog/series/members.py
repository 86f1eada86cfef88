"""Which products are in a series, in which order and in which group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import models, transaction
from django.db.models import Count, F, Max
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import nearest, shorten
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Series, SeriesMember
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import fetch_subjects, object_key
from nb_catalog.models.series import SeriesGroup, SeriesView
from nb_catalog.registry import pose_of, subject_of

BLOCK: Final = 500
# Keys that are quoted in a message.
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many products were added, and how many were members already. ``warnings`` are sentences."""

    added: int
    present: int
    warnings: tuple[str, ...] = ()


def add(series: Series, products: Iterable[models.Model], *, by_rule: bool = False) -> Added:
    """Append ``products`` to ``series``, or what they show the pictures of. All are added, or none.

    Products that were removed are added again, except ``by_rule``: what a person has removed stays removed.
    Raises ``RequestRefused`` for a product of another model, ``NotRegistered``, and ``RegistryError`` for a
    pose that is not valid.
    """
    added = present = 0
    with transaction.atomic():
        # Keeps others from appending until the transaction ends.
        list(Series.objects.filter(pk=series.pk).select_for_update().values_list("pk"))
        now = database_now()
        last = series.members.aggregate(last=Max("position"))["last"]
        position = -1 if last is None else int(last)
        for block in blocks(stream(products), size=BLOCK):
            subjects = _subjects(series, block)
            rows = series.members.filter(object_id__in=subjects, variant="")
            known = {row.object_id: row for row in rows}
            new = []
            for key, subject in subjects.items():
                member = known.get(key)
                if member is not None and (by_rule or member.removed_at is None):
                    present += member.removed_at is None
                    continue
                position += 1
                group = SeriesGroup.ALL
                if series.view == SeriesView.GROUPS:
                    lies = pose_of(subject) == "lying"
                    group = SeriesGroup.LYING if lies else SeriesGroup.STANDING
                new.append(
                    SeriesMember(
                        pk=member.pk if member else None,
                        added_at=member.added_at if member else now,
                        absences=member.absences_until(now) if member else [],
                        series=series,
                        content_type_id=series.content_type_id,
                        object_id=key,
                        position=position,
                        group=group,
                        by_rule=by_rule,
                    )
                )
            added += len(new)
            SeriesMember.objects.bulk_create([each for each in new if each.pk is None])
            SeriesMember.objects.bulk_update(
                [each for each in new if each.pk is not None],
                ["position", "group", "by_rule", "removed_at", "added_at", "absences"],
            )
    return Added(added=added, present=present, warnings=tuple(shared_slots(series)))


def remove(series: Series, products: Iterable[models.Model]) -> int:
    """Remove ``products`` and their variants from ``series`` and return how many members that were. No rule
    adds them again."""
    removed = 0
    for block in blocks(stream(products), size=BLOCK):
        fetch_subjects(block)
        keys = [object_key(product)[1] for product in block]
        rows = series.members.filter(object_id__in=keys, removed_at=None)
        removed += rows.update(removed_at=database_now())
    return removed


def reorder(series: Series, order: Sequence[str], *, version: int) -> int:
    """Put members into ``order``, given by their ``SeriesMember.key``, and return the new version of the
    order.

    If ``order`` names some of the members only, these share out among themselves the places that they
    hold. ``version`` is the ``order_version`` that the person has seen.

    Raises ``InvalidTransition`` if someone else has sorted meanwhile, ``RequestRefused`` for a key that is
    named twice or is not a member's.
    """
    with transaction.atomic():
        # One conditional UPDATE decides who wins; the other order changes nothing.
        if not Series.objects.filter(pk=series.pk, order_version=version).update(
            order_version=F("order_version") + 1
        ):
            raise InvalidTransition(
                _(
                    "Someone else has sorted the series “%(name)s” meanwhile. Look at the order, and sort "
                    "again."
                )
                % {"name": series.name}
            )
        rows = list(series.members.filter(removed_at=None).order_by("position", "pk"))
        keys = [row.key for row in rows]
        places = {key: place for place, key in enumerate(keys)}
        if objections := _order_objections(order, keys=keys):
            raise RequestRefused(*objections)
        sorted_keys = iter(order)
        named = set(order)
        changed = []
        for place, key in enumerate(keys):
            row = rows[places[next(sorted_keys)]] if key in named else rows[place]
            if row.position != place:
                row.position = place
                changed.append(row)
        SeriesMember.objects.bulk_update(changed, ["position"], batch_size=BLOCK)
    return version + 1


def set_group(series: Series, products: Iterable[models.Model], group: str) -> int:
    """Put members into ``group``, one of ``series.groups``. Return how many were changed.

    Raises ``RequestRefused`` for a group that the series does not have.
    """
    if group not in series.groups:
        raise RequestRefused(
            _("The series has no group %(name)r.") % {"name": group} + nearest(group, series.groups)
        )
    changed = 0
    for block in blocks(stream(products), size=BLOCK):
        fetch_subjects(block)
        keys = [object_key(product)[1] for product in block]
        rows = series.members.filter(object_id__in=keys, removed_at=None).exclude(group=group)
        changed += rows.update(group=group)
    return changed


def shared_slots(series: Series) -> Iterator[str]:
    """Yield a sentence for each other series that has members in common and the same slot. One query."""
    own = series.members.filter(removed_at=None, variant="").values("object_id")
    rows = SeriesMember.objects.filter(
        content_type_id=series.content_type_id, object_id__in=own, removed_at=None,
        series__slot=series.slot, series__is_active=True, variant="",
    ).exclude(series=series)  # fmt: skip
    for name, number in rows.order_by().values_list("series__name").annotate(number=Count("pk")):
        yield (
            _(
                "%(number)s of these products are also in the series “%(other)s”, which is published in the "
                "same slot “%(slot)s”. Only one of the two can be shown there."
            )
            % {"number": number, "other": name, "slot": series.slot}
        )


def stream(products: Iterable[models.Model]) -> Iterator[models.Model]:
    """Yield ``products``, those of a queryset a block at a time."""
    if isinstance(products, models.QuerySet):
        return products.iterator(chunk_size=BLOCK)
    return iter(products)


def _subjects(series: Series, products: Sequence[models.Model]) -> dict[str, models.Model]:
    fetch_subjects(products)
    subjects = {}
    for product in products:
        subject = subject_of(product)
        type_id, key = object_key(product)
        if type_id != series.content_type_id:
            raise RequestRefused(
                _(
                    "“%(product)s” is not of the model %(model)s, as all members of the series “%(name)s” "
                    "are."
                )
                % {"product": product, "model": series.content_type.name, "name": series.name}
            )
        subjects[key] = subject
    return subjects


def _order_objections(order: Sequence[str], *, keys: Sequence[str]) -> list[str]:
    objections = []
    members, named = set(keys), set(order)
    if len(named) < len(order):
        twice = [key for key in named if list(order).count(key) > 1]
        objections.append(
            _("Name each member once. Named twice: %(keys)s.")
            % {"keys": shorten(", ".join(sorted(twice)))}
        )
    if strangers := [key for key in order if key not in members]:
        objections.append(
            _("These are not members of the series: %(keys)s.")
            % {"keys": shorten(", ".join(strangers[:MOST_NAMED]))}
        )
    return objections
