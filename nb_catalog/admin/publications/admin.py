"""The list of publications, the page of each with its progress, and new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import ReadOnlyAdmin
from nb_catalog.admin.changelists import INTEGER_KEY, key_in
from nb_catalog.admin.publications.forms import PublishForm, TimesForm, times_of
from nb_catalog.admin.publications.moments import MomentViews
from nb_catalog.admin.publications.places import place_rows
from nb_catalog.admin.publications.roll_backs import RollBackViews
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import ProductImage, Publication, Run
from nb_catalog.models.publications import PublicationState
from nb_catalog.publishing import publications, schedules
from nb_catalog.publishing.places import place_key

IMAGES: Final = "images"
# Pictures that are published at once from a list.
MAX_IMAGES: Final = 500
# Places, and pictures with a problem, that a page lists.
MOST_LISTED: Final = 60
PARTS: Final = ("progress", "buttons")


@admin.register(Publication)
class PublicationAdmin(RollBackViews, MomentViews, ReadOnlyAdmin):
    view_action = Action.VIEW_PLACEMENTS
    list_display = (
        "title", "kind", "state_of", "starts_at", "ends_at", "published_at", "undone_at", "actor"
    )  # fmt: skip
    list_filter = ("state", "kind", "at")
    list_select_related = ("actor",)
    search_fields = ("title",)
    fields = (
        "kind", "actor", "at", "starts_at", "ends_at", "published_at", "undone_at", "undoes", "reason"
    )  # fmt: skip
    change_form_template = "admin/nb_catalog/publication/change_form.html"
    change_list_template = "admin/nb_catalog/publication/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "publish/",
                self.publish,
                name="publish",
                action=Action.PUBLISH,
                api="publication_create",
            ),
            self.page(
                "<int:pk>/progress/",
                require_GET(self.progress_data),
                name="progress",
                action=Action.VIEW_PLACEMENTS,
                api="publication_retrieve",
            ),
            self.page(
                "<int:pk>/cancel/",
                require_POST(self.cancel),
                name="cancel",
                action=Action.PUBLISH,
                api="publication_cancel",
            ),
            self.page(
                "<int:pk>/retry/",
                require_POST(self.retry),
                name="retry",
                action=Action.PUBLISH,
                api="publication_retry",
            ),
            self.page(
                "<int:pk>/schedule/",
                require_POST(self.schedule),
                name="schedule",
                action=Action.PUBLISH,
                api="publication_schedule",
            ),
            *self.roll_back_urls(),
            *self.moment_urls(),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_roll_back": may(request.user, Action.UNPUBLISH)}
        return super().changelist_view(request, context)

    @admin.display(description=_("state"), ordering="state")
    def state_of(self, publication: Publication) -> str:
        if publication.undone_at is not None:
            return gettext("Rolled back")
        return str(publication.get_state_display())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        publication = self.get_object(request, object_id)
        if publication is not None and self.has_view_permission(request, publication):
            context |= self._context(request, publication)
            context["title"] = publication.title
            context["rows"] = self._places(publication)
        return super().change_view(request, object_id, form_url, context)

    def _context(self, request: HttpRequest, publication: Publication) -> dict[str, Any]:
        progress = publications.progress_of(publication)
        waits = publication.state == PublicationState.WAITING
        is_shown = publication.state == PublicationState.PUBLISHED and not publication.undone_at
        problems = [
            (place_key(row), None, row.image_id, row.problem)
            for row in progress.problems[:MOST_LISTED]
        ]
        return {
            "publication": publication,
            "progress": progress,
            "percent": 100 * progress.ready // max(progress.total, 1),
            "sentence": _sentence(publication, progress),
            "waits": waits,
            "is_stopped": publication.state == PublicationState.STOPPED,
            "problems": place_rows(problems, site=self.admin_site),
            "may_publish": may(request.user, Action.PUBLISH),
            "may_roll_back": may(request.user, Action.UNPUBLISH)
            and publication.published_at is not None
            and publication.undone_at is None,
            "times": TimesForm(initial=times_of(publication)),
            "has_times": waits or is_shown,
            "is_shown": is_shown,
            "is_done": not waits,
        }

    def _places(self, publication: Publication) -> Any:
        """Return the places of ``publication``: what it has changed, or what it is to show."""
        events = publication.events.order_by("pk")[:MOST_LISTED]
        changes = [
            (place_key(event), event.image_before_id, event.image_after_id, "") for event in events
        ]
        if not changes and publication.published_at is None:
            planned = publication.planned.all()[:MOST_LISTED]
            changes = [
                (place_key(row), row.image_id if row.empties else None,
                 None if row.empties else row.image_id, "")
                for row in planned
            ]  # fmt: skip
        return place_rows(changes, site=self.admin_site)

    def progress_data(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the page parts that change, and whether the publication waits no more, as JSON."""
        publication = get_object_or_404(Publication, pk=pk)
        request.current_app = self.admin_site.name
        context = self._context(request, publication)
        # Django's admin keeps it from being cached.
        return JsonResponse(
            {
                "done": context["is_done"],
                "sentence": context["sentence"],
                "title": publication.title,
                "parts": {
                    name: render_to_string(
                        f"admin/nb_catalog/publication/parts/{name}.html", context, request
                    )
                    for name in PARTS
                },
            }
        )

    def publish(self, request: HttpRequest) -> HttpResponse:
        """Choose slot and times for the pictures ``images``, or the approved ones of ``run``, and publish."""
        run = None
        if (key := key_in(request.GET, "run")) is not None:
            run = get_object_or_404(Run, pk=key)
        images = _chosen(request, run)
        form = PublishForm(request.POST if request.method == "POST" else None, images=images)
        if request.method == "POST" and form.is_valid():
            options = dict(form.cleaned_data)
            try:
                publication = publications.request_publication(
                    publications.placed(images, slot=options.pop("slot")),
                    actor=request.user,
                    run=run,
                    title=run.title if run is not None else "",
                    **options,
                )
            except NBCatalogError as error:
                form.add_error(None, list(getattr(error, "objections", ())) or str(error))
            else:
                number = publication.events.count()
                done = ngettext("%d place changed.", "%d places changed.", number) % number
                if publication.state == PublicationState.WAITING:
                    done = gettext(
                        "The files are being made. The pictures are published when all are ready."
                    )
                return self._to(request, publication, done)
        context = self.page_context(
            request,
            title=gettext("Publish pictures"),
            form=form,
            images=[
                (image.pk, thumbnails.thumbnail_url(image, site=self.admin_site))
                for image in images[:MOST_LISTED]
            ],
            count=len(images),
            further=max(0, len(images) - MOST_LISTED),
        )
        return TemplateResponse(request, "admin/nb_catalog/publication/publish.html", context)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, publications.cancel, gettext("Cancelled."))

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        leave_out = "leave_out" in request.POST

        def act(publication: Publication) -> None:
            publications.retry(publication, leave_out=leave_out)

        return self._act(request, pk, act, gettext("It is tried again."))

    def schedule(self, request: HttpRequest, pk: int) -> HttpResponse:
        publication = get_object_or_404(Publication, pk=pk)
        form = TimesForm(request.POST, initial=times_of(publication))

        def act(publication: Publication) -> None:
            times = form.cleaned_data
            if publication.state != PublicationState.WAITING:
                times = {**times, "starts_at": publication.starts_at}
            schedules.reschedule(publication, **times)

        if not form.is_valid():
            errors = " ".join(text for texts in form.errors.values() for text in texts)
            return self._to(request, publication, errors, level=messages.ERROR)
        return self._act(request, pk, act, gettext("The times are saved."))

    def _act(
        self, request: HttpRequest, pk: int, act: Callable[[Publication], None], message: str
    ) -> HttpResponse:
        publication = get_object_or_404(Publication, pk=pk)
        try:
            act(publication)
        except NBCatalogError as error:
            return self._to(request, publication, str(error), level=messages.ERROR)
        return self._to(request, publication, message)

    def _to(
        self,
        request: HttpRequest,
        publication: Publication,
        message: str,
        *,
        level: int = messages.SUCCESS,
    ) -> HttpResponse:
        self.message_user(request, message, level)
        return redirect(self.url_of("change", publication.pk))


