"""Rolls many places back at once: what a publication, a series or a run changed, or to a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent, ProductImage, Publication, Run, Series
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import ObjectKey, key_condition
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.publishing import placements, places, renditions
from nb_catalog.publishing.places import PlaceKey

__all__ = [
    "PlaceRollBack",
    "RollBackPreview",
    "RollBackScope",
    "preview",
    "roll_back_all",
    "scope_of",
]

# Places that are named in a refusal.
MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackScope:
    """What is rolled back: ``publication``, all changes to pictures of ``run``, or all since ``moment``; of
    the objects ``keys`` and the ``slots`` only, None for all."""

    publication: Publication | None = None
    run: Run | None = None
    moment: datetime | None = None
    keys: frozenset[ObjectKey] | None = None
    slots: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """What is rolled back, in words."""
        if self.publication is not None:
            return _("Publication %(pk)s: %(title)s") % {
                "pk": self.publication.pk, "title": self.publication.title
            }  # fmt: skip
        if self.run is not None:
            return _("Run %(pk)s: %(title)s") % {"pk": self.run.pk, "title": self.run.title}
        assert self.moment is not None  # noqa: S101 - see scope_of
        return date_format(
            timezone.localtime(self.moment, timezone.get_default_timezone()), "DATETIME_FORMAT"
        )

    def events(self) -> Iterator[QuerySet[PlacementEvent]]:
        """Yield the changes that are undone: all in one queryset, or one for each block of ``keys``."""
        rows = PlacementEvent.objects.exclude(move="prune")
        if self.publication is not None:
            rows = rows.filter(publication=self.publication)
        elif self.run is not None:
            rows = rows.filter(image_after__job__run=self.run)
        else:
            rows = rows.filter(at__gt=self.moment)
        if self.slots is not None:
            rows = rows.filter(slot__in=self.slots)
        if self.keys is None:
            yield rows
            return
        for block in blocks(sorted(self.keys), size=places.BLOCK):
            yield rows.filter(key_condition(block))


def scope_of(
    *,
    publication: Publication | None = None,
    series: Series | None = None,
    run: Run | None = None,
    moment: datetime | None = None,
    keys: Iterable[ObjectKey] | None = None,
    slots: Iterable[str] | None = None,
) -> RollBackScope:
    """Return the scope of a roll-back. Of a ``series``, that is its last publication that is not undone.

    Raises ``RequestRefused`` unless exactly one of the first four is given, for a moment that is to come, and
    for what is undone already.
    """
    if [publication, series, run, moment].count(None) != 3:
        raise RequestRefused(
            _("Say what is to be rolled back: one of publication, series, run and moment.")
        )
    if series is not None:
        publication = last_publication(series)
    if publication is not None and publication.undone_at is not None:
        raise RequestRefused(_("Publication %(pk)s is undone already.") % {"pk": publication.pk})
    if publication is not None and publication.published_at is None:
        raise RequestRefused(
            _("Publication %(pk)s has not changed anything yet. Cancel it instead.")
            % {"pk": publication.pk}
        )
    if moment is not None and moment > database_now():
        raise RequestRefused(_("This moment is yet to come. Give one that has passed."))
    return RollBackScope(
        publication=publication,
        run=run,
        moment=moment,
        keys=None if keys is None else frozenset(keys),
        slots=None if slots is None else frozenset(slots),
    )


def last_publication(series: Series) -> Publication:
    """Return the last publication of ``series`` that is not undone. Raises ``RequestRefused``."""
    published = series.publications.filter(
        kind=PublicationKind.SERIES, undone_at=None, published_at__isnull=False
    )
    if (last := published.first()) is None:
        raise RequestRefused(
            _("There is no publication of the series “%(name)s” to undo.") % {"name": series.name}
        )
    return last


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRollBack:
    """What becomes of a place: it shows ``now`` and gets ``before``; None is an empty place. ``problem`` says
    why it stays as it is."""

    key: PlaceKey
    now: int | None
    before: ProductImage | None
    move: str = "roll_back"
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackPreview:
    """What a roll-back would do: ``restored`` places, those that were ``changed`` since by others and stay,
    and those that ``cannot`` be restored."""

    scope: RollBackScope
    restored: tuple[PlaceRollBack, ...]
    changed: tuple[PlaceRollBack, ...]
    cannot: tuple[PlaceRollBack, ...]

    def objections(self) -> Iterator[str]:
        """Yield why not all places can be restored."""
        if number := len(self.changed):
            yield (
                ngettext(
                    "Somebody has changed %(number)d of these places since. Look at it, or undo the others "
                    "only.",
                    "Somebody has changed %(number)d of these places since. Look at them, or undo the "
                    "others only.",
                    number,
                )
                % {"number": number}
            )
        yield from (each.problem for each in self.cannot[:MOST_NAMED])
        if (more := len(self.cannot) - MOST_NAMED) > 0:
            yield (
                ngettext(
                    "%d more place cannot be restored.", "%d more places cannot be restored.", more
                )
                % more
            )


def preview(scope: RollBackScope) -> RollBackPreview:
    """Return what ``roll_back_all`` would do now. A constant number of queries for each block of places."""
    chains = _chains(scope)
    return _preview(scope, chains, shown=places.shown_in(chains))


def make_files(scope: RollBackScope, *, seconds: float | None = None) -> None:
    """Make the missing files for web pages of what comes back, for ``seconds`` at most.

    Raises ``RequestRefused`` if that is not enough; what was made stays, outside of a transaction.
    """
    missing: dict[int, ProductImage] = {}
    for rows in scope.events():
        before = ProductImage.objects.filter(
            pk__in=rows.values("image_before"), state=ImageState.APPROVED
        )
        # They were published before, so that they have their files unless the formats have changed.
        lacking = [image.pk for image in renditions.without_files(list(before.only("pk")))]
        for block in blocks(lacking, size=places.BLOCK):
            missing |= {image.pk: image for image in ProductImage.objects.filter(pk__in=block)}
    if missing:
        renditions.renditions_of(list(missing.values()), seconds=seconds)


def roll_back_all(
    scope: RollBackScope, *, actor: Actor, partial: bool = False, seconds: float | None = None
) -> Publication:
    """Undo the changes in ``scope``: show exactly what was there before, in all places or in none.

    Returns the publication that it is, which can be rolled back like any other. With ``partial``, places that
    somebody has changed since stay as they are, and so do those whose picture cannot be shown any more.
    Missing files for web pages are made before anything is locked, as by ``make_files``.

    Raises ``RequestRefused`` with every objection, or if nothing is to be undone.
    """
    make_files(scope, seconds=seconds)
    with transaction.atomic():
        _lock(scope)
        chains = _chains(scope)
        shown = places.lock_places(chains)
        result = _preview(scope, chains, shown=shown)
        objections = [] if partial else list(result.objections())
        if objections:
            raise RequestRefused(*dict.fromkeys(objections))
        if not result.restored and not (partial and scope.publication is not None):
            raise RequestRefused(
                _("Nothing is to be rolled back: these places show what was there before.")
            )
        now = database_now()
        record = Publication.objects.create(
            kind=PublicationKind.ROLL_BACK,
            title=(_("Rolled back: %(what)s") % {"what": scope.name})[:200],
            undoes=scope.publication,
            actor=actor,
            published_at=now,
        )
        for move in ("roll_back", "restore"):
            placements.restore(
                {each.key: each.before for each in result.restored if each.move == move},
                shown,
                actor=actor,
                move=move,
                publication=record,
            )
        _mark_undone(scope.publication, at=now)
    return record


def _lock(scope: RollBackScope) -> None:
    """Lock the rows that say whether ``scope`` is undone: before places, which is the order of all."""
    publication = scope.publication
    if publication is None:
        return
    lock_series(publication)
    # The write comes first: SQLite locks nothing while it reads.
    open_rows = Publication.objects.filter(pk=publication.pk, undone_at=None)
    if not open_rows.update(due_at=None):
        raise InvalidTransition(
            _("Somebody else has rolled back publication %(pk)s meanwhile.")
            % {"pk": publication.pk}
        )


def lock_series(publication: Publication) -> None:
    """Lock the series of ``publication``, if it has one: before the publication itself, which is the order of
    all."""
    if publication.series_id is not None:
        series = Series.objects.filter(pk=publication.series_id).select_for_update()
        list(series.values_list("pk", flat=True))


def _mark_undone(publication: Publication | None, *, at: datetime) -> None:
    """Mark ``publication`` as undone. If it was a roll-back itself, what that had undone holds again: until
    its end, or without one if that has passed."""
    is_undone = True
    while publication is not None:
        publication.undone_at, changed = at if is_undone else None, ["undone_at"]
        if not is_undone:
            changed += ["ends_at", "due_at", "state", "problem"]
            ends_at = publication.ends_at
            publication.ends_at = ends_at if ends_at is not None and ends_at > at else None
            publication.due_at = publication.ends_at
            publication.state, publication.problem = PublicationState.PUBLISHED, ""
            publication.planned.update(problem="")
        publication.save(update_fields=changed)
        publication, is_undone = publication.undoes, not is_undone


@dataclass(frozen=True, slots=True)
class _Chain:
    """Changes of one place that follow each other: from the picture ``before`` to the picture ``after``.
    ``only`` is the change, if it is a single one and not a roll-back."""

    before: int | None
    after: int | None
    only: int | None


def _chains(scope: RollBackScope) -> dict[PlaceKey, _Chain]:
    """Return, for each place, what the latest changes in ``scope`` that follow each other have done."""
    columns = (*places.PLACE, "pk", "move", "image_before_id", "image_after_id")
    chains: dict[PlaceKey, _Chain] = {}
    ended: set[PlaceKey] = set()
    rows = chain.from_iterable(
        events.order_by("-pk").values_list(*columns).iterator(chunk_size=2000)
        for events in scope.events()
    )
    for *place, pk, move, before, after in rows:
        key = tuple(place)
        later = chains.get(key)
        if later is None:
            chains[key] = _Chain(before, after, None if move == "roll_back" else pk)
        elif key not in ended and (after == later.before or scope.moment is not None):
            chains[key] = _Chain(before, later.after, None)
        else:
            ended.add(key)
    return chains


def _preview(
    scope: RollBackScope,
    chains: Mapping[PlaceKey, _Chain],
    *,
    shown: Mapping[PlaceKey, Placement],
) -> RollBackPreview:
    keys = sorted(chains, key=str)
    now = {key: row.image_id for key, row in shown.items()}
    changed: list[PlaceRollBack] = []
    wanted: dict[PlaceKey, int | None] = {}
    for key in keys:
        chain, image = chains[key], now.get(key)
        if image == chain.before:
            continue
        if image == chain.after or scope.moment is not None:
            wanted[key] = chain.before
        else:
            problem = _("Somebody has changed this place since.")
            changed.append(PlaceRollBack(key=key, now=image, before=None, problem=problem))
    found: dict[int, ProductImage] = {}
    for block in blocks(
        sorted({pk for pk in wanted.values() if pk is not None}), size=places.BLOCK
    ):
        found |= {image.pk: image for image in ProductImage.objects.filter(pk__in=block)}
    before = {key: None if pk is None else found[pk] for key, pk in wanted.items()}
    obstacles = placements.obstacles_to(before)
    last = _undo_targets({key: chains[key] for key in wanted})
    restored: list[PlaceRollBack] = []
    cannot: list[PlaceRollBack] = []
    for key, picture in before.items():
        is_last = chains[key].only is not None and last.get(key) == chains[key].only
        each = PlaceRollBack(
            key=key,
            now=now.get(key),
            before=picture,
            move="roll_back" if is_last else "restore",
            problem=" ".join(obstacles.get(key, ())),
        )
        (cannot if each.problem else restored).append(each)
    return RollBackPreview(
        scope=scope, restored=tuple(restored), changed=tuple(changed), cannot=tuple(cannot)
    )


def _undo_targets(chains: Mapping[PlaceKey, _Chain]) -> dict[PlaceKey, int | None]:
    """Return the change that a roll-back of each place would undo, where its chain is a single change."""
    last: dict[PlaceKey, int | None] = {}
    single = [key for key, chain in chains.items() if chain.only is not None]
    for block in blocks(single, size=places.BLOCK):
        wanted = set(block)
        # Older changes say nothing about what came after these.
        later = PlacementEvent.objects.filter(
            key_condition({(key[0], key[1]) for key in block}),
            slot__in={key[2] for key in block},
            pk__gte=min(chains[key].only or 0 for key in block),
        )
        history: dict[PlaceKey, list[tuple[str, int]]] = defaultdict(list)
        for *place, move, pk in later.order_by("-id").values_list(*places.PLACE, "move", "pk"):
            if tuple(place) in wanted:
                history[tuple(place)].append((move, pk))
        last |= {key: placements.last_change(moves) for key, moves in history.items()}
    return last
