"""Decisions about pictures, and checks of the text on them."""

from nb_catalog.review.ocr import read_with_model
from nb_catalog.review.services import (
    BulkReviewResult,
    approve,
    approve_all,
    needs_individual_review,
    reconsider,
    reject,
    require_individual_review,
    retire,
    typeset_instead,
)
from nb_catalog.review.verification import verify_text

__all__ = [
    "BulkReviewResult",
    "approve",
    "approve_all",
    "needs_individual_review",
    "read_with_model",
    "reconsider",
    "reject",
    "require_individual_review",
    "retire",
    "typeset_instead",
    "verify_text",
]
