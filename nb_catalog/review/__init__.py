"""Decisions about pictures, and checks of the text on them."""

from nb_catalog.review.claims import (
    claim,
    claim_next,
    release_claims,
    renew_claims,
    unclaimed_by_others,
)
from nb_catalog.review.comments import comment
from nb_catalog.review.comparison import request_comparison
from nb_catalog.review.decisions import (
    Decision,
    UndoResult,
    decide,
    decide_all,
    require_images,
    undo,
)
from nb_catalog.review.deferred import DeferredPublications, deferred
from nb_catalog.review.edits import move_texts
from nb_catalog.review.escalation import escalate
from nb_catalog.review.experiments import ExperimentResult, adopt_prompt, result_of
from nb_catalog.review.history import History, history_of
from nb_catalog.review.ocr import request_reading
from nb_catalog.review.saved_filters import delete_filter, save_filter, saved_filters
from nb_catalog.review.series import approve_series
from nb_catalog.review.services import (
    BulkReviewResult,
    approve,
    approve_all,
    needs_individual_review,
    pass_over,
    reconsider,
    reject,
    require_individual_review,
    restore,
    retire,
    typeset_instead,
)
from nb_catalog.review.verification import verify_text
from nb_catalog.review.votes import (
    Ballot,
    Ballots,
    Side,
    ballots_of,
    close_experiment,
    may_see_result,
    vote,
)

__all__ = [
    "Ballot",
    "Ballots",
    "BulkReviewResult",
    "Decision",
    "DeferredPublications",
    "ExperimentResult",
    "History",
    "Side",
    "UndoResult",
    "adopt_prompt",
    "approve",
    "approve_all",
    "approve_series",
    "ballots_of",
    "close_experiment",
    "claim",
    "claim_next",
    "comment",
    "decide",
    "decide_all",
    "deferred",
    "delete_filter",
    "escalate",
    "history_of",
    "may_see_result",
    "move_texts",
    "needs_individual_review",
    "pass_over",
    "release_claims",
    "renew_claims",
    "request_comparison",
    "request_reading",
    "reconsider",
    "reject",
    "require_images",
    "require_individual_review",
    "restore",
    "result_of",
    "retire",
    "save_filter",
    "saved_filters",
    "typeset_instead",
    "unclaimed_by_others",
    "undo",
    "verify_text",
    "vote",
]
