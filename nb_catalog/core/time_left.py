"""How long a number of jobs will take, by the rate at which such jobs have ended lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Fewer jobs say nothing about a rate, nor does less time: calls that started together end together.
FEWEST: Final = 5
SHORTEST_SECONDS: Final = 30.0
# The rate before is worth as much as this many jobs of the run itself, and at least a minute of it.
WEIGHT_JOBS: Final = 10
WEIGHT_SECONDS: Final = 60.0
# (from this many seconds on, shown in steps of this many seconds).
_STEPS: Final = ((6 * 3600, 3600), (3600, 900), (600, 300), (90, 60), (30, 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Jobs that ended, successfully or not, in ``seconds`` of work."""

    ended: int
    seconds: float


def jobs_per_second(now: Pace | None, *, before: Pace | None = None) -> float | None:
    """Return a rate; None if too little is known.

    ``now`` is the pace of a run in the last minutes, ``before`` that of the same kind of jobs in others.
    The latter counts like a few jobs of the run, so that its first jobs do not make the rate jump:
    the mean of a gamma distribution with ``before`` as its prior.
    """
    ended, seconds = (now.ended, max(0.0, now.seconds)) if now is not None else (0, 0.0)
    if before is None or before.ended < FEWEST or before.seconds <= 0:
        if ended < FEWEST or seconds < SHORTEST_SECONDS:
            return None
        return ended / seconds
    rate = before.ended / before.seconds
    weight = max(WEIGHT_SECONDS, WEIGHT_JOBS / rate)
    return (rate * weight + ended) / (weight + seconds)


def seconds_left(remaining: int, *, rate: float | None, held_seconds: float = 0.0) -> float | None:
    """Return how long ``remaining`` jobs take, of which none can start for ``held_seconds``; None if the
    rate is not known."""
    if remaining <= 0:
        return 0.0
    if not rate:
        return None
    return max(0.0, held_seconds) + remaining / rate


def batch_seconds_left(elapsed: float, *, durations: list[float]) -> float | None:
    """Return how long a batch will still take that was submitted ``elapsed`` seconds ago.

    ``durations`` are those of earlier batches: the median of those that took longer than this one has
    taken so far. None if fewer than three have.
    """
    longer = sorted(each for each in durations if each > elapsed)
    if len(longer) < 3:
        return None
    return longer[len(longer) // 2] - elapsed


def in_steps(seconds: float) -> int:
    """Return ``seconds`` rounded up to a step that grows with them, so that the number shown does not
    waver: half minutes, minutes from 90 s on, then 5 and 15 minutes and hours. Never below half a minute."""
    step = next((step for start, step in _STEPS if seconds >= start), 30)
    return max(30, -int(-seconds // step) * step)


def quota_seconds(remaining: int, *, left_today: int, per_day: int, to_midnight: float) -> float:
    """Return how long a daily quota holds up the last of ``remaining`` jobs: 0 if today's is enough."""
    if remaining <= left_today or per_day <= 0:
        return 0.0
    days = (remaining - max(0, left_today) - 1) // per_day
    return to_midnight + days * 86_400.0
