"""The events of a run: its progress, whenever it has changed, until it is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from nb_catalog.core.time_left import in_steps
from nb_catalog.generation import job_counts
from nb_catalog.generation.progress import as_data, progress_of
from nb_catalog.live.feeds import Event, Feed
from nb_catalog.models import Run
from nb_catalog.models.db.clock import database_now

# What changes with time alone (a worker that does not come, the time left) is looked up this often.
EVERY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """``data`` is what ``as_data`` returns, None once the run has been deleted. ``mark`` is what two quick
    queries see of it."""

    mark: object
    at: datetime
    id: str
    data: Mapping[str, Any] | None


class RunFeed(Feed[RunSnapshot]):
    """``progress`` events, each of which is complete: a client that missed some misses nothing."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.key = ("run", run_id)

    def read(self, before: RunSnapshot | None) -> RunSnapshot:
        now = database_now()
        run = Run.objects.select_related("start").filter(pk=self.run_id).first()
        if run is None:
            return RunSnapshot(mark=None, at=now, id="deleted", data=None)
        counts = job_counts.counts_for([run])[run.pk]
        start = run.starting
        mark: object = (
            dict(counts),
            run.paused_reason,
            run.spent_microusd,
            run.reserved_microusd,
            run.budget_microusd,
            None if start is None else (start.written, start.error),
        )
        if before is not None and before.mark == mark and now - before.at < EVERY:
            return before
        data = as_data(run, progress_of(run, counts=counts))
        return RunSnapshot(mark=mark, at=now, id=_digest(data), data=data)

    def events(self, state: RunSnapshot, *, after: str) -> list[Event]:
        if state.id == after or state.data is None:
            return []
        return [Event(name="progress", id=state.id, data=state.data)]

    def position(self, state: RunSnapshot) -> str:
        return state.id

    def is_over(self, state: RunSnapshot) -> bool:
        return state.data is None or bool(state.data["over"])


def _digest(data: Mapping[str, Any]) -> str:
    """Return an id that differs where people would see a difference: a rate is never twice the same."""
    left = data["seconds_left"]
    tiers = [
        {name: each[name] for name in ("tier", "provider", "model", "mode", "remaining")}
        for each in data["tiers"]
    ]
    seen = {**data, "tiers": tiers, "seconds_left": None if left is None else in_steps(left)}
    return sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
