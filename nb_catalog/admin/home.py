"""The start page of the app in the admin: what waits, what is wrong, and the first steps of an empty shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from nb_catalog import webhooks
from nb_catalog.admin.formatting import dollars
from nb_catalog.core.pagination import COUNT_LIMIT, bounded_count
from nb_catalog.core.permissions import Action, may, may_view
from nb_catalog.core.states import JOB_UNDERWAY, ImageState, JobState
from nb_catalog.cutouts.access import visible_to
from nb_catalog.generation import failures
from nb_catalog.models import (
    ImageJob,
    Placement,
    ProductImage,
    Publication,
    Run,
    Scene,
)
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.galleries import GalleryState
from nb_catalog.models.images import ImageKind
from nb_catalog.models.placements import still_shown
from nb_catalog.models.publications import PublicationState
from nb_catalog.operations import status
from nb_catalog.publishing.galleries import lookups
from nb_catalog.registry import registered

FAILURES_SINCE: Final = timedelta(days=7)
MOST_CAUSES: Final = 4
# Publications that a link to their list names.
MOST_NAMED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What waits or happened, and the list of it. ``urgent`` is what somebody should look at now."""

    title: str
    value: str
    url: str = ""
    details: tuple[str, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the first steps in an empty shop."""

    text: str
    is_done: bool
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    figures: tuple[Figure, ...]
    problems: tuple[str, ...]
    steps: tuple[Step, ...]


def home_of(request: HttpRequest) -> Home:
    """Return what the user of ``request`` may know. A constant number of queries."""
    sees_jobs = may(request.user, Action.VIEW_JOBS)
    now = status.collect() if may(request.user, Action.VIEW_STATUS) else None
    figures = [*_work(request), *(_production(request, now) if now else ())]
    if now and sees_jobs:
        figures += _failures(request)
    if may(request.user, Action.VIEW_WEBHOOKS):
        figures += _webhooks(request)
    return Home(
        figures=tuple(figures),
        problems=tuple(map(status.describe_problem, now.problems)) if now else (),
        steps=tuple(_first_steps(request)),
    )


def _work(request: HttpRequest) -> Iterator[Figure]:
    """Yield what waits for a person's decision."""
    if may(request.user, Action.VIEW_IMAGES):
        pending = ProductImage.objects.filter(state=ImageState.PENDING, kind=ImageKind.PICTURE)
        yield _count(gettext("To review"), pending, url=_url(request, "productimage_review"))
    if may(request.user, Action.VIEW_CUTOUTS):
        doubtful = visible_to(request.user).filter(state=CutoutState.DOUBTFUL)
        url = _url(request, "photocutout_changelist", state__exact=CutoutState.DOUBTFUL)
        yield _count(gettext("Cut-outs to look at"), doubtful, url=url)
    if may(request.user, Action.VIEW_PLACEMENTS):
        stale = Placement.objects.exclude(stale_since=None)
        url = _url(request, "placement_changelist", is_stale="yes")
        yield _count(gettext("Published with outdated text"), stale, url=url, is_urgent=True)
        if lookups.are_declared():
            states = f"{GalleryState.FAILED},{GalleryState.CHANGED}"
            url = _url(request, "gallerydelivery_changelist", state__in=states)
            undecided = lookups.undecided()
            title = gettext("Not in the shop's own pictures")
            yield _count(title, undecided, url=url, is_urgent=True)
        stopped = Publication.objects.filter(state=PublicationState.STOPPED)
        if stopped.exists():
            url = _url(request, "publication_changelist", state__exact=PublicationState.STOPPED)
            title = gettext("Publications that were stopped")
            yield _count(title, stopped, url=url, is_urgent=True)
        if left := list(still_shown().values_list("pk", flat=True)[:MOST_NAMED]):
            url = _url(request, "publication_changelist", id__in=",".join(map(str, left)))
            title = gettext("Still shown after their end")
            yield _count(title, still_shown(), url=url, is_urgent=True)


def _production(request: HttpRequest, now: status.Status) -> Iterator[Figure]:
    """Yield what is being made, and for how much."""
    underway = sum(now.jobs.get(state, 0) for state in JOB_UNDERWAY)
    workers = ngettext(
        "%(number)s worker has jobs", "%(number)s workers have jobs", now.workers
    ) % {"number": number_format(now.workers)}
    details = [workers] if underway else []
    details += [
        gettext("%(provider)s is paused") % {"provider": f"{each.provider} {each.model}".strip()}
        for each in now.pauses
    ]
    yield Figure(
        title=gettext("Being made"),
        value=number_format(underway, force_grouping=True),
        url=_url(request, "run_changelist"),
        details=tuple(details),
        urgent=bool(now.pauses),
    )
    if may(request.user, Action.VIEW_SPENDING):
        yield Figure(
            title=gettext("Spent today (UTC)"),
            value=dollars(now.spent_today_usd),
            url=_url(request, "dailybudget_changelist"),
            details=()
            if now.budget_today_usd is None
            else (gettext("of %(budget)s") % {"budget": dollars(now.budget_today_usd)},),
        )
    if now.open_calls and may(request.user, Action.VIEW_CALLS):
        yield Figure(
            title=gettext("Calls of unknown cost"),
            value=number_format(now.open_calls, force_grouping=True),
            url=_url(request, "providercall_changelist", open="yes"),
            details=(gettext("%(amount)s reserved") % {"amount": dollars(now.open_usd)},),
            urgent=True,
        )


def _failures(request: HttpRequest) -> Iterator[Figure]:
    """Yield how many jobs have failed lately, with the most frequent causes."""
    since = database_now() - FAILURES_SINCE
    failed = ImageJob.objects.filter(state=JobState.FAILED, finished_at__gte=since)
    causes = failed.order_by().values_list("error_code").annotate(number=Count("id"))
    counted = sorted(causes, key=lambda cause: -cause[1])
    if counted:
        yield Figure(
            title=gettext("Failed in the last 7 days"),
            value=number_format(sum(number for _code, number in counted), force_grouping=True),
            url=_url(request, "imagejob_changelist", state__exact=JobState.FAILED),
            details=tuple(
                f"{number_format(number, force_grouping=True)} × {failures.describe_error(code)}"
                for code, number in counted[:MOST_CAUSES]
            ),
            urgent=True,
        )


def _webhooks(request: HttpRequest) -> Iterator[Figure]:
    """Yield the endpoints to which nothing can be delivered, or that were switched off for it."""
    failing = list(webhooks.failing_endpoints()[:MOST_CAUSES])
    if failing:
        number = webhooks.failing_endpoints().count()
        yield Figure(
            title=gettext("Webhook endpoints that fail"),
            value=number_format(number),
            url=_url(request, "webhookendpoint_changelist"),
            details=tuple(map(str, failing)),
            urgent=True,
        )


def _first_steps(request: HttpRequest) -> Iterator[Step]:
    """Yield what a shop without pictures does first; nothing for others and for people who may not."""
    if not may(request.user, Action.PLAN) or Run.objects.exists():
        return
    sources = [each for each in registered().values() if may_view(request.user, each.model)]
    yield Step(
        text=gettext("Register your products with a CatalogSource."), is_done=bool(registered())
    )
    yield Step(
        text=gettext("Load scenes with manage.py loaddata nb_catalog_scenes, or add your own."),
        is_done=Scene.objects.filter(is_active=True).exists(),
        links=_link(gettext("Scenes"), _url(request, "scene_changelist")),
    )
    yield Step(
        text=gettext("Select products in their list, and choose “Generate pictures…”."),
        is_done=False,
        links=tuple(
            link
            for options in (source.model._meta for source in sources)
            for link in _link(
                str(options.verbose_name_plural),
                _reverse(request, f"{options.app_label}_{options.model_name}_changelist", {}),
            )
        ),
    )
    yield Step(
        text=gettext("Start a worker with manage.py nb_worker, and review what it makes."),
        is_done=False,
    )


def _count(title: str, rows: QuerySet[Any], *, url: str, is_urgent: bool = False) -> Figure:
    number = bounded_count(rows)
    shown = number_format(COUNT_LIMIT if number is None else number, force_grouping=True)
    return Figure(
        title=title,
        value=gettext("more than %(number)s") % {"number": shown} if number is None else shown,
        url=url,
        urgent=is_urgent and number != 0,
    )


def _link(name: str, url: str) -> tuple[tuple[str, str], ...]:
    return ((name, url),) if url else ()


def _url(request: HttpRequest, page: str, **query: str) -> str:
    """Return the address of one of our pages; "" if this admin site does not have it."""
    return _reverse(request, f"nb_catalog_{page}", query)


def _reverse(request: HttpRequest, name: str, query: dict[str, str]) -> str:
    site = getattr(request, "current_app", "admin")
    try:
        url = reverse(f"admin:{name}", current_app=site)
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url
