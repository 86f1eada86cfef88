"""How pages show requests for texts that are under way or were unsuccessful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nb_catalog.admin.formatting import language_name
from nb_catalog.generation.text_requests import TextProgress
from nb_catalog.models import ImageJob


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProgress:
    """``underway`` names languages; ``unsuccessful`` are jobs with the names of theirs."""

    underway: str
    unsuccessful: Sequence[tuple[ImageJob, str]]
    run_id: int | None


def shown(progress: TextProgress) -> ShownProgress:
    """Return ``progress`` for a template."""
    by_job: dict[int, tuple[ImageJob, list[str]]] = {}
    for code, job in progress.unsuccessful.items():
        by_job.setdefault(job.pk, (job, []))[1].append(language_name(code))
    jobs = list(progress.underway.values())
    return ShownProgress(
        underway=", ".join(map(language_name, progress.underway)),
        unsuccessful=[(job, ", ".join(names)) for job, names in by_job.values()],
        run_id=jobs[0].run_id if jobs else None,
    )
