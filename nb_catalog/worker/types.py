"""Work orders: what a worker knows about one job, and what it reports about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import NBCatalogError, ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job as it was claimed. ``(owner, epoch)`` is the fence of every later UPDATE.

    ``goes_at`` is when its call may go out, by this process's monotonic clock in seconds; None where
    any time will do.
    ``photo_sent`` is a ``PhotoSent`` as plain data, once the photo has been made ready.
    ``photo`` is None and ``problem`` says why when the catalog object or its photo is gone.
    """

    job_id: int
    run_id: int
    epoch: int
    owner: str
    content_type_id: int
    object_id: str
    spec: ImageSpec
    fingerprint: str
    tier: str
    attempts: int
    is_free: bool
    estimate_microusd: int
    in_batch: bool = False
    goes_at: float | None = None
    photo: Photo | None = None
    photo_sent: Mapping[str, Any] = field(default_factory=dict)
    problem: NBCatalogError | None = None

    @property
    def labels(self) -> dict[str, str | int]:
        """What logs and spans say of it."""
        return {
            "job": self.job_id,
            "run": self.run_id,
            "epoch": self.epoch,
            "provider": self.spec.provider,
            "model": self.spec.model,
        }

    @property
    def staging_name(self) -> str:
        """Unique over processes, machines and databases: the owner carries a random part."""
        return f"{self.job_id}.{self.epoch}.{self.owner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """A picture that lies in the storage and has no row yet. Sizes in pixels."""

    name: str
    sha256: str
    mime_type: str
    width: int
    height: int
    byte_size: int
    digital_source_type: str
    kind: str
    checks: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """What of an answer lies in the storage. ``problem`` says why it is not the picture that was
    asked for: surroundings that are paid for are kept when the product cannot be set into them.
    """

    images: tuple[StoredImage, ...]
    problem: NBCatalogError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """How the work on an order ended: a move of ``states.JOB_MOVES``, and what the call cost.

    ``images`` holds surroundings before the picture that was composed on them.
    ``stops`` is an error that speaks for everybody's calls; ``counts`` says whether a try was used up.
    ``cost_microusd`` is None when the provider did not report it: the reservation then stays.
    ``was_sent`` is False when the call was on record and did not go out after all.
    """

    order: ClaimedJob
    move: str
    images: tuple[StoredImage, ...] = ()
    error_code: str = ""
    error: str = ""
    not_before: datetime | None = None
    stops: ProviderError | None = None
    counts: bool = True
    cost_microusd: int | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""
    finished_at: datetime | None = None
    was_sent: bool = True

    @property
    def labels(self) -> dict[str, str | int | None]:
        """What logs say of it."""
        return {
            **self.order.labels,
            "move": self.move,
            "error_code": self.error_code,
            "cost_microusd": self.cost_microusd,
            "request_id": self.request_id,
        }
