"""When something may be sent to a provider's model, and when not. Kept in the database: all workers
heed it."""

from nb_catalog.throttle.gates import Gates, Wait, caps, slow_down, used_up
from nb_catalog.throttle.pauses import (
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
from nb_catalog.throttle.slots import JITTER

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
