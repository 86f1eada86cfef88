"""The pace of calls kept in Redis, by pyrate-limiter's GCRA, where ``THROTTLE_REDIS_URL`` says so.

Chosen because it takes the moment it is asked about as an argument, so that slots can be given out
ahead, and runs as one Lua script. The extra ``redis`` installs it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.quotas import Quotas
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.ratelimit.gcra import JITTER, MINUTE

logger = logging.getLogger(__name__)

INSTALL: Final = "pip install 'nb-catalog[redis]'"
PREFIX: Final = "nb_catalog:pace"
# Redis is near and quick, or it is as good as gone.
PATIENCE_SECONDS: Final = 2.0
MILLISECOND: Final = timedelta(milliseconds=1)


def is_chosen() -> bool:
    return bool(settings.THROTTLE_REDIS_URL)


def take(
    provider: str, model: str, quotas: Quotas, *, wanted: int, now: datetime, until: datetime
) -> list[timedelta]:
    """Up to ``wanted`` slots before ``until``: how long each is from ``now``.

    Nothing when Redis does not answer: a quota that cannot be counted is not used.
    """
    try:
        store, rate, algorithm = _at(
            settings.THROTTLE_REDIS_URL, os.getpid(), provider, model, quotas
        )
        return list(_slots(store, rate, algorithm, wanted=wanted, now=now, until=until))
    except _errors() as error:
        logger.warning(
            "Redis does not answer (%s): nothing is sent to %s.",
            type(error).__name__,
            model,
            extra=logs.fields(provider=provider, model=model),
        )
        return []


def _slots(
    store: Any, rate: Any, algorithm: Any, *, wanted: int, now: datetime, until: datetime
) -> Iterator[timedelta]:
    moment = now
    for _ in range(wanted):
        while True:
            at = -(-(moment - _EPOCH) // MILLISECOND)
            decision = store.check(algorithm, [rate], at, 1)
            if decision.allowed:
                yield max(moment - now, timedelta(0))
                break
            moment += MILLISECOND * max(1, decision.retry_after_ms or 1)
            if moment > until:
                return


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@lru_cache(maxsize=64)
def _at(url: str, pid: int, provider: str, model: str, quotas: Quotas) -> tuple[Any, Any, Any]:
    """The state of one model; a process of its own has a connection of its own."""
    redis, limiter = _packages()
    # As slots.pace() has it: a call may arrive late by the jitter, and a burst is counted in.
    rate = limiter.Rate(
        (quotas.per_minute or 1) - quotas.burst,
        (MINUTE + JITTER) // MILLISECOND,
        burst=quotas.burst + 1,
    )
    client = redis.Redis.from_url(
        url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )
    key = f"{PREFIX}:{provider}:{model}"
    return limiter.RedisStateStore(client, key), rate, limiter.GCRA()


def _packages() -> tuple[Any, Any]:
    try:
        import pyrate_limiter
        import redis
    except ImportError as error:
        raise InvalidSettings(
            f"needs two packages: {INSTALL}", path="NB_CATALOG['THROTTLE_REDIS_URL']"
        ) from error
    return redis, pyrate_limiter


def _errors() -> tuple[type[Exception], ...]:
    redis, _limiter = _packages()
    return (redis.RedisError, OSError)
