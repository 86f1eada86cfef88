"""Sessions that a service stores: from which one an edit can go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.core.types import RequestMode
from nb_catalog.models import ProductImage
from nb_catalog.providers import Provider
from nb_catalog.providers.tiers import Tier
from nb_catalog.providers.types import SESSION_CHECK

KEPT: Final = timedelta(days=55)
"""How long Google stores interactions of paid projects (November 2026); those of free ones, a day. What is
gone sooner is found out when the edit is sent, which costs nothing."""


MOST_STEPS: Final = 10
"""Steps of one session. Each of them is read again with every further one, and costs input."""
REFERENCES_OF_A_STEP: Final = 4
"""At most as many pictures as a step of a session counts for: two or three that were sent, and the one that
was made, which has no more tokens than these."""


class PreviousSession(NamedTuple):
    """The id of the session that an edit goes on from, "" if it begins one, a sentence that says so, and how
    many steps the session has."""

    id: str
    sentence: str
    steps: int = 0


def previous_session(image: ProductImage, *, tier: Tier) -> PreviousSession:
    """Return the session from which an edit of ``image`` on ``tier`` goes on.

    It is the one in which the picture itself was made: a branch from an earlier picture goes on from there.
    """
    found = str(image.checks.get(SESSION_CHECK, {}).get("id", ""))
    made_by = (image.spec.get("provider"), image.spec.get("model"))
    steps = int(image.spec.get("edit", {}).get("session", {}).get("steps", 1))
    reason = ""
    if not found:
        reason = _("picture %(pk)s was not made in one") % {"pk": image.pk}
    elif "area" in image.spec.get("edit", {}):
        reason = _("the rest of picture %(pk)s was put back after the model's answer") % {
            "pk": image.pk
        }
    elif made_by != (tier.provider, tier.model):
        reason = _("picture %(pk)s was made by another model") % {"pk": image.pk}
    elif timezone.now() - image.created_at > KEPT:
        reason = _("that of picture %(pk)s is no longer stored") % {"pk": image.pk}
    elif steps >= MOST_STEPS:
        reason = _("that of picture %(pk)s has %(steps)s steps") % {"pk": image.pk, "steps": steps}
    if reason:
        return PreviousSession(
            "",
            _("A new session is stored with the service, and everything is sent: %(reason)s.")
            % {"reason": reason},
        )
    return PreviousSession(
        id=found,
        steps=steps,
        sentence=_(
            "Goes on from the stored session of picture %(pk)s: the instruction and the product's photo are "
            "sent. If the service no longer has it, everything is sent, at the same price."
        )
        % {"pk": image.pk},
    )


def session_objections(provider: Provider, *, mode: str) -> Iterator[str]:
    """Yield why ``provider`` cannot store an edit in a session."""
    if not provider.keeps_sessions:
        yield (
            _(
                "The provider “%(provider)s” stores no sessions. Edit without one, or allow it with its "
                "option stored_sessions."
            )
            % {"provider": provider.alias}
        )
    if mode == RequestMode.BATCH:
        yield _("An edit in a session cannot wait for a batch. Request it directly.")
