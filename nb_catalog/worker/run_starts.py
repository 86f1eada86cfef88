"""Which worker writes the jobs of a large run, and what happens if that fails."""

from __future__ import annotations

import logging
from typing import Final

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet
from django.utils.module_loading import import_string

from nb_catalog.core import logs
from nb_catalog.core.text import message as _
from nb_catalog.core.text import strip_unstorable
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import RunStart
from nb_catalog.models.db.clock import database_now
from nb_catalog.worker.claims import lease_end

logger = logging.getLogger(__name__)

# Writes one block, by its name, like a plug-in: planning is on a higher floor.
WRITER: Final = "nb_catalog.generation.run_starts.write_block"
# Each costs a worker and all that it was doing.
MOST_DEATHS: Final = 3


def write_next_block(*, owner: str) -> bool:
    """Write the next block of a run that is being started. Return whether there was one.

    An error stops the writing of that run alone, and is stored with it.
    """
    start = _claim(owner)
    if start is None:
        return False
    try:
        import_string(WRITER)(start)
    except (OperationalError, InterfaceError):
        raise
    except NBCatalogError as error:
        _stop(start, strip_unstorable(error))
    except Exception as error:  # noqa: BLE001 - the host's own code provides the products
        logger.exception("The jobs of run %s cannot be written.", start.run_id)
        _stop(
            start,
            _(
                "Writing its jobs broke with %(error)s. The worker's log says where. Correct the cause, "
                "then retry the run."
            )
            % {"error": type(error).__name__},
        )
    return True


def _claim(owner: str) -> RunStart | None:
    """Take the most urgent run that nobody writes, or the one that ``owner`` is writing."""
    for start in _claimable(owner).order_by("-priority", "pk")[:10]:
        died = start.lease_owner not in ("", owner)
        if died and start.deaths + 1 >= MOST_DEATHS:
            _stop(
                start,
                _(
                    "%(number)s workers died while they wrote its jobs. They may need more memory. Retry "
                    "the run to go on."
                )
                % {"number": MOST_DEATHS},
            )
            continue
        same = RunStart.objects.filter(
            pk=start.pk, lease_owner=start.lease_owner, lease_until=start.lease_until
        )
        deaths = F("deaths") + 1 if died else F("deaths")
        if same.update(lease_owner=owner, lease_until=lease_end(), deaths=deaths):
            start.lease_owner = owner
            return start
    return None


def _claimable(owner: str = "") -> QuerySet[RunStart]:
    nobodys = Q(lease_until=None) | Q(lease_until__lt=database_now())
    return RunStart.objects.filter(nobodys | Q(lease_owner=owner), error="")


def _stop(start: RunStart, error: str) -> None:
    logger.error(
        "Run %s cannot be started to its end: %s",
        start.run_id,
        error,
        extra=logs.fields(run=start.run_id),
    )
    RunStart.objects.filter(pk=start.pk, lease_owner=start.lease_owner).update(
        error=error, lease_owner="", lease_until=None
    )


def are_waiting() -> bool:
    """Return whether a run waits for a worker to write its jobs."""
    return _claimable().exists()


def release(*, owner: str) -> None:
    """Let other workers go on at once with what ``owner`` was writing."""
    RunStart.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)
