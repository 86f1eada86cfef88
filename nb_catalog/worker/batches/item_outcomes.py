"""How the items of a batch end: as direct calls do, but for when they are tried again."""

from __future__ import annotations

from dataclasses import replace

from nb_catalog.conf import settings
from nb_catalog.exceptions import NBCatalogError, OutcomeUnknown, ServiceUnavailable
from nb_catalog.worker import outcomes
from nb_catalog.worker.types import ClaimedJob, JobOutcome


def failed(order: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """The answer to one item was no picture. What is worth another try goes into another batch."""
    ending = outcomes.outcome_for_error(order, error)
    move = ending.move
    if move == "defer":
        move = "return_from_batch" if order.attempts < settings.MAX_ATTEMPTS else "fail"
    # One item's limits say nothing about calls that are made directly.
    return replace(ending, move=move, not_before=None, stops=None, counts=True)


def not_sent(order: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """The batch did not go out: back to the queue, free of charge, and the try does not count."""
    return JobOutcome(
        order=order,
        move="return_from_batch",
        error_code=error.code,
        error=str(error),
        cost_microusd=0,
        counts=False,
        was_sent=False,
    )


def not_made(order: ClaimedJob, *, said: str) -> JobOutcome:
    """The batch ended before the provider came to this item: nothing is charged for it."""
    return failed(
        order, ServiceUnavailable(f"The batch ended without this picture. {said}".strip())
    )


def not_found(order: ClaimedJob) -> JobOutcome:
    """The batch is said to have succeeded, and nothing tells what became of this item."""
    return failed(
        order,
        OutcomeUnknown(
            "The provider says that the batch succeeded, and its results have no line for this "
            "picture. It may have been charged: look at the provider's bill before you retry."
        ),
    )
