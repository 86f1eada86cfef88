"""The page that makes what is missing of a series: live plan with its price, and start."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import generation
from nb_catalog.admin.changelists import key_in
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview, budget_field
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.admin.generate.views import GenerateViews, nonce_of, plan_context
from nb_catalog.admin.series.actions import keys_in_order
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import RequestMode
from nb_catalog.models import Series
from nb_catalog.registry import is_registered, source_for

# Which members: all, or the first one as a trial, whose picture may become the anchor.
PICTURES: Final = "pictures"
TEXTS: Final = "texts"
ALL: Final = "all"
FIRST: Final = "first"


class SeriesPlanForm(forms.Form):
    """The arguments of ``generation.plan_series``, or the step after it, ``plan_series_texts``, plus a
    budget."""

    step = forms.ChoiceField(
        label=_("Step"),
        choices=[(PICTURES, _("Pictures")), (TEXTS, _("Text on the pictures, free of charge"))],
        required=False,
    )
    members = forms.ChoiceField(
        label=_("Members"),
        choices=[(ALL, _("All members")), (FIRST, _("Only the first one, as a trial"))],
    )
    mode = forms.ChoiceField(label=_("Processing"), choices=RequestMode.choices, required=False)
    budget_usd = budget_field()

    def __init__(self, *args: Any, series: Series, **options: Any) -> None:
        super().__init__(*args, **options)
        self.series = series

    @property
    def radios(self) -> list[forms.BoundField]:
        """Its fields that are choices, without batches where the tier has none."""
        batches = RequestMode.BATCH.value
        has_batches = any(
            tier.name == self.series.tier and batches in tier.modes
            for tier in generate_forms.tier_choices()
        )
        fields = ["members", "mode"] if has_batches else ["members"]
        return [self[name] for name in (["step", *fields] if self.series.layout else fields)]

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``."""
        mode = self.cleaned_data["mode"] or RequestMode.DIRECT.value
        step = self.cleaned_data["step"] if self.series.layout else PICTURES
        options = {"members": self.cleaned_data["members"], "mode": mode, "step": step or PICTURES}
        key = generate_forms.plan_key(
            chosen, {**options, "series": self.series.key, "look": self.series.version}, nonce=nonce
        )
        if step == TEXTS:
            return generation.plan_series_texts(self.series, key=key)
        first = keys_in_order(self.series)[:1] if options["members"] == FIRST else None
        return generation.plan_series(self.series, members=first, mode=options["mode"], key=key)


class SeriesPlanViews(GenerateViews):
    """The page and its plan, as additional pages of ``RunAdmin``."""

    def series_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "series/", self.series, name="series", action=Action.START_RUN, api="series_run"
            ),
            self.page(
                "series/plan/",
                require_POST(self.series_plan),
                name="series_plan",
                action=Action.PLAN,
                api="series_plan series_trial",
            ),
        ]

    def series(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and its plan; POST updates the plan or starts it. Requires permission
        generate."""
        series, chosen = self._planned_series(request)
        if request.method != "POST":
            data = {"members": ALL, "mode": RequestMode.DIRECT.value, "step": PICTURES}
            form = SeriesPlanForm(data, series=series)
            nonce = uuid4().hex
            preview = generate_forms.requested_plan(form, chosen, nonce=nonce)
            return self._series_page(
                request,
                chosen,
                form=form,
                nonce=nonce,
                preview=generate_forms.with_summary(preview),
            )
        form = SeriesPlanForm(request.POST, series=series)
        return self.confirm_or_start(
            request,
            chosen,
            form=form,
            page=self._series_page,
            name="series",
        )

    def series_plan(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        series, chosen = self._planned_series(request)
        form = SeriesPlanForm(request.POST, series=series)
        preview = generate_forms.requested_plan(form, chosen, nonce=nonce_of(request))
        context = plan_context(generate_forms.with_summary(preview), site=self.admin_site)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def _planned_series(self, request: HttpRequest) -> tuple[Series, Selection]:
        """Return the series that the request names, and its members. 404 if there is none,
        ``PermissionDenied`` unless the user may generate pictures and view the products."""
        if not may(request.user, Action.VIEW_SERIES):
            raise PermissionDenied
        key = key_in(request.POST if request.method == "POST" else request.GET, "key")
        rows = Series.objects.select_related("anchor", "scene", "content_type", "layout", "deck")
        series = rows.filter(pk=key).first()
        model = None if series is None else series.content_type.model_class()
        if series is None or model is None or not is_registered(model):
            raise Http404
        if not may(request.user, Action.PLAN, model=source_for(series.label).model):
            raise PermissionDenied
        members = series.members.filter(removed_at=None).order_by("position", "pk")
        keys = tuple(dict.fromkeys(members.values_list("object_id", flat=True)))
        return series, Selection(token="", label=series.label, keys=keys)

    def _series_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: SeriesPlanForm,
        nonce: str,
        preview: PlanPreview | None = None,
    ) -> HttpResponse:
        text_step = None
        if form.series.layout is not None:
            # How many texts can be set now, and how many after their pictures.
            summary = generation.plan_series_texts(form.series).summary()
            impossible = summary.count_of(generation.ItemStatus.IMPOSSIBLE)
            text_step = {"now": summary.wanted, "later": impossible}
        context = self.page_context(
            request,
            title=gettext("Make what is missing of “%(name)s”") % {"name": form.series.name},
            form=form,
            nonce=nonce,
            series=form.series,
            text_step=text_step,
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/series.html", context)
