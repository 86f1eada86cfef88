"""Works on requested deliveries: claims them, delivers, and tries again what failed."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import DataError, Error, IntegrityError, OperationalError
from django.utils.translation import gettext as _

from nb_catalog.core.text import message_line
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import GalleryDelivery
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing.galleries import host_files
from nb_catalog.publishing.galleries.writing import DeliveryEnded, FenceLost, Target, carry_out
from nb_catalog.registry import is_registered, source_for

logger = logging.getLogger(__name__)

# Deliveries that are looked up together.
BLOCK: Final = 50
# A process that dies while it delivers has this long; then another tries again.
LEASE: Final = timedelta(minutes=10)
# After the first failure; four times as long after each further one, up to the longest: a day in all.
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=6)
MAX_ATTEMPTS: Final = 9
_LONGEST_PROBLEM: Final = 1000


def deliver_due(*, seconds: float | None = None) -> int:
    """Deliver what is due, until ``seconds`` have passed; return how many deliveries were worked on.

    Any number of processes may call it at the same time. What cannot be delivered keeps nothing else waiting.
    """
    end = float("inf") if seconds is None else time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        due = GalleryDelivery.objects.filter(due_at__lte=database_now()).order_by("due_at", "pk")
        rows = list(due.select_related("image")[:BLOCK])
        if not rows:
            break
        for row in rows:
            if time.monotonic() >= end:
                break
            # From now on: those before it in the block may have taken long.
            lease = database_now() + LEASE
            # Fenced: another process may have it, or something else is wanted by now.
            claimed = GalleryDelivery.objects.filter(pk=row.pk, due_at=row.due_at)
            if claimed.update(due_at=lease, attempts=row.attempts + 1):
                row.attempts += 1
                _deliver(row, lease=lease)
                done += 1
    return done


def has_due() -> bool:
    return GalleryDelivery.objects.filter(due_at__lte=database_now()).exists()


def _deliver(delivery: GalleryDelivery, *, lease: datetime) -> None:
    try:
        if delivery.attempts > MAX_ATTEMPTS:
            # The last one that fails is not followed by another: this one never ended.
            raise DeliveryEnded(
                GalleryState.FAILED,
                _(
                    "The worker ended at each attempt before the picture was delivered, perhaps for want of "
                    "memory. Look into its log, then try again."
                ),
            )
        target = _target(delivery, lease=lease)
        if target is not None:
            carry_out(target)
    except FenceLost:
        return
    except DeliveryEnded as end:
        _settle(delivery, lease=lease, state=end.state, problem=str(end), due_at=None)
    except (NBCatalogError, IntegrityError, DataError, OperationalError) as error:
        # Of two transactions that wait for each other, one is tried again.
        _fail(delivery, lease=lease, problem=str(error))
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - galleries, fields and models are the host's own code
        logger.exception("Delivery %s to %s failed.", delivery.pk, delivery.gallery)
        _fail(delivery, lease=lease, problem=f"{type(error).__name__}: {error}")


def _target(delivery: GalleryDelivery, *, lease: datetime) -> Target | None:
    """Return where ``delivery`` goes; None if its product is gone, after which it is forgotten.

    Raises ``DeliveryEnded`` if its gallery is not declared any more, or names what does not exist.
    """
    model = ContentType.objects.get_for_id(delivery.content_type_id).model_class()
    galleries = source_for(model).galleries if model and is_registered(model) else ()
    gallery: Any = next((each for each in galleries if each.key == delivery.gallery), None)
    if model is None or gallery is None:
        raise DeliveryEnded(
            GalleryState.FAILED,
            _(
                "No gallery “%(key)s” is declared any more. Declare it again to deliver this picture, or to "
                "take it back."
            )
            % {"key": delivery.gallery},
        )
    source = source_for(model)
    problems = [" ".join(filter(None, each)) for each in gallery.problems(source)]
    if problems:
        raise DeliveryEnded(
            GalleryState.FAILED,
            _("The gallery “%(key)s” %(problems)s")
            % {"key": delivery.gallery, "problems": " ".join(problems)},
        )
    product = model._base_manager.filter(pk=delivery.object_id).first()
    if product is not None:
        return Target(
            delivery=delivery, lease=lease, source=source, gallery=gallery, product=product
        )
    field: Any = gallery.row_model(model)._meta.get_field(gallery.file_field(delivery.locale))
    written = delivery.written.get("values", {}).get(field.attname)
    for name in {delivery.stored, str(written or "")} - {""}:
        host_files.discard(field, name)
    GalleryDelivery.objects.filter(pk=delivery.pk, due_at=lease).delete()
    return None


def _fail(delivery: GalleryDelivery, *, lease: datetime, problem: str) -> None:
    """Try again later, or leave it to a person after ``MAX_ATTEMPTS``."""
    is_last = delivery.attempts >= MAX_ATTEMPTS
    pause = min(FIRST_RETRY * 4 ** (delivery.attempts - 1), LONGEST_RETRY)
    _settle(
        delivery,
        lease=lease,
        state=GalleryState.FAILED if is_last else GalleryState.WAITING,
        problem=problem,
        due_at=None if is_last else database_now() + pause,
    )


def _settle(
    delivery: GalleryDelivery,
    *,
    lease: datetime,
    state: GalleryState,
    problem: str,
    due_at: datetime | None,
) -> None:
    problem = message_line(problem, _LONGEST_PROBLEM)
    logger.warning("Delivery %s to %s: %s", delivery.pk, delivery.gallery, problem)
    GalleryDelivery.objects.filter(pk=delivery.pk, due_at=lease).update(
        state=state, problem=problem, due_at=due_at
    )
