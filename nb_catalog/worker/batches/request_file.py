"""A batch's file of requests: one line an order, on disk and never whole in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from nb_catalog.conf import settings
from nb_catalog.exceptions import NBCatalogError, RequestRejected
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.worker.batches.queries import key_of
from nb_catalog.worker.execution import build_payload, log_plugin_error, plugin_error_text
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)

FOLDER: Final = "batches"


@dataclass(slots=True)
class WriteResult:
    """What became of the orders: written into the file, not possible, or more than fits."""

    written: list[ClaimedJob] = field(default_factory=list)
    problems: list[tuple[ClaimedJob, NBCatalogError]] = field(default_factory=list)
    left_over: list[ClaimedJob] = field(default_factory=list)


def path_of(name: str) -> Path:
    """Where the file of the batch ``name`` is written."""
    return settings.STAGING_DIR / FOLDER / f"{name}.jsonl"


def write_requests(
    path: Path,
    orders: Sequence[ClaimedJob],
    *,
    maker: BatchProvider,
    most_bytes: int,
    is_stopping: Callable[[], bool],
) -> WriteResult:
    """Write a line for each of ``orders`` until the file is full. Runs in a pool thread.

    When it is to stop, what is not written yet is left over.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    filled = WriteResult()
    with path.open("wb") as file:
        for place, order in enumerate(orders):
            if is_stopping() or not _fits(file, order, filled, maker=maker, most_bytes=most_bytes):
                filled.left_over.extend(orders[place:])
                break
    return filled


def _fits(
    file: BinaryIO, order: ClaimedJob, filled: WriteResult, *, maker: BatchProvider, most_bytes: int
) -> bool:
    try:
        told, line = _encode(order, maker=maker)
    except NBCatalogError as error:
        filled.problems.append((order, error))
        return True
    if file.tell() + len(line) > most_bytes:
        if filled.written:
            return False
        too_long = RequestRejected(
            f"The request alone has {len(line):,} bytes, a batch {most_bytes:,}."
        )
        filled.problems.append((order, too_long))
        return True
    file.write(line)
    filled.written.append(told)
    return True


def _encode(order: ClaimedJob, *, maker: BatchProvider) -> tuple[ClaimedJob, bytes]:
    try:
        if order.problem is not None:
            raise order.problem
        told, payload = build_payload(order, maker=maker)
        return told, maker.request_line(key_of(order), payload)
    except NBCatalogError:
        raise
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(maker, order)
        raise RequestRejected(plugin_error_text(error)) from error


def remove(path: Path) -> None:
    """Delete a batch's file; none is no error."""
    path.unlink(missing_ok=True)
