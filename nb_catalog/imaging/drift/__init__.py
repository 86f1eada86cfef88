"""Drift: how far a member of a series is from the picture that sets its look."""

from __future__ import annotations

from nb_catalog.imaging.drift.look import Look, look_of, look_of_file, take_look
from nb_catalog.imaging.drift.score import (
    DRIFT_CHECK,
    TOLERANCES,
    Drift,
    describe_missing,
    describe_part,
    measure_drift,
)

__all__ = [
    "DRIFT_CHECK",
    "TOLERANCES",
    "Drift",
    "Look",
    "describe_missing",
    "describe_part",
    "look_of",
    "look_of_file",
    "measure_drift",
    "take_look",
]
