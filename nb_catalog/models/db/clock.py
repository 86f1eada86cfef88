"""The database's time, which all workers share. The clocks of machines can differ by minutes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.utils import timezone

# How long a comparison of the two clocks is valid, and by how much this machine's clock may jump (set
# manually, woken from sleep) before they are compared again.
HOLDS_SECONDS: Final = 30.0
JUMP_SECONDS: Final = 1.0

# PostgreSQL's now() would be the start of the transaction. SQLite has no clock of its own: everyone
# who opens the file is on the same machine.
_QUERIES: Final = {
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}


class _Comparison(NamedTuple):
    """When the clocks were compared, by two clocks of this machine, and by how much the database is ahead."""

    ours: datetime
    monotonic: float
    ahead: timedelta

    def holds(self, ours: datetime, monotonic: float) -> bool:
        passed = monotonic - self.monotonic
        jumped = abs((ours - self.ours).total_seconds() - passed)
        return passed <= HOLDS_SECONDS and jumped <= JUMP_SECONDS


_compared: dict[str, _Comparison] = {}


def database_now() -> datetime:
    """Return the time by the database's clock (aware). Queries the database every ``HOLDS_SECONDS``."""
    ours, monotonic = timezone.now(), time.monotonic()
    query = _QUERIES.get(connection.vendor)
    if query is None:
        return ours
    known = _compared.get(connection.alias)
    if known is None or not known.holds(ours, monotonic):
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(query)
            (theirs,) = cursor.fetchone()
        ours, ended = timezone.now(), time.monotonic()
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        # The response was correct halfway through the round trip.
        ahead = theirs + timedelta(seconds=(ended - began) / 2) - ours
        known = _compared[connection.alias] = _Comparison(ours, ended, ahead)
    return timezone.now() + known.ahead


def known_now() -> datetime:
    """Return the same by the last comparison, for code that must not touch the database."""
    known = _compared.get(connection.alias)
    return timezone.now() + (known.ahead if known else timedelta(0))
