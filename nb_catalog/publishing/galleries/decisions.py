"""What a person decides about deliveries that failed, or whose pictures the host has changed."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nb_catalog import tasks
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import GalleryDelivery
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.galleries import GalleryState

# Which states allow which decision.
DECISIONS: Final = {
    "retry": (GalleryState.FAILED, GalleryState.WAITING, GalleryState.DELIVERED),
    "overwrite": (GalleryState.CHANGED, GalleryState.KEPT),
    "leave": (GalleryState.CHANGED, GalleryState.FAILED),
}


def possible(delivery: GalleryDelivery) -> list[str]:
    """Return the decisions that the state of ``delivery`` allows."""
    return [decision for decision, states in DECISIONS.items() if delivery.state in states]


def decide(delivery: GalleryDelivery | None, decision: str) -> None:
    """Make a person's ``decision`` about ``delivery``; None if it does not exist any more.

    "retry" delivers again now. "overwrite" delivers although the host has changed what was delivered; what
    is there now is restored some day. "leave" leaves it as the host has it. Raises ``RequestRefused`` for
    another decision, ``InvalidTransition`` if the state does not allow it.
    """
    if decision not in DECISIONS:
        raise RequestRefused(
            _("%(decision)r is not a decision.") % {"decision": decision}
            + nearest(decision, DECISIONS)
        )
    columns: dict[str, object] = {"state": GalleryState.KEPT, "due_at": None}
    if decision != "leave":
        columns = {
            "state": GalleryState.WAITING,
            "due_at": database_now(),
            "attempts": 0,
            "problem": "",
            "overwrites": decision == "overwrite",
        }
    rows = GalleryDelivery.objects.filter(state__in=DECISIONS[decision])
    if delivery is None or not rows.filter(pk=delivery.pk).update(**columns):
        raise InvalidTransition(
            _("Someone else has already decided about this delivery. Reload the page.")
        )
    if decision != "leave":
        tasks.wake_up()


def retry_failed(rows: QuerySet[GalleryDelivery]) -> int:
    """Deliver those of ``rows`` again now that have failed or wait for their next try; return how many."""
    failed = rows.filter(state__in=(GalleryState.FAILED, GalleryState.WAITING)).exclude(problem="")
    return failed.update(state=GalleryState.WAITING, due_at=database_now(), attempts=0, problem="")
