"""Starts requests for texts as runs, and says which are under way.

Each is a job of the worker, with the budgets, the crash safety and the progress of a picture's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from django.db import models, transaction
from django.utils.translation import gettext as _

from nb_catalog import tasks
from nb_catalog.billing import budgets
from nb_catalog.copydecks import missing_texts
from nb_catalog.core.specs import TextSpec
from nb_catalog.core.states import JOB_LIVE, JOB_UNDERWAY, JobState
from nb_catalog.core.types import Actor, JobKind
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.job_writing import first_turn
from nb_catalog.generation.runs import INTERACTIVE_PRIORITY
from nb_catalog.models import CopyDeck, ImageJob, ProductImage, Run
from nb_catalog.models.db.money import micros
from nb_catalog.models.generic import content_type_of
from nb_catalog.providers.text_base import TextProvider
from nb_catalog.providers.texts import required_translation_provider

# Jobs that a page looks at.
MOST_LOOKED_AT: Final = 500
_UNSUCCESSFUL: Final = (JobState.REFUSED, JobState.FAILED, JobState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """Texts to request about ``about``. ``estimate`` is the most that they are expected to cost, in USD."""

    about: CopyDeck | ProductImage
    spec: TextSpec
    estimate: Decimal


def request_translations(deck: CopyDeck, locales: Collection[str], *, actor: Actor) -> Run | None:
    """Have the texts that ``deck`` lacks in ``locales`` translated, and return the run.

    They are stored as proposals. Returns None if no text is missing. Raises ``RequestRefused`` without
    a translation provider, if its price is unknown, and while the same request is under way.
    """
    provider = required_translation_provider()
    missing = missing_texts(deck, [code for code in locales if code != deck.locale])
    requests = [
        TextRequest(
            about=deck,
            spec=spec_about(
                deck,
                provider,
                kind=JobKind.TRANSLATION,
                locales=(code,),
                source=deck.locale,
                texts=texts,
            ),
            estimate=provider.estimate(texts),
        )
        for code, texts in missing.items()
        if texts
    ]
    title = _("Translate %(deck)s: %(locales)s") % {
        "deck": deck,
        "locales": ", ".join(locales),
    }
    return start(requests, title=title, actor=actor)


def spec_about(
    about: CopyDeck | ProductImage, provider: TextProvider[Any], *, kind: JobKind, **fields: Any
) -> TextSpec:
    """Return the spec of texts of ``kind`` about ``about``; for a picture, with its file."""
    spec = TextSpec(
        kind=kind,
        object_type=about._meta.label_lower,
        object_id=str(about.pk),
        provider=provider.alias,
        model=provider.model,
        **fields,
    )
    if isinstance(about, ProductImage):
        spec = replace(spec, picture=str(about.file.name), sha256=about.sha256)
    return spec


def start(requests: Sequence[TextRequest], *, title: str, actor: Actor) -> Run | None:
    """Write a job for each of ``requests`` and wake a worker; None without any.

    Raises ``RequestRefused`` while one of the same kind and language about the same deck or picture is
    under way: nothing is written then.
    """
    if not requests:
        return None
    with transaction.atomic():
        for request in requests:
            _refuse_if_underway(request)
        run = Run.objects.create(
            plan_key=uuid4().hex,
            title=title[:200],
            request={"kind": requests[0].spec.kind},
            tier=budgets.TEXT,
            actor=actor,
            estimate_microusd=sum(micros(each.estimate) for each in requests),
        )
        for request in requests:
            spec, is_free = request.spec, request.estimate == 0
            ImageJob.objects.create(
                run=run,
                kind=spec.kind,
                content_type=content_type_of(request.about),
                object_id=spec.object_id,
                spec=spec.as_dict(),
                fingerprint=spec.fingerprint,
                live_key=spec.fingerprint,
                tier=run.tier,
                provider=spec.provider,
                model=spec.model,
                is_free=is_free,
                estimate_microusd=micros(request.estimate),
                priority=INTERACTIVE_PRIORITY,
                turn=first_turn(priority=INTERACTIVE_PRIORITY, is_free=is_free),
            )
        tasks.wake_up()
    return run


def _refuse_if_underway(request: TextRequest) -> None:
    about, spec = request.about, request.spec
    # Locked: concurrent requests are checked one after the other.
    type(about)._default_manager.select_for_update().get(pk=about.pk)
    live = jobs_about(about, kind=spec.kind).filter(state__in=JOB_LIVE)
    taken = {code for job in live for code in job.spec["locales"]}
    if both := [code for code in spec.locales if code in taken]:
        raise RequestRefused(
            _(
                "This has been requested already (%(locales)s) and is under way, or its outcome is "
                "unknown. Look at its run before you request it again."
            )
            % {"locales": ", ".join(both)}
        )


def jobs_about(about: models.Model, *, kind: str) -> models.QuerySet[ImageJob]:
    """Return the jobs that request texts of ``kind`` about ``about``, the newest first."""
    return ImageJob.objects.about(about).filter(kind=kind).order_by("-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProgress:
    """The latest job of each locale about one deck or picture that is under way or was unsuccessful."""

    underway: Mapping[str, ImageJob]
    unsuccessful: Mapping[str, ImageJob]


def progress_of(about: models.Model, *, kind: str) -> TextProgress:
    """Return the progress of the requests for texts of ``kind`` about ``about``. One query."""
    return progress_of_all([about], kind=kind)[about.pk]


def progress_of_all(rows: Sequence[models.Model], *, kind: str) -> dict[int, TextProgress]:
    """Return the same for each of ``rows``, of one model, by its key. One query."""
    latest: dict[int, dict[str, ImageJob]] = {row.pk: {} for row in rows}
    if rows:
        jobs = ImageJob.objects.about_any(type(rows[0]), [str(row.pk) for row in rows])
        for job in jobs.filter(kind=kind).order_by("-id")[:MOST_LOOKED_AT]:
            for code in job.spec["locales"]:
                latest[int(job.object_id)].setdefault(code, job)
    return {
        key: TextProgress(
            underway=_in(by_locale, JOB_UNDERWAY), unsuccessful=_in(by_locale, _UNSUCCESSFUL)
        )
        for key, by_locale in latest.items()
    }


def _in(jobs: Mapping[str, ImageJob], states: Collection[str]) -> dict[str, ImageJob]:
    return {code: job for code, job in jobs.items() if job.state in states}
