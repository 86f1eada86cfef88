"""The interface that a provider with a batch service adds: upload, submit, find, poll, collect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeGuard

from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import BatchItem, BatchLimits, BatchReport, Payload

__all__ = ["BatchProvider", "BatchService", "limits_of", "takes_batches"]


class BatchService(ABC):
    """Every method may be repeated, except ``submit``, which costs money each time.

    All methods but ``request_line`` call the service and raise subclasses of ``ProviderError``.
    """

    @property
    @abstractmethod
    def batch_limits(self) -> BatchLimits | None:
        """The limits of one batch; None if this configuration has no batch service."""

    @abstractmethod
    def request_line(self, key: str, payload: Payload) -> bytes:
        """Return ``payload`` as one line of an input file; its result carries ``key``. Pure."""

    @abstractmethod
    async def upload(self, path: Path, *, name: str) -> str:
        """Upload the input file. Return the service's name for it."""

    @abstractmethod
    async def submit(self, file: str, *, model: str, name: str) -> str:
        """Start a batch with the uploaded ``file``. Return the service's name for the batch.

        ``name`` is displayed by the service, and ``find`` searches for it.
        """

    @abstractmethod
    async def find(self, name: str) -> list[str]:
        """Return the service's names of all batches submitted as ``name``, oldest first."""

    @abstractmethod
    async def poll(self, batch: str) -> BatchReport:
        """Return the state of the batch that the service calls ``batch``."""

    @abstractmethod
    def collect(self, report: BatchReport) -> AsyncIterator[BatchItem]:
        """Yield the results in any order, one at a time, while they are downloaded.

        Ends without an error only if the file was read to its end.
        """

    @abstractmethod
    async def cancel(self, batch: str) -> None:
        """Stop the batch. Results made until then may still be billed, and collected."""

    @abstractmethod
    async def delete_files(self, *files: str) -> None:
        """Delete files from the service. Files that no longer exist are not an error."""


class BatchProvider(Provider, BatchService):
    """A provider with a batch service; for type hints."""


def limits_of(provider: Provider) -> BatchLimits | None:
    """Return the limits of one batch of ``provider``; None if it takes none as configured."""
    return provider.batch_limits if isinstance(provider, BatchService) else None


def takes_batches(provider: Provider) -> TypeGuard[BatchProvider]:
    """Whether ``provider``, as configured, has a batch service."""
    return limits_of(provider) is not None
