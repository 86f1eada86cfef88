"""When something may be sent to a provider's model. The state is in the database, shared by all workers."""

from nb_catalog.ratelimit.advice import needs_person, what_to_do
from nb_catalog.ratelimit.gcra import JITTER
from nb_catalog.ratelimit.limiter import (
    Limiter,
    Wait,
    exhausted_models,
    in_flight_caps,
    reduce_concurrency,
)
from nb_catalog.ratelimit.pauses import (
    EVERY_MODEL,
    SHORTEST_PAUSE,
    UNTIL_A_PERSON_ACTS,
    active_pauses,
    backoff_for,
    exclude_models,
    is_overload,
    is_paused,
    pause,
    record_backoff,
)

__all__ = [
    "EVERY_MODEL",
    "JITTER",
    "SHORTEST_PAUSE",
    "UNTIL_A_PERSON_ACTS",
    "Limiter",
    "Wait",
    "backoff_for",
    "exclude_models",
    "exhausted_models",
    "in_flight_caps",
    "is_overload",
    "is_paused",
    "needs_person",
    "pause",
    "active_pauses",
    "record_backoff",
    "reduce_concurrency",
    "what_to_do",
]
