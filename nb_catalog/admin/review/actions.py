"""One decision about one picture as the review page sends it, carried out and told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import review
from nb_catalog.admin import catalog_objects
from nb_catalog.core.states import IMAGE_TRANSITIONS, ImageState
from nb_catalog.core.types import Actor, Permission
from nb_catalog.exceptions import InvalidTransition, NBCatalogError
from nb_catalog.models import ProductImage
from nb_catalog.publishing import placements
from nb_catalog.review import ocr

MOST_POSITIONS: Final = 1000

_SERVICES: Final = {
    "approve": (review.approve, _("Picture %(pk)s approved.")),
    "reject": (review.reject, _("Picture %(pk)s rejected.")),
    "reconsider": (review.reconsider, _("Picture %(pk)s is waiting for review again.")),
    "retire": (review.retire, _("Picture %(pk)s retired.")),
}
PUBLISHING_VERBS: Final = ("publish", "roll_back")
# Words that a model painted, set exactly on the picture below.
SET_WORDS: Final = "set_text"
# Words that a model painted, read by another one. It costs money.
READ_WORDS: Final = "read_text"
VERBS: Final = (*_SERVICES, *PUBLISHING_VERBS, SET_WORDS, READ_WORDS)
# What the message offers to take a decision back.
UNDO: Final = {"reject": "reconsider"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``verb`` is one of ``VERBS``; ``ticked`` says that it is made about several pictures at once."""

    verb: str
    note: str = ""
    slot: str = ""
    locale: str = ""
    position: int = 0
    ticked: bool = False

    @property
    def place(self) -> dict[str, str | int]:
        return {"slot": self.slot, "locale": self.locale, "position": self.position}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOutcome:
    """How it went, for a person. ``undo`` is the verb that takes it back, or empty; what else it
    needs is in ``place``."""

    said: str
    level: int = messages.SUCCESS
    undo: str = ""
    place: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def went_well(self) -> bool:
        return self.level == messages.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPermissions:
    """What somebody may do on the review page."""

    review: bool
    publish: bool
    generate: bool

    @classmethod
    def of(cls, user: Any) -> ReviewPermissions:
        return cls(
            review=user.has_perm(Permission.REVIEW),
            publish=user.has_perm(Permission.PUBLISH),
            generate=user.has_perm(Permission.GENERATE),
        )

    @property
    def any(self) -> bool:
        return self.review or self.publish or self.generate

    def verbs(self, state: str) -> frozenset[str]:
        """What these powers can do with a picture in ``state``."""
        moves = {
            name
            for name, move in IMAGE_TRANSITIONS.items()
            if self.review and state in move.sources
        }
        may_publish = state == ImageState.APPROVED or (state == ImageState.PENDING and self.review)
        return frozenset(moves | ({"publish"} if self.publish and may_publish else set()))

    def require(self, verb: str) -> None:
        needed = {
            **dict.fromkeys(PUBLISHING_VERBS, self.publish),
            SET_WORDS: self.generate,
            READ_WORDS: self.generate,
        }
        if not needed.get(verb, self.review):
            raise PermissionDenied


def decision(verb: str, pk: int, given: Mapping[str, str]) -> Decision:
    """Read the fields of picture ``pk`` from the page's form."""
    position = given.get(f"position-{pk}", "")
    return Decision(
        verb=verb,
        note=given.get(f"note-{pk}", "").strip(),
        slot=given.get(f"slot-{pk}", ""),
        ticked=f"ticked-{pk}" in given,
        locale=given.get(f"locale-{pk}", ""),
        # A few digits are enough: Python refuses to read thousands of them.
        position=min(int(position[:9]), MOST_POSITIONS) if position.isdecimal() else 0,
    )


def decide(image: ProductImage, asked: Decision, *, actor: Actor) -> ReviewOutcome:
    """Carry ``asked`` out. Raises ``PermissionDenied``; every refusal becomes an outcome."""
    powers = ReviewPermissions.of(actor)
    powers.require(asked.verb)
    try:
        if asked.verb == "publish":
            return _publish(image, asked, actor=actor, powers=powers)
        if asked.verb == "roll_back":
            return _roll_back(image, asked, actor=actor)
        if asked.verb == SET_WORDS:
            return _set_text(image, actor=actor)
        if asked.verb == READ_WORDS:
            return _read_text(image, actor=actor)
        service, said = _SERVICES[asked.verb]
        service(image, actor=actor, note=asked.note)
    except NBCatalogError as error:
        return _refused(error, asked)
    return ReviewOutcome(said=str(said) % {"pk": image.pk}, undo=UNDO.get(asked.verb, ""))


def _publish(
    image: ProductImage, asked: Decision, *, actor: Actor, powers: ReviewPermissions
) -> ReviewOutcome:
    if asked.ticked:
        review.require_individual_review(image)
    approved_now = image.state == ImageState.PENDING and powers.review
    if approved_now:
        review.approve(image, actor=actor, note=asked.note)
    try:
        placements.publish(image, **asked.place, actor=actor)
    except NBCatalogError as error:
        if not approved_now:
            raise
        said = gettext("Picture %(pk)s is approved, but not published. %(why)s")
        return ReviewOutcome(said=said % {"pk": image.pk, "why": error}, level=messages.WARNING)
    said = (
        gettext("Picture %(pk)s approved and published to %(slot)s.")
        if approved_now
        else gettext("Picture %(pk)s published to %(slot)s.")
    )
    said = said % {"pk": image.pk, "slot": asked.slot}
    return ReviewOutcome(said=said, undo="roll_back", place=asked.place)


def _set_text(image: ProductImage, *, actor: Actor) -> ReviewOutcome:
    if review.typeset_instead(image, actor=actor) is None:
        said = gettext("A picture with this text, typeset, already exists.")
        return ReviewOutcome(said=said, level=messages.INFO)
    said = gettext(
        "The text of picture %(pk)s is being typeset. The new picture will appear here for review."
    )
    return ReviewOutcome(said=said % {"pk": image.pk})


def _read_text(image: ProductImage, *, actor: Actor) -> ReviewOutcome:
    reading = ocr.read_with_model(image, actor=actor)
    if reading.is_exact:
        said = gettext("%(reader)s reads the text of picture %(pk)s exactly as requested.")
    else:
        said = gettext(
            "%(reader)s reads text on picture %(pk)s that differs from the requested text."
        )
    level = messages.SUCCESS if reading.is_exact else messages.WARNING
    return ReviewOutcome(said=said % {"reader": reading.reader, "pk": image.pk}, level=level)


def _roll_back(image: ProductImage, asked: Decision, *, actor: Actor) -> ReviewOutcome:
    """Undo a publication, as long as ``image`` is what stands there."""
    if not image.placements.filter(**asked.place).exists():
        raise InvalidTransition(
            gettext("Another picture is published there now. Nothing was changed.")
        )
    placements.roll_back(catalog_objects.product_of(image), **asked.place, actor=actor)
    said = gettext(
        "%(slot)s was rolled back to its previous content. Picture %(pk)s remains approved."
    )
    return ReviewOutcome(said=said % {"pk": image.pk, "slot": asked.slot})


def _refused(error: NBCatalogError, asked: Decision) -> ReviewOutcome:
    said = str(error)
    if isinstance(error, InvalidTransition):
        said = gettext("Someone else was faster. %s") % said
    if asked.note:
        # Nothing that a person typed is lost.
        said = " ".join((said, gettext("Your note was: “%s”") % asked.note))
    return ReviewOutcome(said=said, level=messages.ERROR)
