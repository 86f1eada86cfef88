"""What a provider with a batch service adds: submit, poll, collect, and how a batch is found again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeGuard

from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import BatchItem, BatchLimits, BatchReport, Payload

__all__ = ["BatchProvider", "BatchService", "limits_of", "takes_batches"]


class BatchService(ABC):
    """Everything here may be asked again: only ``submit`` is ever paid for, once a batch.

    All but ``line`` talk to the service and raise subclasses of ``ProviderError``.
    """

    @property
    @abstractmethod
    def batch_limits(self) -> BatchLimits | None:
        """What one batch may hold; None where this configuration has no batch service."""

    @abstractmethod
    def line(self, key: str, payload: Payload) -> bytes:
        """``payload`` as one line of an input file, ``key`` for finding its answer. Pure."""

    @abstractmethod
    async def upload(self, path: Path, *, name: str) -> str:
        """Hand the input file over; the service's name for it."""

    @abstractmethod
    async def submit(self, file: str, *, model: str, name: str) -> str:
        """Have the uploaded ``file`` worked on; the service's name for the batch. Sent once.

        ``name`` is shown by the service and is how ``find`` knows the batch again.
        """

    @abstractmethod
    async def find(self, name: str) -> list[str]:
        """The service's names of all batches that were submitted as ``name``, the first one first."""

    @abstractmethod
    async def poll(self, batch: str) -> BatchReport:
        """How the batch with the service's name ``batch`` stands."""

    @abstractmethod
    def collect(self, report: BatchReport) -> AsyncIterator[BatchItem]:
        """The results, one at a time in any order, as they come over the line.

        Ends without an error only when the file was read to its end.
        """

    @abstractmethod
    async def call_off(self, batch: str) -> None:
        """Stop the batch. What was made until then may still be billed, and collected."""

    @abstractmethod
    async def forget(self, *files: str) -> None:
        """Delete files at the service that are of no use any more; gone ones are no error."""


class BatchProvider(Provider, BatchService):
    """A provider that is both; for type hints."""


def limits_of(provider: Provider) -> BatchLimits | None:
    """What one batch of ``provider`` may hold; None when it takes none as it is configured."""
    return provider.batch_limits if isinstance(provider, BatchService) else None


def takes_batches(provider: Provider) -> TypeGuard[BatchProvider]:
    """Whether ``provider`` has a batch service as it is configured."""
    return limits_of(provider) is not None
