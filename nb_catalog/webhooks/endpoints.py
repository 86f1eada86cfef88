"""Endpoints: created, changed, given another secret, switched off and on; messages sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.core.event_types import EventType
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.webhooks import DeliveryState
from nb_catalog.signals.events import new_message_id
from nb_catalog.webhooks import secrets
from nb_catalog.webhooks.failures import Failure
from nb_catalog.webhooks.targets import refusal

# Each may have four connections at a time, and gets a row for each event.
MAX_ENDPOINTS: Final = 50
# After a rotation, messages are signed with both secrets for so long.
ROTATION: Final = timedelta(days=1)
# What fails for less may be a receiver that is being replaced.
REPORTED_AFTER: Final = timedelta(minutes=5)
TEST_EVENT: Final = "webhook.test"
_NO_FAILURES: Final = {"failing_since": None, "failed_at": None, "not_before": None}


def create(
    *, url: str, events: Collection[str] = (), description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint for ``events``, by default for all. Return it with its secret, which is not shown
    again.

    Raises ``RequestRefused`` for an address that events cannot be sent to, an unknown event, and beyond
    ``MAX_ENDPOINTS``.
    """
    if WebhookEndpoint.objects.count() >= MAX_ENDPOINTS:
        raise RequestRefused(
            _("There are %(number)s webhook endpoints already. Delete one first.")
            % {"number": MAX_ENDPOINTS}
        )
    _check(url=url, events=events)
    endpoint = WebhookEndpoint(url=url, description=description, events=sorted(set(events)))
    secret = secrets.new_secret(endpoint)
    endpoint.secret_digest = secrets.digest(secret)
    endpoint.save()
    return endpoint, secrets.as_text(secret)


def update(
    endpoint: WebhookEndpoint,
    *,
    url: str | None = None,
    events: Collection[str] | None = None,
    description: str | None = None,
) -> None:
    """Change what is given of ``endpoint``, and nothing else. What waits is sent to the new address, of
    which no failures are known. Raises ``RequestRefused`` as ``create``."""
    _check(url=url, events=events or ())
    values: dict[str, Any] = {
        "url": url,
        "events": None if events is None else sorted(set(events)),
        "description": description,
    }
    changes = {name: value for name, value in values.items() if value is not None}
    # The database is asked: a form may have set the address already.
    same = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    if url is not None and same.exclude(url=url).exists():
        changes |= _NO_FAILURES
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=list(changes))


def _check(*, url: str | None, events: Collection[str]) -> None:
    objections = ["" if url is None else refusal(url)]
    objections += [
        _("There is no event “%(name)s”. There are: %(names)s.")
        % {"name": name, "names": ", ".join(EventType.values)}
        for name in events
        if name not in EventType.values
    ]
    if any(objections):
        raise RequestRefused(*filter(None, objections))


def rotate(endpoint: WebhookEndpoint) -> str:
    """Give ``endpoint`` another secret and return it; it is not shown again.

    For a day, messages are signed with the one before as well. Raises ``InvalidTransition`` if somebody else
    has just done so.
    """
    before = endpoint.secret_version
    endpoint.previous_digest = endpoint.secret_digest
    endpoint.previous_until = database_now() + ROTATION
    endpoint.secret_version = before + 1
    secret = secrets.new_secret(endpoint)
    endpoint.secret_digest = secrets.digest(secret)
    names = ("secret_version", "secret_digest", "previous_digest", "previous_until")
    same = WebhookEndpoint.objects.filter(pk=endpoint.pk, secret_version=before)
    if not same.update(**{name: getattr(endpoint, name) for name in names}):
        raise InvalidTransition(
            _("Someone else has rotated the secret of this endpoint at the same moment.")
        )
    return secrets.as_text(secret)


def failing_endpoints() -> QuerySet[WebhookEndpoint]:
    """Return the endpoints that have failed since the last success for ``REPORTED_AFTER``, or were switched
    off without a person."""
    since = database_now() - REPORTED_AFTER
    failing = Q(is_active=True, failing_since__lte=since)
    return WebhookEndpoint.objects.filter(failing | ~Q(disabled_reason=""))


def switch_off(endpoint: WebhookEndpoint, *, reason: str = "") -> None:
    """Send nothing more to ``endpoint``. What waits is given up, and can be sent again."""
    with transaction.atomic():
        endpoint.is_active, endpoint.disabled_reason = False, reason
        endpoint.save(update_fields=["is_active", "disabled_reason"])
        give_up([endpoint])


def give_up(endpoints: Collection[WebhookEndpoint] | QuerySet[WebhookEndpoint]) -> None:
    """Give up what waits for ``endpoints``, which are switched off; it can be sent again."""
    waiting = WebhookDelivery.objects.filter(endpoint__in=endpoints, state=DeliveryState.WAITING)
    waiting.update(
        state=DeliveryState.FAILED, due_at=None, claim="", error_code=Failure.SWITCHED_OFF
    )


def switch_on(endpoint: WebhookEndpoint) -> None:
    """Send events to ``endpoint`` again, from now on."""
    changes = {"is_active": True, "disabled_reason": "", **_NO_FAILURES}
    with transaction.atomic():
        for name, value in changes.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(changes))
        # Recorded by transactions that had found it active.
        give_up([endpoint])


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Have the event ``webhook.test`` sent. Raises ``RequestRefused`` if ``endpoint`` is switched off."""
    _require_active([endpoint])
    now = database_now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        message_id=new_message_id(),
        event=TEST_EVENT,
        data={},
        at=now,
        due_at=now,
    )


def resend(deliveries: QuerySet[WebhookDelivery]) -> int:
    """Have ``deliveries`` sent again under their ids, at once and with all attempts. Return how many.

    Those that are waiting are sent now. Raises ``RequestRefused`` if one of their endpoints is switched off.
    """
    _require_active(list(WebhookEndpoint.objects.filter(deliveries__in=deliveries).distinct()))
    return deliveries.order_by().update(
        state=DeliveryState.WAITING, due_at=database_now(), attempts=0, claim="", error_code=""
    )


def _require_active(endpoints: Sequence[WebhookEndpoint]) -> None:
    if names := [str(each) for each in endpoints if not each.is_active]:
        raise RequestRefused(
            _("Switched off: %(names)s. Switch it on first.") % {"names": ", ".join(names)}
        )
