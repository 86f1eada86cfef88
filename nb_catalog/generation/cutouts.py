"""Has the photos cut out that a plan stands on, before anything is started."""

from __future__ import annotations

from nb_catalog import cutouts, tasks
from nb_catalog.generation.plan import Plan


def request_cutouts(plan: Plan) -> int:
    """Have the first photos cut out that ``plan`` stands on and that nobody has looked at; return how many.

    Call it after ``plan.summary()``. A worker is woken; the plan knows the results when it is computed again.
    """
    report = plan.planner.photos
    requested = cutouts.request_cutouts(report.unseen) if report is not None else 0
    if requested:
        tasks.wake_up()
    return requested
