"""The page that exports pictures: which, under which names, and what sales channels say about them."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import export, tasks
from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import AdminPages
from nb_catalog.admin.changelists import INTEGER_KEY, key_in
from nb_catalog.core.channels import channels
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.export import background
from nb_catalog.export.names import FIELDS, LONGEST_PATTERN
from nb_catalog.export.types import (
    DEFAULT_PATTERN,
    FORMATS,
    LEAST_SIDE,
    MOST_SIDE,
    ORIGINAL,
    ExportedPicture,
)
from nb_catalog.export.web import (
    MOST_IN_REQUEST,
    archive_response,
    export_response,
    plan_for_web,
)
from nb_catalog.models import ProductImage
from nb_catalog.models.exports import ExportState

IMAGES: Final = "images"
PLACEMENTS: Final = "placements"
# Names that the page shows.
MOST_SHOWN: Final = 12
# For checks before the download, which does them again.
CHECK_SECONDS: Final = 8.0
LEVELS: Final[Mapping[str, Any]] = {
    export.Level.FAILS: _("Fails"),
    export.Level.ADVICE: _("Advice"),
    export.Level.UNCHECKED: _("Not checked"),
}

_ORDER: Final = tuple(LEVELS)


class ExportForm(forms.Form):
    """Names, format, size and channels of an export."""

    pattern = forms.CharField(
        label=_("Names"), initial=DEFAULT_PATTERN, max_length=LONGEST_PATTERN, strip=True
    )
    format = forms.ChoiceField(label=_("Format"), initial=ORIGINAL)
    longest_side = forms.IntegerField(
        label=_("Longest side"),
        required=False,
        min_value=LEAST_SIDE,
        max_value=MOST_SIDE,
        help_text=_(
            "Pixels. Larger pictures are scaled down, none is enlarged. Empty: as they are."
        ),
    )
    number = forms.BooleanField(
        label=_("Number files that would have the same name"), required=False
    )
    channels = forms.MultipleChoiceField(
        label=_("Check the rules of"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["pattern"].help_text = gettext("Fields: %(fields)s. A / makes folders.") % {
            "fields": ", ".join(f"{{{name}}}" for name in FIELDS)
        }
        self.fields["format"].choices = [
            (each, gettext("As stored") if each == ORIGINAL else each.upper()) for each in FORMATS
        ]
        self.fields["channels"].choices = [(each.key, each.name) for each in channels().values()]

    @property
    def options(self) -> export.ExportOptions:
        values = dict(self.cleaned_data)
        return export.ExportOptions(**values | {"channels": tuple(values["channels"])})


class ExportViews(AdminPages):
    """The page of exports, as an additional page of ``ProductImageAdmin``."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.EXPORT)

    def export_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "export/",
                self.export_page,
                name="export",
                action=Action.EXPORT,
                api="export_create export_preview export_list export_retrieve",
            ),
            self.page(
                "export/<int:pk>/",
                require_GET(self.export_file),
                name="export_file",
                action=Action.EXPORT,
                api="export_download",
            ),
            self.page(
                "export/<int:pk>/delete/",
                require_POST(self.export_delete),
                name="export_delete",
                action=Action.EXPORT,
                api="export_destroy",
            ),
        ]

    def export_page(self, request: HttpRequest) -> HttpResponseBase:
        """Show what would be exported; with ``download``, send the ZIP; with ``background``, have it made."""
        if "chosen" in request.POST:
            query = urlencode({IMAGES: ",".join(request.POST.getlist("chosen"))})
            return redirect(f"{self.url_of('export')}?{query}")
        form = ExportForm(request.POST if request.method == "POST" else None)
        is_valid = form.is_bound and form.is_valid()
        options = form.options if is_valid else export.ExportOptions()
        plan, objections, pictures = None, [], []
        try:
            pictures = _chosen(request)
            if is_valid and "background" in request.POST:
                export.request_export(pictures, options, actor=request.user)
                tasks.wake_up()
                self.message_user(request, gettext("A worker makes the ZIP. It is listed below."))
                return redirect(request.get_full_path())
            # More than a page exports are for a worker, which says what is wrong with them.
            if len(pictures) <= MOST_IN_REQUEST:
                plan = plan_for_web(pictures, options)
                if is_valid and "download" in request.POST:
                    return archive_response(request, plan)
            elif "download" in request.POST:
                plan_for_web(pictures, options)
        except NBCatalogError as error:
            objections = list(getattr(error, "objections", ())) or [str(error)]
        context = self.page_context(
            request,
            title=gettext("Export pictures"),
            form=form,
            objections=objections,
            count=len(pictures),
            is_large=len(pictures) > MOST_IN_REQUEST,
            exports=background.existing(actor=request.user).defer("pictures")[:MOST_SHOWN],
        )
        if plan is not None:
            context |= self._preview(plan, with_checks=is_valid and bool(options.channels))
        return TemplateResponse(request, "admin/nb_catalog/productimage/export.html", context)

    def export_file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send the ZIP that a worker has made."""
        row = get_object_or_404(background.existing(actor=request.user), pk=pk)
        if row.state != ExportState.READY:
            raise Http404
        try:
            return export_response(request, row)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self.url_of("export"))

    def export_delete(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete an export of a worker, with its file. One that is being made is cancelled."""
        row = get_object_or_404(background.existing(actor=request.user), pk=pk)
        try:
            background.delete(row)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, gettext("The export is deleted."))
        # Back to the pictures that are chosen there.
        return redirect(f"{self.url_of('export')}?{request.GET.urlencode()}")

    def _preview(self, plan: export.ExportPlan, *, with_checks: bool) -> dict[str, Any]:
        """Return the first names, and what the channels say about as many files as there is time for."""
        first = plan.files[:MOST_SHOWN]
        names = channels()
        until, checked, results = monotonic() + CHECK_SECONDS, 0, []
        failing = dict.fromkeys(plan.options.channels, 0)
        for each in export.checked_files(plan) if with_checks else ():
            checked += 1
            if isinstance(each, export.LeftOut):
                results.append(
                    (each.image, each.name, [(LEVELS["fails"], "fails", "", each.reason)])
                )
            else:
                for key in {f.channel for f in each.findings if f.level is export.Level.FAILS}:
                    failing[key] += 1
                rows = [
                    (LEVELS[f.level], str(f.level), names[f.channel].name, str(f))
                    for f in sorted(each.findings, key=lambda found: _ORDER.index(found.level))
                ]
                results.append((each.record["image"], each.name, rows))
            if monotonic() >= until:
                break
        keys = {file.picture.image for file in first} | {image for image, *_rest in results}
        images = ProductImage.objects.prefetch_related(thumbnails.RENDITIONS).in_bulk(sorted(keys))
        shown = results or [(file.picture.image, file.stem, None) for file in first]
        return {
            "further": len(plan.files) - len(shown),
            "checked": checked,
            "failing": [(names[key].name, number) for key, number in failing.items()],
            "files": [
                (
                    thumbnails.thumbnail_url(images[image], site=self.admin_site)
                    if image in images
                    else "",
                    name,
                    findings,
                )
                for image, name, findings in shown
            ],
        }


