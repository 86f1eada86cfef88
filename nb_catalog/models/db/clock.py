"""The time that all workers share: the database's. Machines' own clocks differ by minutes at times."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.utils import timezone

# How long a comparison of the two clocks holds, and by how much this machine's may jump meanwhile
# (set by hand, woken from sleep) before it is compared again.
HOLDS_SECONDS: Final = 30.0
JUMP_SECONDS: Final = 1.0

# The time of the moment; now() of PostgreSQL is that of the transaction's beginning. SQLite has no
# clock of its own: whoever opens the file is on the same machine.
_QUESTIONS: Final = {
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}


class _Comparison(NamedTuple):
    """When the clocks were compared, by two clocks of this machine, and what was found."""

    ours: datetime
    monotonic: float
    ahead: timedelta

    def holds(self, ours: datetime, monotonic: float) -> bool:
        passed = monotonic - self.monotonic
        jumped = abs((ours - self.ours).total_seconds() - passed)
        return passed <= HOLDS_SECONDS and jumped <= JUMP_SECONDS


_compared: dict[str, _Comparison] = {}


def database_now() -> datetime:
    """The time by the database's clock (aware). Asks the database once in half a minute."""
    ours, monotonic = timezone.now(), time.monotonic()
    question = _QUESTIONS.get(connection.vendor)
    if question is None:
        return ours
    known = _compared.get(connection.alias)
    if known is None or not known.holds(ours, monotonic):
        known = _compared[connection.alias] = _compare(question)
    return timezone.now() + known.ahead


def known_now() -> datetime:
    """The same without asking, by the last comparison: for code that must not touch the database."""
    known = _compared.get(connection.alias)
    return timezone.now() + (known.ahead if known else timedelta(0))


def _compare(question: str) -> _Comparison:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(question)
        (theirs,) = cursor.fetchone()
    ours, ended = timezone.now(), time.monotonic()
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    # The answer was true half the way back.
    return _Comparison(ours, ended, theirs + timedelta(seconds=(ended - began) / 2) - ours)
