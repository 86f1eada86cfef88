"""Decisions about cut-outs as the admin's forms name them: executed, and reported as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nb_catalog import cutouts, tasks
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import Actor, PhotoKind
from nb_catalog.cutouts.access import may_each
from nb_catalog.cutouts.decisions import confirm, mark_unusable, undo_each
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import PhotoCutout

CONFIRM, UNUSABLE, AGAIN, UNDO = "confirm", "unusable", "again", "undo"
# What a person decides that a photo is; "" leaves it to the shop's source.
KIND_VERBS: Final = {
    "packshot": PhotoKind.PACKSHOT,
    "full_frame": PhotoKind.FULL_FRAME,
    "lifestyle": PhotoKind.LIFESTYLE,
    "as_shop": "",
}
VERBS: Final = (CONFIRM, *KIND_VERBS, UNUSABLE, AGAIN, UNDO)
# Shorter than the labels of ``PhotoKind``, which explain what follows from it.
KIND_NAMES: Final = {
    PhotoKind.PACKSHOT: _("Packshot"),
    PhotoKind.FULL_FRAME: _("Full frame"),
    PhotoKind.LIFESTYLE: _("Lifestyle"),
    "": _("As the shop says"),
}
MOVES: Final = {
    "confirm": _("Confirmed"),
    "set_kind": _("Kind of photo changed"),
    "replace_mask": _("Mask replaced"),
    "cut_again": _("Cut out again"),
    "mark_unusable": _("Marked as not usable"),
    "undo": _("Decision undone"),
}
NOTHING_CHANGED: Final = {
    CONFIRM: _("Nothing was changed: only doubtful cut-outs can be confirmed."),
    UNDO: _("There is no decision to undo."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutPermissions:
    """What a user may do to cut-outs of models that the user may view."""

    decide: bool
    cut_again: bool

    @classmethod
    def of(cls, user: Any) -> CutoutPermissions:
        return cls(decide=may(user, Action.DECIDE_CUTOUTS), cut_again=may(user, Action.CUT_AGAIN))

    @property
    def any(self) -> bool:
        return self.decide or self.cut_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result for the user. ``undo`` is the verb that reverts it, or empty."""

    message: str
    level: int = messages.SUCCESS
    undo: str = ""

    @property
    def succeeded(self) -> bool:
        return self.level == messages.SUCCESS


def needed_action(verb: str) -> Action:
    """Return the action of ``core.permissions`` that ``verb`` requires."""
    return Action.CUT_AGAIN if verb == AGAIN else Action.DECIDE_CUTOUTS


def execute(rows: Sequence[PhotoCutout], verb: str, *, actor: Actor) -> Outcome:
    """Do ``verb`` to each of ``rows``. Raises ``PermissionDenied``; refusals are returned as an outcome."""
    if not may_each(actor, needed_action(verb), rows):
        raise PermissionDenied
    try:
        if verb == CONFIRM:
            count = confirm(rows, actor=actor)
        elif verb == UNUSABLE:
            count = mark_unusable(rows, actor=actor)
        elif verb == AGAIN:
            count = cutouts.cut_again(rows, actor=actor)
            tasks.wake_up()
        elif verb == UNDO and len(rows) > 1:
            # Those without a decision are left out, while one alone is refused.
            count = undo_each(rows, actor=actor)
        elif verb == UNDO:
            for row in rows:
                cutouts.undo(row, actor=actor)
            count = len(rows)
        else:
            count = cutouts.set_kind(rows, KIND_VERBS[verb], actor=actor)
    except NBCatalogError as error:
        return Outcome(message=str(error), level=messages.ERROR)
    if not count:
        message = NOTHING_CHANGED.get(verb, _("Nothing was changed."))
        return Outcome(message=str(message), level=messages.WARNING)
    return Outcome(message=_done(verb, count), undo=UNDO if verb != UNDO else "")


def _done(verb: str, count: int) -> str:
    if verb in KIND_VERBS:
        message = ngettext(
            "%(count)d photo is set to “%(kind)s”.",
            "%(count)d photos are set to “%(kind)s”.",
            count,
        )
        return message % {"count": count, "kind": KIND_NAMES[KIND_VERBS[verb]]}
    if verb == CONFIRM:
        message = ngettext("%d cut-out confirmed.", "%d cut-outs confirmed.", count)
    elif verb == UNUSABLE:
        message = ngettext("%d photo will not be used.", "%d photos will not be used.", count)
    elif verb == AGAIN:
        message = ngettext(
            "%d photo will be cut out again. This takes a moment.",
            "%d photos will be cut out again. This takes a moment.",
            count,
        )
    else:
        message = ngettext("%d decision undone.", "%d decisions undone.", count)
    return message % count
