"""The page that plans an experiment: products, two scenes or prompts, price, start."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from nb_catalog import generation
from nb_catalog.admin.experiments.forms import ExperimentForm, ExperimentPreview
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview
from nb_catalog.admin.generate.selection import Selection, load_selection
from nb_catalog.admin.generate.views import (
    LIVE_UP_TO,
    GenerateViews,
    confirmed_price,
    first_ratio,
    nonce_of,
    plan_context,
    with_photos_requested,
)
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import Experiment, Scene
from nb_catalog.registry import CatalogSource, registered

FIRST_SAMPLE = 12


class PlanningViews(GenerateViews):
    """The page and its plan, as additional pages of ``ExperimentAdmin``."""

    def planning_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "add/",
                self.plan_page,
                name="add",
                action=Action.PLAN_EXPERIMENT,
                api="experiment_create",
            ),
            self.page(
                "add/plan/",
                require_POST(self.plan_of_form),
                name="plan",
                action=Action.PLAN_EXPERIMENT,
                api="plan_experiments",
            ),
        ]

    def plan_page(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST updates the plan or starts it. Requires permission generate."""
        sources, chosen = self._sources(request), self._chosen_products(request)
        if request.method != "POST":
            form = self._form(chosen, sources, initial=self._initial(request, chosen, sources))
            return self._plan_page(request, chosen, form=form, nonce=uuid4().hex)
        form = self._form(chosen, sources, request.POST)
        page = {"form": form, "nonce": nonce_of(request)}
        if "load" in request.POST:
            data = request.POST.copy()
            data["prompt"], data["scene_b"] = form.current_prompt(), ""
            return self._plan_page(
                request, chosen, form=self._form(chosen, sources, data), nonce=nonce_of(request)
            )
        preview = self._preview(form, chosen, nonce=nonce_of(request))
        if "start" not in request.POST or preview.plan is None:
            return self._plan_page(request, chosen, preview=with_photos_requested(preview), **page)
        started = Experiment.objects.filter(run__plan_key=preview.plan.key).first()
        if started is not None:
            return redirect(self.url_of("vote", started.pk))
        preview = generate_forms.with_summary(preview)
        if not preview.can_start:
            return self._plan_page(request, chosen, preview=preview, **page)
        if confirmed_price(request) < preview.summary.price_usd and preview.summary.price_usd:
            return self.confirm_page(
                request,
                self._planned(form, chosen),
                form=form,
                preview=preview,
                name="add",
            )
        try:
            experiment = generation.start_experiment(
                preview.plan,
                name=form.cleaned_data["name"],
                actor=request.user,
                budget_usd=preview.budget_usd,
            )
        except RequestRefused as refusal:
            preview = ExperimentPreview(objections=refusal.objections)
            return self._plan_page(request, chosen, preview=preview, **page)
        if experiment.run is not None:
            self.inform_if_asked(request, experiment.run)
        message = gettext("Started. You can vote as soon as both pictures of a product are there.")
        self.message_user(request, message, messages.SUCCESS)
        return redirect(self.url_of("vote", experiment.pk))

    def plan_of_form(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        sources, chosen = self._sources(request), self._chosen_products(request)
        form = self._form(chosen, sources, request.POST)
        preview = with_photos_requested(self._preview(form, chosen, nonce=nonce_of(request)))
        context = plan_context(preview, site=self.admin_site)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def _sources(self, request: HttpRequest) -> list[CatalogSource]:
        """Return the sources whose products the user may plan. Raises ``PermissionDenied`` for none."""
        sources = [
            each
            for each in registered().values()
            if may(request.user, Action.PLAN, model=each.model)
        ]
        if not sources:
            raise PermissionDenied
        return sources

    def _chosen_products(self, request: HttpRequest) -> Selection | None:
        data = request.POST if request.method == "POST" else request.GET
        chosen = load_selection(request, data.get("selection", ""))
        return chosen if chosen is not None and len(chosen) else None

    def _form(
        self, chosen: Selection | None, sources: list[CatalogSource], *data: Any, **options: Any
    ) -> ExperimentForm:
        return ExperimentForm(*data, sources=sources, is_selected=chosen is not None, **options)

    def _initial(
        self, request: HttpRequest, chosen: Selection | None, sources: list[CatalogSource]
    ) -> dict[str, Any]:
        source = chosen.source if chosen else sources[0]
        scene = Scene.objects.filter(key=request.GET.get("scene", ""), is_active=True).first()
        tiers = [each.name for each in generate_forms.tier_choices() if not each.problem]
        initial = {
            "ratio": first_ratio(source),
            "tier": tiers[0] if tiers else "",
            "sample": None if chosen and len(chosen) <= FIRST_SAMPLE else FIRST_SAMPLE,
            "seed": uuid4().int % 10_000,
        }
        if scene is None:
            return initial
        return {**initial, "scene_a": scene.key, "prompt": scene.prompt}

    def _planned(self, form: ExperimentForm, chosen: Selection | None) -> Selection:
        """Return the products to draw from: those that were selected, or all of a model."""
        if chosen is not None:
            return chosen
        label = form.cleaned_data["model"]
        source = next(each for each in registered().values() if each.label == label)
        keys = source.queryset().order_by("pk").values_list("pk", flat=True)
        return Selection(token="", label=label, keys=tuple(map(str, keys)))

    def _preview(
        self, form: ExperimentForm, chosen: Selection | None, *, nonce: str
    ) -> ExperimentPreview:
        # Errors of the form are found before all products of a model are looked up.
        products = self._planned(form, chosen) if form.is_valid() else chosen
        return ExperimentPreview.of(generate_forms.requested_plan(form, products, nonce=nonce))

    def _plan_page(
        self,
        request: HttpRequest,
        chosen: Selection | None,
        *,
        form: ExperimentForm,
        nonce: str,
        preview: PlanPreview | None = None,
    ) -> HttpResponse:
        context = self.page_context(
            request,
            title=gettext("Compare two scenes or prompts"),
            form=form,
            nonce=nonce,
            # The products of a whole model are looked up on demand.
            live=chosen is not None and len(chosen) <= LIVE_UP_TO,
            **(self._chosen_context(chosen) if chosen else {}),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/experiment/new.html", context)
