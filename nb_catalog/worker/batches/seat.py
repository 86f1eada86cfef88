"""What everybody needs who works on a batch: the workshop, the clerk, and whoever is told of endings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from nb_catalog.models import ProviderBatch
from nb_catalog.models.db.clock import known_now
from nb_catalog.worker.batches import queries
from nb_catalog.worker.execution import WorkerContext
from nb_catalog.worker.types import JobOutcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """``is_stopping`` is asked between lines: a batch that is being put together then goes back,
    one whose results are being fetched is left for another time."""

    shop: WorkerContext
    is_stopping: Callable[[], bool]
    on_ending: Callable[[JobOutcome], None]

    async def ask(self, question: Callable[..., T], *args: Any, **options: Any) -> T:
        """Ask the database."""
        return await self.shop.clerk.ask(question, *args, **options)

    async def end(self, ending: JobOutcome) -> None:
        """Write ``ending`` down, and tell of it when it was still ours to write."""
        if await self.shop.clerk.write(ending):
            self.on_ending(ending)

    async def release(
        self, batch: ProviderBatch, *, wait: float, looks: int | None = None, **changes: str
    ) -> None:
        """Let ``batch`` go for ``wait`` seconds; without ``looks`` this one counts."""
        await self.ask(
            queries.release,
            batch,
            next_look_at=known_now() + timedelta(seconds=wait),
            looks=batch.looks + 1 if looks is None else looks,
            **changes,
        )
