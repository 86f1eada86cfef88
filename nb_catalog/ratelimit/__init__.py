"""When something may be sent to a provider's model, and when not. Kept in the database: all workers
heed it."""

from nb_catalog.ratelimit.gcra import JITTER
from nb_catalog.ratelimit.limiter import Gates, Wait, caps, slow_down, used_up
from nb_catalog.ratelimit.pauses import (
    EVERY_MODEL,
    SHORTEST_PAUSE,
    UNTIL_A_PERSON_ACTS,
    heed,
    is_overload,
    is_paused,
    pause,
    pause_of,
    paused,
    without,
)

__all__ = [
    "EVERY_MODEL",
    "JITTER",
    "SHORTEST_PAUSE",
    "UNTIL_A_PERSON_ACTS",
    "Gates",
    "Wait",
    "caps",
    "heed",
    "is_overload",
    "is_paused",
    "pause",
    "pause_of",
    "paused",
    "slow_down",
    "used_up",
    "without",
]
