"""Decisions about pictures."""

from nb_catalog.review.services import (
    BulkReviewResult,
    approve,
    approve_all,
    needs_individual_review,
    reconsider,
    reject,
    require_individual_review,
    retire,
    set_alt_texts,
    typeset_instead,
)

__all__ = [
    "BulkReviewResult",
    "approve",
    "approve_all",
    "needs_individual_review",
    "reconsider",
    "reject",
    "require_individual_review",
    "retire",
    "set_alt_texts",
    "typeset_instead",
]
