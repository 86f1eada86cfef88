"""What the buttons of a series' page do, reported as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext, ngettext

from nb_catalog import publishing, review
from nb_catalog import series as catalog_series
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, NBCatalogError
from nb_catalog.generation.series import MemberProducts
from nb_catalog.models import Series, SeriesMember
from nb_catalog.models.publications import PublicationState
from nb_catalog.publishing.series import REQUEST_SECONDS
from nb_catalog.registry import source_for

EARLIER: Final = "earlier"
LATER: Final = "later"
MOVE: Final = "move"
SORT: Final = "sort"
REMOVE: Final = "remove"
VARIANTS: Final = "variants"
# Verb of a button -> group of the members that are chosen.
GROUPS: Final = {"stand": "standing", "lay": "lying"}
APPROVE: Final = "approve"
PUBLISH: Final = "publish"
ROLL_BACK: Final = "roll_back"

PERMISSIONS: Final[Mapping[str, Action]] = {
    **dict.fromkeys((EARLIER, LATER, MOVE, SORT, REMOVE, VARIANTS, *GROUPS), Action.CHANGE_SERIES),
    APPROVE: Action.REVIEW,
    PUBLISH: Action.PUBLISH,
    ROLL_BACK: Action.UNPUBLISH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAction:
    """A verb of ``PERMISSIONS`` with its arguments. ``keys`` are those of the chosen members, or of the
    order that was dragged; ``version`` is the version of the order that the person has seen, and ``place``,
    from 1, where the chosen ones go. ``anyway``: also if some members are not ready, or another series is
    replaced."""

    verb: str
    keys: tuple[str, ...] = ()
    version: int = 0
    place: int = 1
    anyway: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesOutcome:
    message: str
    level: int = messages.SUCCESS

    @property
    def succeeded(self) -> bool:
        return self.level == messages.SUCCESS


def execute(series: Series, action: SeriesAction, *, actor: Actor) -> SeriesOutcome:
    """Do ``action``. Raises ``PermissionDenied``; every refusal is returned as an outcome."""
    if not may(actor, PERMISSIONS[action.verb], model=source_for(series.label).model):
        raise PermissionDenied
    try:
        if action.verb == REMOVE:
            message = _remove(series, action)
        elif action.verb == VARIANTS:
            message = gettext("Select products first.")
            if products := list(_products(series, action)):
                message = added_message(catalog_series.add_variants(series, products))
        elif action.verb in GROUPS:
            group = GROUPS[action.verb]
            count = catalog_series.set_group(series, _products(series, action), group)
            message = ngettext(
                "%d product is seen by another camera now. Its picture is out of date.",
                "%d products are seen by another camera now. Their pictures are out of date.",
                count,
            )
            message = message % count if count else gettext("Nothing was changed.")
        elif action.verb == APPROVE:
            result = review.approve_series(series, actor=actor)
            approved = len(result.approved)
            message = ngettext("%d picture approved.", "%d pictures approved.", approved) % approved
            message = " ".join([message, *result.refused])
        elif action.verb == PUBLISH:
            message = _publish(series, action, actor=actor)
        elif action.verb == ROLL_BACK:
            publishing.roll_back_series(
                series, actor=actor, partial=action.anyway, seconds=REQUEST_SECONDS
            )
            message = gettext(
                "The last publication of the series was undone: %(slot)s shows what was there."
            ) % {"slot": series.slot}
        else:
            message = _reorder(series, action)
        return SeriesOutcome(message=message)
    except InvalidTransition as conflict:
        return SeriesOutcome(message=str(conflict), level=messages.WARNING)
    except NBCatalogError as refusal:
        return SeriesOutcome(message=str(refusal), level=messages.ERROR)


def keys_in_order(series: Series) -> list[str]:
    """Return ``SeriesMember.key`` of the members of ``series`` in their order."""
    members = series.members.filter(removed_at=None).order_by("position", "pk")
    return [SeriesMember.key_of(*each) for each in members.values_list("object_id", "variant")]


def moved(order: Sequence[str], keys: Sequence[str], *, verb: str, place: int = 1) -> list[str]:
    """Return ``order`` with the members ``keys`` one place earlier or later, or together at ``place``, which
    counts from 1. Members that are not in ``order`` are left out."""
    named = set(keys)
    chosen = [key for key in order if key in named]
    rest = [key for key in order if key not in named]
    if not chosen:
        return list(order)
    if verb == EARLIER:
        at = order.index(chosen[0]) - 1
    elif verb == LATER:
        at = order.index(chosen[0]) + 1
    else:
        at = place - 1
    at = min(max(at, 0), len(rest))
    return [*rest[:at], *chosen, *rest[at:]]


def _reorder(series: Series, action: SeriesAction) -> str:
    order = list(action.keys)
    if action.verb != SORT:
        before = keys_in_order(series)
        order = moved(before, order, verb=action.verb, place=action.place)
        if order == before:
            return gettext("The order is as it was.")
    catalog_series.reorder(series, order, version=action.version)
    return gettext("The order is saved.")


def _chosen(series: Series, action: SeriesAction) -> list[SeriesMember]:
    return [row for row in series.members.filter(removed_at=None) if row.key in action.keys]


def _products(series: Series, action: SeriesAction) -> MemberProducts:
    keys = dict.fromkeys(row.object_id for row in _chosen(series, action))
    return MemberProducts(source_for(series.label), list(keys))


def _remove(series: Series, action: SeriesAction) -> str:
    chosen = _chosen(series, action)
    there = {str(product.pk) for product in _products(series, action)}
    count = catalog_series.remove_members(series, action.keys)
    # No rule adds those again whose product was deleted.
    gone = [row.pk for row in chosen if row.object_id not in there]
    series.members.filter(pk__in=gone).delete()
    message = ngettext(
        "%d product removed. Its pictures stay.", "%d products removed. Their pictures stay.", count
    )
    return message % count if count else gettext("Select products first.")


def added_message(added: catalog_series.Added) -> str:
    """Return how many variants were added, as a sentence."""
    message = ngettext("%d variant added.", "%d variants added.", added.added)
    return message % added.added if added.added else gettext("All variants are members already.")


def _publish(series: Series, action: SeriesAction, *, actor: Actor) -> str:
    publication = publishing.publish_series(
        series,
        actor=actor,
        partial=action.anyway,
        replace=action.anyway,
        reason=action.reason,
        background=True,
    )
    if publication.state == PublicationState.WAITING:
        return gettext(
            "The files of the pictures are being made. The series is published when all are ready; see "
            "“Publications”."
        )
    count = publication.events.count()
    message = ngettext(
        "%(count)d picture published to %(slot)s.",
        "%(count)d pictures published to %(slot)s.",
        count,
    )
    return message % {"count": count, "slot": series.slot}
