"""Which messages are due, who sends them, and what becomes of them."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.models import CatalogEvent, WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.webhooks import DeliveryState
from nb_catalog.webhooks import endpoints, secrets
from nb_catalog.webhooks.failures import Disabled, Failure

logger = logging.getLogger(__name__)

# After each failed attempt, in seconds; a day in all.
PAUSES: Final = (5, 60, 300, 1800, 7200, 6 * 3600, 16 * 3600)
# Up to so much longer, by chance: receivers that fail together are not tried together again.
JITTER: Final = 0.2
# What a receiver may ask for.
LONGEST_PAUSE: Final = timedelta(days=1)
# Longer than an attempt takes. A worker that dies meanwhile leaves its messages to others.
LEASE: Final = timedelta(seconds=60)
# Longer than any pause between attempts. A failure after so long without one is the first of its kind.
QUIET: Final = 2 * LONGEST_PAUSE
# Connections to one endpoint at a time; to one that fails, a single one.
SLOTS: Final = 4
BLOCK: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that this process is to send. ``claim`` fences it."""

    pk: int
    claim: str
    endpoint: int
    url: str
    message_id: str
    body: bytes
    secrets: tuple[bytes, ...]
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of a message. ``failure`` is empty if it was delivered; ``retry_after`` is what the
    receiver asked for, in seconds."""

    message: Message
    failure: str = ""
    status: int | None = None
    retry_after: float | None = None


def claim_due(in_flight: Mapping[int, int]) -> list[Message]:
    """Claim messages that are due and return them. ``in_flight`` has the number of messages that this process
    is sending to each endpoint.

    Each endpoint has its own share, so that none that is slow or has many messages delays the others'. Of an
    endpoint that many processes send to, each has a share.
    """
    now = database_now()
    due = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=now)
    rows = WebhookEndpoint.objects.filter(Exists(due), is_active=True)
    messages: list[Message] = []
    for endpoint in rows.filter(Q(not_before=None) | Q(not_before__lte=now)):
        slots = SLOTS if endpoint.failing_since is None else 1
        if (free := slots - in_flight.get(endpoint.pk, 0)) > 0:
            messages += _claim(endpoint, most=free, now=now)
    return messages


def _claim(endpoint: WebhookEndpoint, *, most: int, now: datetime) -> list[Message]:
    due = WebhookDelivery.objects.filter(endpoint=endpoint, due_at__lte=now)
    keys = list(due.order_by("due_at").values_list("pk", flat=True)[:most])
    token = uuid4().hex
    # Of two processes that have found the same, the second one finds that they are not due any more.
    mine = due.filter(pk__in=keys).order_by()
    if not mine.update(due_at=now + LEASE, claim=token, attempts=F("attempts") + 1, tried_at=now):
        return []
    known = tuple(secrets.valid_secrets(endpoint, now=now))
    return [
        Message(
            pk=row.pk,
            claim=token,
            endpoint=endpoint.pk,
            url=endpoint.url,
            message_id=row.message_id,
            body=body_of(row),
            secrets=known,
            attempts=row.attempts,
        )
        for row in WebhookDelivery.objects.filter(claim=token, pk__in=keys).order_by("pk")
    ]


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return what is sent, the same at each attempt."""
    at = delivery.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": delivery.event, "timestamp": at, "data": delivery.data}
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def write_attempts(attempts: Sequence[Attempt]) -> None:
    """Write what became of messages. What another process has claimed meanwhile is left to it.

    The row of an endpoint is locked before those of its messages, and endpoints in one order.
    """
    with transaction.atomic():
        for each in sorted(attempts, key=lambda attempt: attempt.message.endpoint):
            if each.failure:
                _write_failure(each)
            else:
                _write_success(each)


def _write_success(attempt: Attempt) -> None:
    endpoint = _tried(attempt)
    endpoint.exclude(failing_since=None, not_before=None).update(
        failing_since=None, failed_at=None, not_before=None
    )
    _held(attempt).update(
        state=DeliveryState.DELIVERED,
        due_at=None,
        claim="",
        status_code=attempt.status,
        error_code="",
    )


def _write_failure(attempt: Attempt) -> None:
    message, now = attempt.message, database_now()
    endpoint = _tried(attempt)
    goes_on = Q(failing_since__isnull=False, failed_at__gte=now - QUIET)
    endpoint.exclude(goes_on).update(failing_since=now)
    endpoint.update(failed_at=now)
    if attempt.retry_after is not None:
        endpoint.update(not_before=now + _asked(attempt))
    seconds = PAUSES[min(message.attempts, len(PAUSES)) - 1]
    longer = random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads attempts
    pause = max(timedelta(seconds=seconds * longer), _asked(attempt))
    is_last = attempt.failure == Failure.GONE or message.attempts > len(PAUSES)
    _held(attempt).update(
        state=DeliveryState.FAILED if is_last else DeliveryState.WAITING,
        due_at=None if is_last else now + pause,
        claim="",
        status_code=attempt.status,
        error_code=attempt.failure,
    )
    logger.warning(
        "Message %s was not delivered to endpoint %s (%s%s)%s",
        message.message_id,
        message.endpoint,
        attempt.failure,
        "" if attempt.status is None else f" {attempt.status}",
        ": it is given up." if is_last else ", and is tried again.",
        extra=logs.fields(endpoint=message.endpoint, message=message.message_id),
    )
    since = now - timedelta(days=settings.WEBHOOKS["DISABLE_AFTER_DAYS"])
    reason = Disabled.GONE if attempt.failure == Failure.GONE else Disabled.FAILING
    failing = Q() if reason == Disabled.GONE else Q(failing_since__lte=since)
    for row in endpoint.filter(failing, is_active=True):
        endpoints.switch_off(row, reason=reason)
        logger.error("Webhook endpoint %s was switched off (%s).", row.pk, reason)


def _tried(attempt: Attempt) -> QuerySet[WebhookEndpoint]:
    """Return the endpoint, none if it has another address by now: nothing is known of that one."""
    message = attempt.message
    return WebhookEndpoint.objects.filter(pk=message.endpoint, url=message.url)


def _held(attempt: Attempt) -> QuerySet[WebhookDelivery]:
    message = attempt.message
    return WebhookDelivery.objects.filter(pk=message.pk, claim=message.claim)


def _asked(attempt: Attempt) -> timedelta:
    return min(LONGEST_PAUSE, timedelta(seconds=attempt.retry_after or 0))


def are_due() -> bool:
    """Return whether a message could be sent now."""
    now = database_now()
    due = WebhookDelivery.objects.filter(due_at__lte=now, endpoint__is_active=True)
    return due.filter(Q(endpoint__not_before=None) | Q(endpoint__not_before__lte=now)).exists()


def prune() -> int:
    """Delete what is older than ``KEEP_DAYS``: messages that were delivered or given up, and events for
    streams. Return the number of messages.

    Messages that were recorded while their endpoint was being switched off are given up first.
    """
    endpoints.give_up(WebhookEndpoint.objects.filter(is_active=False))
    before = database_now() - timedelta(days=settings.WEBHOOKS["KEEP_DAYS"])
    CatalogEvent.objects.filter(at__lt=before).delete()
    done = WebhookDelivery.objects.filter(at__lt=before).exclude(state=DeliveryState.WAITING)
    deleted = 0
    # In blocks: one statement would hold locks for as long as it takes.
    while keys := list(done.order_by("at").values_list("pk", flat=True)[:BLOCK]):
        deleted += WebhookDelivery.objects.filter(pk__in=keys).delete()[0]
    return deleted
