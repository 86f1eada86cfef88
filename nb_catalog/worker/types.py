"""What a worker knows about one job, and what it reports about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from nb_catalog.core.specs import ImageSpec, TextSpec
from nb_catalog.core.types import Photo
from nb_catalog.cutouts import FoundCutout, StoredCutout
from nb_catalog.exceptions import NBCatalogError, ProviderError

# A job's id and the epoch of its claim: one worker may hold two claims of a job, of which one is void.
Fence: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAnchor:
    """The picture that shows the look of a series: its file in the catalog's storage, its size in pixels, and
    its product's box (left, top, width, height), empty if it is not known."""

    file: str
    sha256: str
    size: tuple[int, int]
    product: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPicture:
    """The picture that a final is made of: its key, its file in the catalog's storage, its product's box
    (left, top, width, height in pixels of ``size``), empty if it is not known, and what it cost in
    micro-dollars, None if that is not known."""

    pk: int
    file: str
    size: tuple[int, int]
    product: tuple[int, ...]
    cost_microusd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job as it was claimed. ``(owner, epoch)`` is the fence of every later UPDATE.

    ``goes_at`` is when its call may go out, by this process's monotonic clock in seconds; None if it
    may go at any time.
    ``photo_sent`` is a ``PhotoSent`` as plain data, once the photo has been prepared.
    ``photo`` is None and ``problem`` says why if the catalog object or its photo is gone. ``spec`` is a
    ``TextSpec`` for a job that requests texts. ``cutout`` is the photo's cut-out as it is in the database,
    and ``found`` what was made of it since, which has to be recorded. ``parts`` are the products of a bundle,
    each as a job about itself. ``anchor`` is that of the series that the picture belongs to, if it has one,
    and ``draft`` the picture that a final is made of.
    """

    job_id: int
    run_id: int
    epoch: int
    owner: str
    content_type_id: int
    object_id: str
    spec: ImageSpec | TextSpec
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
    cutout: StoredCutout | None = None
    found: FoundCutout | None = None
    anchor: SeriesAnchor | None = None
    draft: DraftPicture | None = None
    parts: tuple[ClaimedJob, ...] = ()

    @property
    def has_found(self) -> bool:
        """Whether cut-outs were made that have to be recorded."""
        return self.found is not None or any(part.found is not None for part in self.parts)

    @property
    def image_spec(self) -> ImageSpec:
        """The spec of a job that requests a picture."""
        assert isinstance(self.spec, ImageSpec)  # noqa: S101 - asked of those only
        return self.spec

    @property
    def text_spec(self) -> TextSpec:
        """The spec of a job that requests texts."""
        assert isinstance(self.spec, TextSpec)  # noqa: S101 - asked of those only
        return self.spec

    @property
    def size(self) -> str:
        """The name of the requested size; "" for texts."""
        return "" if isinstance(self.spec, TextSpec) else self.spec.size

    @property
    def requests_texts(self) -> bool:
        return isinstance(self.spec, TextSpec)

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
class TextContent:
    """Texts that a provider returned and that may be used: by locale or role, or a comparison by OCR.
    ``refused`` has the reason for each one that may not."""

    values: Mapping[str, Any]
    provider: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """How work on a job ended: a transition of ``JOB_TRANSITIONS``, and what the call cost.

    ``images`` holds what a picture was made from, a background or a picture not framed yet, before it.
    ``backoff`` is an error that concerns other calls too; ``uses_attempt`` says whether an attempt was
    used up. ``cost_microusd`` is None if the provider did not report it: the reservation then stays.
    ``was_sent`` is False if the call was on record and did not go out after all.
    """

    job: ClaimedJob
    move: str
    images: tuple[StoredImage, ...] = ()
    texts: TextContent | None = None
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
