"""What is done without a person: stale pictures are withdrawn or renewed, photos are read and cut out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import Error, close_old_connections, connections
from django.db.models import Model

from nb_catalog import webhooks
from nb_catalog.conf import settings
from nb_catalog.cutouts.requests import make_cutouts, requested_count
from nb_catalog.export import background as exports
from nb_catalog.generation import escalation_policies, run_ends, run_notices
from nb_catalog.models import Placement, StaleScan
from nb_catalog.models.db.broken_connections import close_broken
from nb_catalog.models.db.clock import database_now
from nb_catalog.publishing import finals, galleries, photos, policies, staleness
from nb_catalog.publishing.due_publications import work_on_publications
from nb_catalog.publishing.galleries.delivery import has_due
from nb_catalog.registry import registered
from nb_catalog.series.rules import apply_rules, has_rule

logger = logging.getLogger(__name__)

ROW: Final = 1
# The scan for products that rules add to series has a row of its own.
RULES_ROW: Final = 2
# And so has the one for pictures that policies make final.
FINALS_ROW: Final = 3
# And so has the deletion of old messages of webhooks.
WEBHOOKS_ROW: Final = 4
# How long a running worker waits before it looks again for what is to be done.
POLL_SECONDS: Final = 2.0
# How long photos are cut out at a time: what else is due waits for it, and so does a worker that stops.
CUTOUT_SECONDS: Final = 5.0
# And how long pictures are delivered to galleries.
GALLERY_SECONDS: Final = 5.0
# How long files are made at a time: publications whose moment comes wait for it.
PUBLICATION_SECONDS: Final = 5.0


def run_due() -> bool:
    """Do what is due now. Any number of processes may call it at the same time.

    Publications whose time has come are made, and the files of others for ``PUBLICATION_SECONDS``. Pictures
    that were typeset again are published; published texts are compared with the shop's, if that was last done
    ``STALE_CHECK_SECONDS`` ago and a slot does something about it; text that waits for a final is published
    on it; runs that have ended are reported, and e-mails about them sent; as often, the policies of
    ``ESCALATION`` start finals, rules add products to series, and old messages of webhooks are deleted;
    photos that were requested are read, and cut out for ``CUTOUT_SECONDS``. Published pictures are delivered
    to galleries for ``GALLERY_SECONDS``, and exports that were requested are made, however long that takes.
    Returns whether more files wait to be made, more pictures to be delivered or more photos to be cut out.
    While the database is away, nothing is done.
    """
    more = [do() for do in (_publish, _maintain)]
    _export()
    return any(more)


def _publish() -> bool:
    close_broken()
    try:
        return work_on_publications(seconds=PUBLICATION_SECONDS)
    except Error:
        logger.exception("Publications could not be made; they are tried again.")
        return False


def _maintain() -> bool:
    close_broken()
    try:
        acting = policies.slots_with("withdraw") | policies.slots_with("renew")
        if acting:
            published = Placement.objects.filter(slot__in=acting)
            if not _scan_is_due():
                published = published.filter(stale_since__isnull=False)
            for products in staleness.published_products(published):
                if not _mark(products):
                    # One product's texts break: those of the others are compared all the same.
                    for product in products:
                        _mark([product])
        finals.follow_finals()
        run_ends.report_due()
        run_notices.send_due()
        if escalation_policies.has_rules() and _scan_is_due(FINALS_ROW):
            _start_finals()
        if any(map(has_rule, registered().values())) and _scan_is_due(RULES_ROW):
            _apply_rules()
        if _scan_is_due(WEBHOOKS_ROW):
            webhooks.prune()
        photos.make_photo_renditions()
        galleries.deliver_due(seconds=GALLERY_SECONDS)
        # Without any that could be made, the others wait for their storage.
        has_cutouts = bool(make_cutouts(seconds=CUTOUT_SECONDS)) and requested_count() > 0
        return has_cutouts or has_due()
    except Error:
        logger.exception("What is due could not be done; it is tried again.")
        return False


def _export(is_stopping: Callable[[], bool] = bool) -> None:
    close_broken()
    try:
        exports.make_requested(is_stopping=is_stopping)
    except Error:
        logger.exception("Exports could not be made; they are tried again.")


@contextmanager
def in_background() -> Iterator[None]:
    """Do what is due again and again, and once more at the end, but for exports. Publications have a thread
    of their own: no scan or photo delays what is to be shown at a moment. So have exports, which take minutes
    and are left to the next worker when this one stops."""
    ended = threading.Event()

    def work(do: Callable[[], object]) -> None:
        try:
            while not ended.wait(POLL_SECONDS):
                try:
                    do()
                except Exception:  # noqa: BLE001 - one product or picture must not end the thread
                    logger.exception("What is due could not be done; it is tried again.")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=work, args=(do,), name=f"nb-catalog-{name}", daemon=True)
        for do, name in (
            (_publish, "publications"),
            (_maintain, "upkeep"),
            (lambda: _export(ended.is_set), "exports"),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        # This thread's connection may have been idle for as long as the worker ran.
        close_old_connections()
        for do in (_publish, _maintain):
            do()


def _mark(products: Sequence[Model]) -> bool:
    try:
        staleness.mark_stale(products)
    except Error:
        raise
    except Exception:  # noqa: BLE001 - the host's own code provides the texts
        logger.exception("The texts of %s published products could not be compared.", len(products))
        return False
    return True


def _start_finals() -> None:
    try:
        escalation_policies.start_due()
    except Error:
        raise
    except Exception:  # noqa: BLE001 - the host's own code provides products and their values
        logger.exception("The pictures that ESCALATION makes final could not be found.")


def _apply_rules() -> None:
    for source in registered().values():
        try:
            apply_rules(source)
        except Error:
            raise
        except Exception:  # noqa: BLE001 - the host's own code provides the rule
            logger.exception("The rule for series of %s could not be applied.", source.label)


def _scan_is_due(row: int = ROW) -> bool:
    """Return whether this process is to do the scan of ``row`` now; one of several is."""
    now = database_now()
    StaleScan.objects.get_or_create(pk=row)
    # The upper bound: a clock that was set back would otherwise end the scans for long.
    recent = (now - timedelta(seconds=settings.STALE_CHECK_SECONDS), now + timedelta(seconds=60))
    rows = StaleScan.objects.filter(pk=row).exclude(started_at__range=recent)
    return bool(rows.update(started_at=now))