def _chosen(request: HttpRequest) -> list[ExportedPicture]:
    """Return the pictures that the address names: by their keys, by those of placements, the approved ones of
    a run or a series, or all that are ``published``, in the slots that it names."""
    if "published" in request.GET:
        return export.published(slots=request.GET.getlist("slot"))
    images, placements = (
        [int(each) for each in request.GET.get(name, "").split(",") if INTEGER_KEY.fullmatch(each)]
        for name in (IMAGES, PLACEMENTS)
    )
    if placements:
        return export.published(placements=placements)
    if (run := key_in(request.GET, "run")) is not None:
        return export.approved(run=run)
    if series := request.GET.get("series", ""):
        return export.approved(series=series)
    return export.chosen(images)


def to_export(admin: Any, request: HttpRequest, placements: QuerySet) -> HttpResponse | None:
    """Go to the page that exports ``placements``; None, with a message, if they are too many."""
    keys = list(placements.order_by("pk").values_list("pk", flat=True)[: MOST_IN_REQUEST + 1])
    if len(keys) > MOST_IN_REQUEST:
        message = gettext("At most %(most)s pictures at once. Select fewer.")
        admin.message_user(request, message % {"most": MOST_IN_REQUEST}, messages.WARNING)
        return None
    query = urlencode({PLACEMENTS: ",".join(map(str, keys))})
    return redirect(f"{admin.url_of('export', model='productimage')}?{query}")