def _chosen(request: HttpRequest, run: Run | None) -> list[ProductImage]:
    """Return the approved pictures of ``run``, or those that the address names, in their order."""
    rows = ProductImage.objects.select_related("content_type").prefetch_related(
        thumbnails.RENDITIONS
    )
    if run is not None:
        return list(publications.approved_of(run, rows=rows))
    texts = request.GET.get(IMAGES, "").split(",")[:MAX_IMAGES]
    keys = [int(text) for text in texts if INTEGER_KEY.fullmatch(text)]
    return list(rows.filter(pk__in=keys).order_by("pk"))


def _sentence(publication: Publication, progress: publications.PublicationProgress) -> str:
    """Return where ``publication`` is, as a sentence."""
    values = {"ready": progress.ready, "total": progress.total}
    if publication.undone_at is not None:
        return gettext("Rolled back.")
    if publication.state != PublicationState.WAITING:
        return f"{publication.get_state_display()}."
    if progress.ready < progress.total:
        return (
            ngettext(
                "The files of %(ready)d of %(total)d picture are ready; it is published when all are.",
                "The files of %(ready)d of %(total)d pictures are ready; they are published when all are.",
                progress.total,
            )
            % values
        )
    if publication.starts_at is not None:
        return gettext("Ready. It is published at %(start)s.") % {
            "start": schedules.moment_name(publication.starts_at)
        }
    return gettext("Ready. It is being published.")
