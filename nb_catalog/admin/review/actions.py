"""One review action on one picture: read from the page's form, executed, and reported as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import review
from nb_catalog.admin import catalog_objects
from nb_catalog.admin.formatting import name_of_place, place_name
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import IMAGE_TRANSITIONS, ImageState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, NBCatalogError
from nb_catalog.models import ProductImage, ReviewDecision
from nb_catalog.models.transitions import too_late
from nb_catalog.publishing import placements, publish_final

MAX_POSITION: Final = 1000

_DONE: Final = {
    "approve": _("Picture %(pk)s approved."),
    "reject": _("Picture %(pk)s rejected."),
    "reconsider": _("Picture %(pk)s is waiting for review again."),
    "retire": _("Picture %(pk)s retired."),
    "restore": _("Picture %(pk)s is approved again."),
}
# Publish a final wherever its draft is published.
PUBLISH_FINAL: Final = "publish_final"
PUBLISHING_VERBS: Final = ("publish", "roll_back", PUBLISH_FINAL)
# Typeset the text that a model painted, on the same base image.
SET_TEXT: Final = "set_text"
# Check painted text with the OCR provider, which costs money.
READ_TEXT: Final = "read_text"
# Have a model compare the picture with the product's photo, which costs money.
COMPARE: Final = "compare"
VERBS: Final = (*_DONE, *PUBLISHING_VERBS, SET_TEXT, READ_TEXT, COMPARE)
# What undoes a verb, by the state before it.
UNDO: Final = {
    ("approve", ImageState.PENDING): "reconsider",
    ("reject", ImageState.PENDING): "reconsider",
    ("reconsider", ImageState.APPROVED): "approve",
    ("reconsider", ImageState.REJECTED): "reject",
    ("retire", ImageState.APPROVED): "restore",
    ("restore", ImageState.RETIRED): "retire",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAction:
    """A verb of ``VERBS`` with its arguments. ``seen`` is the state in which the picture was shown,
    ``batch`` that of a decision about several pictures."""

    verb: str
    seen: str = ""
    note: str = ""
    slot: str = ""
    locale: str = ""
    position: int = 0
    batch: UUID | None = None

    @classmethod
    def from_form(cls, verb: str, pk: int, data: Mapping[str, str]) -> ReviewAction:
        """Read the fields of picture ``pk`` from the form data of the review page."""
        position = data.get(f"position-{pk}", "")
        return cls(
            verb=verb,
            seen=data.get(f"seen-{pk}", ""),
            note=data.get(f"note-{pk}", "").strip(),
            slot=data.get(f"slot-{pk}", ""),
            locale=data.get(f"locale-{pk}", ""),
            # People count from 1. A few digits are enough: int() raises ValueError for thousands of them.
            position=min(max(int(position[:9]) - 1, 0), MAX_POSITION)
            if position.isdecimal()
            else 0,
        )

    @property
    def place(self) -> dict[str, str | int]:
        return {"slot": self.slot, "locale": self.locale, "position": self.position}

    @property
    def place_name(self) -> str:
        return place_name(**self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOutcome:
    """Result for the user. ``undo`` is the verb that reverts it, or empty; ``place`` its fields in the
    form of the review page. ``waits``: a worker publishes the picture once its files are made."""

    message: str
    level: int = messages.SUCCESS
    undo: str = ""
    place: Mapping[str, str | int] = field(default_factory=dict)
    waits: bool = False

    @property
    def succeeded(self) -> bool:
        return self.level == messages.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPermissions:
    """What a user may do on the review page."""

    review: bool
    publish: bool
    generate: bool

    @classmethod
    def of(cls, user: Any) -> ReviewPermissions:
        return cls(
            review=may(user, Action.REVIEW),
            publish=may(user, Action.PUBLISH),
            generate=may(user, Action.REPLACE_TEXT),
        )

    @property
    def any(self) -> bool:
        return self.review or self.publish or self.generate

    def verbs(self, state: str) -> frozenset[str]:
        """Return the verbs that are allowed for a picture in ``state``."""
        transitions = {
            name
            for name, transition in IMAGE_TRANSITIONS.items()
            if self.review and state in transition.sources
        }
        may_publish = state == ImageState.APPROVED or (state == ImageState.PENDING and self.review)
        return frozenset(transitions | ({"publish"} if self.publish and may_publish else set()))


def require(user: Any, verb: str) -> None:
    """Raise ``PermissionDenied`` unless ``user`` may do ``verb``."""
    needed = {
        **dict.fromkeys(PUBLISHING_VERBS, Action.PUBLISH),
        SET_TEXT: Action.REPLACE_TEXT,
        READ_TEXT: Action.READ_TEXT,
        COMPARE: Action.COMPARE,
    }
    if not may(user, needed.get(verb, Action.REVIEW)):
        raise PermissionDenied


def execute(
    image: ProductImage,
    action: ReviewAction,
    *,
    actor: Actor,
    together: review.DeferredPublications | None = None,
) -> ReviewOutcome:
    """Execute ``action``; a worker publishes pictures of ``together``.

    Raises ``PermissionDenied``; every refusal is returned as an outcome.
    """
    permissions = ReviewPermissions.of(actor)
    require(actor, action.verb)
    try:
        match action.verb:
            case "roll_back":
                return _roll_back(image, action, actor=actor)
            case "publish_final":
                return _publish_final(image, action, actor=actor, permissions=permissions)
            case "set_text":
                if review.typeset_instead(image, actor=actor) is None:
                    message = gettext("A picture with this text, typeset, already exists.")
                    return ReviewOutcome(message=message, level=messages.INFO)
                message = gettext(
                    "The text of picture %(pk)s is being typeset. The new picture will appear here for "
                    "review."
                )
                return ReviewOutcome(message=message % {"pk": image.pk})
            case "read_text":
                review.request_reading(image, actor=actor)
                message = gettext(
                    "The text of picture %(pk)s is being read. The result will appear beside the picture."
                )
                return ReviewOutcome(message=message % {"pk": image.pk})
            case "compare":
                review.request_comparison(image, actor=actor)
                message = gettext(
                    "Picture %(pk)s is being compared with the product’s photo. The result will appear "
                    "beside it."
                )
                return ReviewOutcome(message=message % {"pk": image.pk})
        before = image.state
        decision = review.Decision(
            key=uuid4(), image=image.pk, verb=action.verb, seen=action.seen, note=action.note,
            batch=action.batch,
            **(action.place if action.verb == "publish" else {}),
        )  # fmt: skip
        outcome = outcome_of(review.decide(decision, actor=actor, together=together))
        if not outcome.succeeded:
            # The page is rendered again: without this, the typed note would be lost.
            return replace(outcome, message=with_note(outcome.message, action.note))
        undo = outcome.undo or UNDO.get((action.verb, before), "")
        return replace(outcome, undo=undo)
    except NBCatalogError as error:
        message = str(error)
        if isinstance(error, InvalidTransition):
            message = gettext("Someone else was faster. %s") % message
        return ReviewOutcome(message=with_note(message, action.note), level=messages.ERROR)


def with_note(message: str, note: str) -> str:
    """Return ``message`` with the ``note`` that was not recorded."""
    return " ".join((message, gettext("Your note was: “%s”") % note)) if note else message


def outcome_of(row: ReviewDecision) -> ReviewOutcome:
    """Return the message about a decision that was carried out or refused."""
    values = {"pk": row.image_id}
    if row.outcome == "refused":
        message = row.current_problem
        if row.code == InvalidTransition.code:
            message = gettext("Someone else was faster. %s") % message
        return ReviewOutcome(message=message, level=messages.ERROR)
    if row.outcome == "partly":
        return _not_published(row.image_id, why=row.current_problem)
    if row.outcome == "waiting":
        message = gettext("Picture %(pk)s is published once its files for web pages are made.")
        return ReviewOutcome(message=message % values, waits=True)
    if row.verb != "publish":
        return ReviewOutcome(message=str(_DONE[row.verb]) % values)
    if row.place is None:
        return ReviewOutcome(message=gettext("Picture %(pk)s is already published there.") % values)
    message = (
        gettext("Picture %(pk)s approved and published to %(slot)s.")
        if row.after
        else gettext("Picture %(pk)s published to %(slot)s.")
    )
    return ReviewOutcome(
        message=message % {**values, "slot": place_name(**row.place)},
        undo="roll_back",
        place={**row.place, "position": row.place["position"] + 1},
    )


def _not_published(pk: int, *, why: str) -> ReviewOutcome:
    message = gettext("Picture %(pk)s is approved, but not published. %(why)s")
    return ReviewOutcome(message=message % {"pk": pk, "why": why}, level=messages.WARNING)


def _publish_final(
    image: ProductImage, action: ReviewAction, *, actor: Actor, permissions: ReviewPermissions
) -> ReviewOutcome:
    if action.seen not in ("", image.state):
        raise too_late(image, "publish")
    approves = image.state == ImageState.PENDING and permissions.review
    if approves:
        review.approve(image, actor=actor, note=action.note)
    try:
        result = publish_final(image, actor=actor, reason=action.note)
    except NBCatalogError as error:
        if not approves:
            raise
        # The approval stays: one transaction for both would lock pictures before places.
        return _not_published(image.pk, why=str(error))
    places = [name_of_place(each) for each in (*result.published, *result.waiting)]
    message = gettext("Picture %(pk)s replaces its draft in %(places)s.")
    if result.waiting:
        message += " " + gettext("Text is set on it there first, and follows by itself.")
    if result.staying:
        message += " " + gettext("An edit by a model stays in %(staying)s.")
    values = {
        "pk": image.pk,
        "places": ", ".join(places),
        "staying": ", ".join(map(name_of_place, result.staying)),
    }
    return ReviewOutcome(message=message % values)


def _roll_back(image: ProductImage, action: ReviewAction, *, actor: Actor) -> ReviewOutcome:
    """Undo a publication, as long as ``image`` is still published there."""
    if not image.placements.filter(**action.place).exists():
        raise InvalidTransition(
            gettext("Another picture is published there now. Nothing was changed.")
        )
    placements.roll_back(catalog_objects.product_of(image), **action.place, actor=actor)
    message = gettext(
        "%(slot)s was rolled back to its previous content. Picture %(pk)s remains approved."
    )
    return ReviewOutcome(message=message % {"pk": image.pk, "slot": action.place_name})
