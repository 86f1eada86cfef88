"""Decisions about pictures."""

from nb_catalog.review.services import (
    Tally,
    approve,
    approve_all,
    describe,
    needs_a_look,
    reconsider,
    refuse_in_passing,
    reject,
    retire,
    set_words,
)

__all__ = [
    "Tally",
    "approve",
    "approve_all",
    "describe",
    "needs_a_look",
    "reconsider",
    "refuse_in_passing",
    "reject",
    "retire",
    "set_words",
]
