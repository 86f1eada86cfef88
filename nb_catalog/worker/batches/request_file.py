"""A batch's file of requests: one line per job, on disk and never whole in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nb_catalog.conf import settings
from nb_catalog.exceptions import NBCatalogError, RequestRejected
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.worker.batches.queries import key_of
from nb_catalog.worker.execution import build_payload, log_plugin_error, plugin_error_text
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)

FOLDER: Final = "batches"


@dataclass(slots=True, kw_only=True)
class WriteResult:
    """The jobs that were written into the file, that could not be, and that did not fit."""

    written: list[ClaimedJob] = field(default_factory=list)
    problems: list[tuple[ClaimedJob, NBCatalogError]] = field(default_factory=list)
    left_over: list[ClaimedJob] = field(default_factory=list)


def path_of(name: str) -> Path:
    """Return the path of the file of the batch ``name``."""
    return settings.STAGING_DIR / FOLDER / f"{name}.jsonl"


def write_requests(
    path: Path,
    jobs: Sequence[ClaimedJob],
    *,
    provider: BatchProvider,
    most_bytes: int,
    is_stopping: Callable[[], bool],
) -> WriteResult:
    """Write a line for each of ``jobs`` until the file is full. Runs in a pool thread.

    Once ``is_stopping()`` is true, what is not written yet is left over.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    result = WriteResult()
    with path.open("wb") as file:
        for index, job in enumerate(jobs):
            if is_stopping():
                result.left_over.extend(jobs[index:])
                break
            try:
                sent, line = encode_line(job, provider=provider)
                if sent.problem is not None:
                    result.problems.append((sent, sent.problem))
                    continue
                if len(line) > most_bytes:
                    raise RequestRejected(
                        f"The request alone has {len(line):,} bytes, a batch at most {most_bytes:,}."
                    )
            except NBCatalogError as error:
                result.problems.append((job, error))
                continue
            if file.tell() + len(line) > most_bytes:
                result.left_over.extend(jobs[index:])
                break
            file.write(line)
            result.written.append(sent)
    return result


def encode_line(job: ClaimedJob, *, provider: BatchProvider) -> tuple[ClaimedJob, bytes]:
    try:
        if job.problem is not None:
            raise job.problem
        sent, payload = build_payload(job, provider=provider)
        return sent, b"" if payload is None else provider.request_line(key_of(job), payload)
    except NBCatalogError:
        raise
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(provider, job)
        raise RequestRejected(plugin_error_text(error)) from error


def remove(path: Path) -> None:
    """Delete a batch's file if it exists."""
    path.unlink(missing_ok=True)
