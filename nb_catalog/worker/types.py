"""What a worker knows about one job, and what it reports about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import NBCatalogError, ProviderError

# A job's id and the epoch of its claim: one worker may hold two claims of a job, of which one is void.
Fence: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job as it was claimed. ``(owner, epoch)`` is the fence of every later UPDATE.

    ``goes_at`` is when its call may go out, by this process's monotonic clock in seconds; None if it
    may go at any time.
    ``photo_sent`` is a ``PhotoSent`` as plain data, once the photo has been prepared.
    ``photo`` is None and ``problem`` says why if the catalog object or its photo is gone.
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
        """Its fields in logs and spans."""
        return {
            "job": self.job_id,
            "run": self.run_id,
            "epoch": self.epoch,
            "provider": self.spec.provider,
            "model": self.spec.model,
        }

    @property
    def fence(self) -> Fence:
        """Identifies this claim of the job."""
        return self.job_id, self.epoch

    @property
    def spool_name(self) -> str:
        """Unique over processes, machines and databases: the owner has a random part."""
        return f"{self.job_id}.{self.epoch}.{self.owner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """A picture that is in the storage and has no row yet. Sizes in pixels."""

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
class JobOutcome:
    """How work on a job ended: a transition of ``JOB_TRANSITIONS``, and what the call cost.

    ``images`` holds a background before the picture that was composed on it.
    ``backoff`` is an error that concerns other calls too; ``uses_attempt`` says whether an attempt was
    used up. ``cost_microusd`` is None if the provider did not report it: the reservation then stays.
    ``was_sent`` is False if the call was on record and did not go out after all.
    """

    job: ClaimedJob
    move: str
    images: tuple[StoredImage, ...] = ()
    error_code: str = ""
    error: str = ""
    not_before: datetime | None = None
    backoff: ProviderError | None = None
    uses_attempt: bool = True
    cost_microusd: int | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""
    finished_at: datetime | None = None
    was_sent: bool = True

    @property
    def labels(self) -> dict[str, str | int | None]:
        """Its fields in logs."""
        return {
            **self.job.labels,
            "move": self.move,
            "error_code": self.error_code,
            "cost_microusd": self.cost_microusd,
            "request_id": self.request_id,
        }
