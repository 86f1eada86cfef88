"""A run in one line: for titles of pages and subjects of e-mails."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext

from nb_catalog.core.states import JobState
from nb_catalog.generation.progress import RunState, asked_of, state_of
from nb_catalog.models import Run


def headline_of(run: Run, *, counts: Mapping[str, int]) -> str:
    """Return "✓ 38 of 40 · Run 12" for a run that has ended; "‖" is before one that is paused, and nothing
    before one that is under way. ``counts`` are its jobs by state."""
    marks = {RunState.FINISHED: "✓ ", RunState.STOPPED: "✗ ", RunState.PAUSED: "‖ "}
    asked = asked_of(run, total=sum(counts.values()))
    made = number_format(counts.get(JobState.SUCCEEDED, 0), force_grouping=True)
    line = gettext("%(made)s of %(asked)s · Run %(run)s") % {
        "made": made,
        "asked": "?" if asked is None else number_format(asked, force_grouping=True),
        "run": run.pk,
    }
    return marks.get(state_of(run, counts=counts), "") + line
