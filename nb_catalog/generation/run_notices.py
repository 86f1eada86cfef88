"""E-mails to the person who started a run: that it has ended, or pauses at a budget, once each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import Error
from django.utils.translation import get_language

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.permissions import Action, may
from nb_catalog.generation import job_counts
from nb_catalog.generation.progress import RunState, state_of
from nb_catalog.generation.run_mail import build_message
from nb_catalog.models import Run, RunNotice
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.run_notices import RunEvent

logger = logging.getLogger(__name__)

# Notices that are looked at in one go, and how often each is.
MOST: Final = 20
LOOK_AFTER: Final = timedelta(seconds=5)
# A process that dies while it sends has this long; then another sends again.
LEASE: Final = timedelta(minutes=10)
MAX_TRIES: Final = 5
# After the first failure; four times as long after each further one.
FIRST_RETRY: Final = timedelta(minutes=1)


def address_of(user: Any) -> str:
    """Return the e-mail address of ``user``; "" for nobody, and for one who is not to get any."""
    if user is None or not user.is_active or not may(user, Action.VIEW_RUNS):
        return ""
    return str(getattr(user, user.get_email_field_name(), "") or "")


def can_inform(user: Any) -> bool:
    """Return whether ``user`` can be asked: e-mails are on, and there is an address."""
    return settings.NOTIFY["EMAIL"] != "off" and bool(address_of(user))


def inform_by_default() -> bool:
    """Return whether e-mails are sent unless a person says otherwise."""
    return bool(settings.NOTIFY["EMAIL"] == "always")


def inform(run: Run, *, url: str = "") -> bool:
    """Send the person who started ``run`` an e-mail when it pauses at a budget, and when it has ended.

    ``url`` is the absolute address of its page. Returns whether one will be sent: not without an address,
    without permission to view runs, and with ``NOTIFY`` off. In the language that is active now.
    """
    if not can_inform(run.actor):
        return False
    RunNotice.objects.get_or_create(
        run=run,
        defaults={"url": url, "language": get_language() or "", "due_at": database_now()},
    )
    return True


def expect_again(run: Run) -> None:
    """Inform again: ``run`` goes on after a retry, or with another budget."""
    # Also if nothing was sent yet: a process that is sending now must not settle the notice.
    RunNotice.objects.filter(run=run).update(informed_of="", tries=0, due_at=database_now())


def send_due() -> int:
    """Send what is due, and return how many e-mails were sent. Any number of processes may call it at once.

    Each event is tried ``MAX_TRIES`` times in all, whether the server fails or the process dies.
    """
    now = database_now()
    due = RunNotice.objects.filter(due_at__lte=now).select_related("run__actor", "run__start")
    notices = list(due.order_by("due_at")[:MOST])
    counts = job_counts.counts_for([each.run for each in notices]) if notices else {}
    sent = 0
    for notice in notices:
        event = event_of(notice.run, counts=counts[notice.run_id])
        if event is None or event == notice.informed_of:
            _move(notice, due_at=now + LOOK_AFTER)
            continue
        tries = notice.tries if event == notice.tried else 0
        if tries >= MAX_TRIES:
            if _move(notice, **_settled(event, now=now)):
                _warn(notice, cause="the process that sent it died", is_last=True)
        elif _move(notice, due_at=now + LEASE, tries=tries + 1, tried=event):
            notice.due_at, notice.tries = now + LEASE, tries + 1
            sent += _send(notice, event, counts=counts[notice.run_id])
    return sent


def event_of(run: Run, *, counts: Mapping[str, int]) -> RunEvent | None:
    state = state_of(run, counts=counts)
    if state == RunState.PAUSED:
        return RunEvent.PAUSED
    return RunEvent.ENDED if state in (RunState.FINISHED, RunState.STOPPED) else None


def _move(notice: RunNotice, *, due_at: datetime | None, **changes: Any) -> bool:
    """Move ``notice`` on, unless another process or a retry has done so meanwhile."""
    rows = RunNotice.objects.filter(
        pk=notice.pk, due_at=notice.due_at, informed_of=notice.informed_of
    )
    return bool(rows.update(due_at=due_at, **changes))


def _settled(event: RunEvent, *, now: datetime) -> dict[str, Any]:
    """Return what a notice becomes once ``event`` was sent or given up."""
    # What pauses goes on some time; what has ended is looked at again only after a retry.
    due_at = now + LOOK_AFTER if event == RunEvent.PAUSED else None
    return {"informed_of": event, "tries": 0, "due_at": due_at}


def _warn(notice: RunNotice, *, cause: str, is_last: bool) -> None:
    logger.warning(
        "The e-mail about run %s was not sent (%s)%s",
        notice.run_id,
        cause,
        ": it is given up." if is_last else ", and is tried again.",
        extra=logs.fields(run=notice.run_id),
    )


def _send(notice: RunNotice, event: RunEvent, *, counts: Mapping[str, int]) -> bool:
    """Send ``notice`` of ``event``, and return whether it was sent."""
    now = database_now()
    after = _settled(event, now=now)
    address = address_of(notice.run.actor)
    if not address:
        _move(notice, **after)
        return False
    try:
        build_message(notice, event, counts=counts, address=address).send()
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - a mail server, and the host's own backend and source
        is_last = notice.tries >= MAX_TRIES
        _warn(notice, cause=type(error).__name__, is_last=is_last)
        retry = {"due_at": now + FIRST_RETRY * 4 ** (notice.tries - 1)}
        _move(notice, **(after if is_last else retry))
        return False
    _move(notice, sent_at=now, **after)
    return True
