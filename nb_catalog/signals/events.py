"""Records what hosts are informed of, in the transaction that makes the change."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.dispatch import Signal
from django.utils.module_loading import import_string

from nb_catalog import signals
from nb_catalog.core.event_types import FIELDS, KEYS, LOGGED, EventType
from nb_catalog.core.types import Actor
from nb_catalog.models import (
    CatalogEvent,
    ImageJob,
    Placement,
    PlacementEvent,
    ProductImage,
    ProviderPause,
    ReviewEvent,
    Run,
    WebhookDelivery,
    WebhookEndpoint,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_image

logger = logging.getLogger(__name__)

BLOCK: Final = 500
# Sends a worker the news that there is something to send, by its name: the task queue is on a higher floor.
WAKE_UP: Final = "nb_catalog.tasks.wake_up"
SIGNALS: Final[Mapping[EventType, tuple[Signal, type[models.Model]]]] = MappingProxyType(
    {
        EventType.RUN_ENDED: (signals.run_ended, Run),
        EventType.PICTURE_WAITING: (signals.image_waiting, ProductImage),
        EventType.PICTURE_DECIDED: (signals.image_decided, ProductImage),
        EventType.PICTURE_PUBLISHED: (signals.image_published, Placement),
        EventType.PICTURE_WITHDRAWN: (signals.image_withdrawn, Placement),
        EventType.PICTURE_STALE: (signals.image_stale, Placement),
        EventType.BUDGET_REACHED: (signals.budget_paused, Run),
        EventType.PROVIDER_PAUSED: (signals.provider_paused, ProviderPause),
    }
)


def record(event: EventType, facts: Sequence[Mapping[str, Any]]) -> None:
    """Report ``event`` for each of ``facts``: its fields of ``core.event_types``, and what only signals have.

    Signals are sent once the running transaction has committed. A row for each webhook endpoint that wants
    the event is written in it. One query, however many there are, if no endpoint does; call it once for
    what changes together.
    """
    if not facts:
        return
    signal, sender = SIGNALS[event]
    if signal.has_listeners(sender):
        for each in facts:
            names = each.keys() - {"resource"}
            arguments = {f"{name}_id" if name in KEYS else name: each[name] for name in names}
            send_on_commit(signal, sender=sender, **arguments)
    now = database_now()
    payloads = [{name: each[name] for name in FIELDS[event]} for each in facts]
    if event in LOGGED:
        rows = [CatalogEvent(event=event, data=data, at=now) for data in payloads]
        CatalogEvent.objects.bulk_create(rows, batch_size=BLOCK)
    wanting = WebhookEndpoint.objects.filter(is_active=True).values_list("pk", "events")
    endpoints = [pk for pk, names in wanting if not names or event in names]
    if endpoints:
        WebhookDelivery.objects.bulk_create(
            (
                WebhookDelivery(
                    endpoint_id=pk,
                    message_id=message_id,
                    event=event,
                    data=data,
                    at=now,
                    due_at=now,
                )
                for data in payloads
                for message_id in [new_message_id()]
                for pk in endpoints
            ),
            batch_size=BLOCK,
        )
        import_string(WAKE_UP)()


def new_message_id() -> str:
    return f"msg_{uuid4().hex}"


def send_on_commit(signal: Signal, *, sender: type, **facts: Any) -> None:
    """Send ``signal`` once the running transaction has committed."""

    def send() -> None:
        for receiver, result in signal.send_robust(sender=sender, **facts):
            if isinstance(result, Exception):
                logger.error("A receiver raised an exception: %r.", receiver, exc_info=result)

    transaction.on_commit(send)


def send_job_failed(keys: Iterable[int], *, state: str, error_code: str) -> None:
    """Send ``job_failed`` for each of the jobs once the running transaction has committed."""
    for key in keys:
        send_on_commit(
            signals.job_failed, sender=ImageJob, job_id=key, state=state, error_code=error_code
        )


def record_move(image: ProductImage, move: str, *, actor: Actor, note: str) -> None:
    """Make the transition ``move`` of ``image`` with its ``ReviewEvent``, and nothing else. Raises
    ``InvalidTransition``."""
    with transaction.atomic():
        transition_image(image, move)
        event = ReviewEvent.objects.create(
            image=image, move=move, state=image.state, actor=actor, note=note
        )
        record(EventType.PICTURE_DECIDED, [decided_facts(event)])


def decided_facts(event: ReviewEvent) -> dict[str, Any]:
    """Return what is said of a decision."""
    return {
        **picture_facts(event.image),
        "change": event.move,
        "state": str(event.state),
        "automatic": event.actor_id is None,
    }


def picture_facts(image: ProductImage) -> dict[str, Any]:
    """Return what is said of ``image`` whatever becomes of it."""
    return {
        "image": image.pk,
        "model": _label(image.content_type_id),
        "object": image.object_id,
        "series": image.series or "",
        "resource": f"images/{image.pk}/",
    }


def record_places(changes: Iterable[tuple[PlacementEvent, int | None]]) -> None:
    """Report what was published and withdrawn: each change with the key of the placement, None if it is
    gone."""
    published, withdrawn = [], []
    for each, placement in changes:
        if each.image_after_id is None:
            withdrawn.append(withdrawn_facts(each))
        else:
            published.append({**published_facts(each), "placement": placement})
    record(EventType.PICTURE_PUBLISHED, published)
    record(EventType.PICTURE_WITHDRAWN, withdrawn)


def published_facts(event: PlacementEvent) -> dict[str, Any]:
    """Return what is said of a publication."""
    return {
        "image": event.image_after_id,
        "before": event.image_before_id,
        "change": event.move,
        "automatic": event.actor_id is None,
        **place_facts(event),
        "resource": f"images/{event.image_after_id}/",
    }


def withdrawn_facts(event: PlacementEvent) -> dict[str, Any]:
    """Return what is said of a withdrawal."""
    return {
        "image": event.image_before_id,
        "change": event.move,
        "automatic": event.actor_id is None,
        **place_facts(event),
        "resource": f"images/{event.image_before_id}/",
    }


def record_stale(placements: Sequence[Placement]) -> None:
    """Report ``placements`` that have just been marked as out of date."""
    facts = [
        {
            "placement": each.pk,
            "image": each.image_id,
            **place_facts(each),
            "resource": f"images/{each.image_id}/",
        }
        for each in placements
    ]
    record(EventType.PICTURE_STALE, facts)


def place_facts(row: Placement | PlacementEvent) -> dict[str, Any]:
    """Return which place ``row`` is about."""
    return {
        "model": _label(row.content_type_id),
        "object": row.object_id,
        "slot": row.slot,
        "locale": row.locale,
        "position": row.position,
    }


def _label(type_id: int) -> str:
    content_type = ContentType.objects.get_for_id(type_id)
    return f"{content_type.app_label}.{content_type.model}"
