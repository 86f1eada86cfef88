"""What jobs were asked for, and what became of those without a result, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.formatting import language_name
from nb_catalog.core.types import JobKind, Treatment
from nb_catalog.generation import failures
from nb_catalog.models import ImageJob, Scene, TextLayout


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a job has no result. ``advice`` is empty if a retry may help.

    ``message`` is what the worker stored; ``summary`` is the same in a few words of the user's language,
    empty if ``message`` is in English and so is everything else.
    """

    summary: str
    message: str
    advice: str


def problem_of(job: ImageJob) -> Problem:
    """Return what happened to ``job``, and what to do about it."""
    summary = failures.summary_of(job.error_code)
    # Messages are written by the worker: in the site's language, or in English.
    languages = (get_language() or "en", settings.LANGUAGE_CODE)
    is_readable = bool(job.error) and all(code.startswith("en") for code in languages)
    return Problem(
        summary="" if is_readable else summary,
        message=job.error or ("" if summary else job.error_code),
        advice=failures.advice_for(job.error_code, state=job.state),
    )


EDIT: Final = _("edit of a picture")


@dataclass(frozen=True, kw_only=True)
class RequestNames:
    """Describes jobs with the names of scenes and layouts. Two queries, whatever the number of jobs."""

    @cached_property
    def scenes(self) -> Mapping[str, str]:
        return dict(Scene.objects.values_list("key", "name"))

    @cached_property
    def layouts(self) -> Mapping[str, str]:
        return dict(TextLayout.objects.values_list("key", "name"))

    def describe(self, job: ImageJob) -> str:
        """Return what ``job`` was asked for: an edit, layout or scene, language, ratio, size and variant."""
        spec = job.spec if isinstance(job.spec, dict) else {}
        if job.kind != JobKind.IMAGE:
            codes = spec.get("locales")
            names = map(language_name, map(str, codes if isinstance(codes, list) else ()))
            return " · ".join((str(job.get_kind_display()), ", ".join(names)))
        scene, layout, variant = (spec.get(name) for name in ("scene", "layout", "variant"))
        is_photo = spec.get("treatment") == Treatment.PHOTO
        parts = (
            EDIT if spec.get("edit") else "",
            self.layouts.get(str(layout), layout),
            self.scenes.get(str(scene), scene) or (Treatment.PHOTO.label if is_photo else ""),
            language_name(str(spec["locale"])) if spec.get("locale") else "",
            spec.get("ratio"),
            spec.get("size"),
            f"#{variant}" if variant else "",
        )
        return " · ".join(str(part) for part in parts if part)


def attach(jobs: Iterable[ImageJob]) -> list[ImageJob]:
    """Return ``jobs`` with ``requested`` and ``problem``, for templates and list columns."""
    jobs, names = list(jobs), RequestNames()
    for job in jobs:
        job.requested = names.describe(job)
        job.problem = problem_of(job)
    return jobs
