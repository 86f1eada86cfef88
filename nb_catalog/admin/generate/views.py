"""The page that generates pictures: options, live plan, confirmation and start."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import uuid4

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from nb_catalog import generation
from nb_catalog.admin import catalog_objects
from nb_catalog.admin.formatting import dollars, duration
from nb_catalog.admin.generate import forms
from nb_catalog.admin.generate.forms import GenerateForm, PlanForm, PlanPreview
from nb_catalog.admin.generate.like import liked
from nb_catalog.admin.generate.photos import photo_context
from nb_catalog.admin.generate.selection import Selection, load_selection
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NotRegistered, RequestRefused
from nb_catalog.generation import run_notices, runs
from nb_catalog.generation.similar import PlanKind
from nb_catalog.models import Run
from nb_catalog.providers import model_specs
from nb_catalog.registry import CatalogSource, source_for

# Selected products listed on the page.
MAX_LISTED: Final = 6
# The box of the plan page that has an e-mail sent.
NOTIFY: Final = "notify"
# Above this, the plan is calculated on demand: every keystroke would read the whole catalog.
LIVE_UP_TO: Final = 3000


class GenerateViews:
    """The generate page and its plan, as additional pages of ``RunAdmin``."""

    def generate_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "generate/",
                self.generate,
                name="generate",
                action=Action.START_RUN,
                api="run_create",
            ),
            self.page(
                "generate/plan/",
                require_POST(self.plan_fragment),
                name="plan",
                action=Action.PLAN,
                api="plan_create",
            ),
            self.page(
                "generate/sent/",
                require_POST(self.sent_fragment),
                name="sent",
                action=Action.PLAN,
                api="plan_preview",
            ),
        ]

    def page_context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """Return the context of a page, with whether an e-mail at the end of a run can be asked for."""
        is_posted = request.method == "POST"
        notify = {
            "is_offered": run_notices.can_inform(request.user),
            "is_ticked": NOTIFY in request.POST if is_posted else run_notices.inform_by_default(),
        }
        return super().page_context(request, notify=notify, **context)

    def generate(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST updates the plan or starts it. Requires permission generate."""
        chosen = self._chosen(request)
        if chosen is None or not len(chosen):
            return self.nothing_chosen(request, title=gettext("Generate pictures"))
        if request.method != "POST":
            like, query = liked(request, kind=PlanKind.BACKGROUNDS), request.GET
            initial = {"ratio": first_ratio(chosen.source), **(like.initial if like else {})}
            # What the address of the page already chooses.
            initial |= {name: query[name] for name in ("ratio", "treatment") if query.get(name)}
            if "scenes" in query:
                initial["scenes"] = query.getlist("scenes")
            form = GenerateForm(initial=initial, chosen=chosen)
            return self._form_page(request, chosen, form=form, nonce=uuid4().hex, like=like)
        form = GenerateForm(request.POST, chosen=chosen)
        if "sent" in request.POST:
            preview = forms.requested_plan(form, chosen, nonce=nonce_of(request))
            context = sent_context(preview)
            return self._form_page(request, chosen, form=form, nonce=nonce_of(request), **context)
        return self.confirm_or_start(
            request,
            chosen,
            form=form,
            page=self._form_page,
            name="generate",
        )

    def plan_fragment(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        form = GenerateForm(request.POST, chosen=chosen)
        preview = forms.requested_plan(form, chosen, nonce=nonce_of(request))
        context = plan_context(with_photos_requested(preview), site=self.admin_site)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def sent_fragment(self, request: HttpRequest) -> HttpResponse:
        """Return the requests that the posted form would send, as an HTML fragment."""
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        form = GenerateForm(request.POST, chosen=chosen)
        preview = forms.requested_plan(form, chosen, nonce=nonce_of(request))
        return TemplateResponse(request, "admin/nb_catalog/run/sent.html", sent_context(preview))

    def confirm_or_start(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: PlanForm,
        page: Callable[..., HttpResponse],
        name: str,
    ) -> HttpResponse:
        """Update the plan of ``page``, whose URL has this ``name``, or start it.

        Free plans start immediately, others once the user has confirmed the price.
        """
        fields = {"form": form, "nonce": nonce_of(request)}
        preview = forms.requested_plan(form, chosen, nonce=nonce_of(request))
        if "start" not in request.POST:
            return page(request, chosen, preview=with_photos_requested(preview), **fields)
        if preview.plan is not None:
            existing = Run.objects.filter(plan_key=preview.plan.key).first()
            if existing is not None:
                return self._redirect_to_run(request, existing, again=True)
        # A free plan needs no summary: one picture to generate is enough to start.
        if not preview.costs_nothing:
            preview = forms.with_summary(preview)
            if not preview.can_start:
                return page(request, chosen, preview=preview, **fields)
            if confirmed_price(request) < preview.summary.price_usd:
                return self.confirm_page(request, chosen, form=form, preview=preview, name=name)
        try:
            run = runs.start_run(
                preview.plan, actor=request.user, budget_usd=preview.budget_usd, priority=None
            )
        except RequestRefused as refusal:
            return page(
                request, chosen, preview=PlanPreview(objections=refusal.objections), **fields
            )
        self.inform_if_asked(request, run)
        return self._redirect_to_run(request, run)

    def inform_if_asked(self, request: HttpRequest, run: Run) -> None:
        if NOTIFY in request.POST:
            url = request.build_absolute_uri(self.url_of("change", run.pk, model="run"))
            generation.inform(run, url=url)

    def _redirect_to_run(
        self, request: HttpRequest, run: Run, *, again: bool = False
    ) -> HttpResponse:
        message = (
            gettext("This plan has already been started. This is its run.")
            if again
            else gettext("Started. Pictures appear below as they are generated.")
        )
        self.message_user(request, message, messages.INFO if again else messages.SUCCESS)
        return redirect(self.url_of("change", run.pk))

    def _form_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: GenerateForm,
        nonce: str,
        preview: PlanPreview | None = None,
        **more: Any,
    ) -> HttpResponse:
        context = self.page_context(
            request,
            title=gettext("Generate pictures"),
            form=form,
            nonce=nonce,
            scenes=form.scene_choices(site=self.admin_site),
            chosen_scenes=form["scenes"].value() or [],
            ratios=list(forms.ratio_choices()),
            live=len(chosen) <= LIVE_UP_TO,
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
            **more,
        )
        return TemplateResponse(request, "admin/nb_catalog/run/generate.html", context)

    def confirm_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: PlanForm,
        preview: PlanPreview,
        name: str,
    ) -> HttpResponse:
        hidden_fields = [
            (field, value)
            for field in (*form.fields, "nonce", "selection", "model", "key", NOTIFY)
            for value in request.POST.getlist(field)
        ]
        context = self.page_context(
            request,
            title=gettext("Spend up to %s?") % preview.price,
            hidden_fields=hidden_fields,
            confirm_url=self.url_of(name),
            agreed=str(preview.summary.price_usd),
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/confirm.html", context)

    def nothing_chosen(self, request: HttpRequest, *, title: str) -> HttpResponse:
        context = self.page_context(request, title=title)
        return TemplateResponse(request, "admin/nb_catalog/run/nothing_chosen.html", context)

    def _chosen(self, request: HttpRequest) -> Selection | None:
        """Return the selection from the session, or the single object given by "model" and "key"."""
        data = request.POST if request.method == "POST" else request.GET
        if "key" in data:
            return single_selection(
                data.get("model", ""), key=data["key"], user=request.user, site=self.admin_site
            )
        return load_selection(request, data.get("selection", ""))

    def _chosen_context(self, chosen: Selection) -> dict[str, Any]:
        first = list(chosen.products(limit=MAX_LISTED).iterator())
        return {
            "chosen": chosen,
            "chosen_model": chosen.source.model._meta,
            "first_chosen": [
                catalog_objects.info_for_product(each, site=self.admin_site) for each in first
            ],
            "further_chosen": max(0, len(chosen) - len(first)),
        }


def single_selection(label: str, *, key: str, user: Any, site: AdminSite) -> Selection | None:
    """Return a selection of one product; None if it cannot exist.

    Raises ``PermissionDenied`` unless ``user`` may view the product, or choose it in the frame of another
    application. Stored selections need no such check: they were made on a list that the user could see.
    """
    try:
        source = source_for(label)
        primary = source.model._meta.pk
        primary.run_validators(primary.to_python(key))
    except (NotRegistered, ValidationError):
        return None
    if hasattr(site, "choosable"):
        is_allowed = site.choosable(source.queryset().filter(pk=key), user=user).exists()
    else:
        is_allowed = may(user, Action.PLAN, model=source.model)
    if not is_allowed:
        raise PermissionDenied
    return Selection(token="", label=source.label, keys=(key,))


def first_ratio(source: CatalogSource) -> str:
    """Return the ratio that is suggested: that of the first slot with one that models make."""
    ratios = [slot.ratio for slot in source.slot_table.values() if slot.ratio in model_specs.RATIOS]
    return ratios[0] if ratios else "1:1"


def nonce_of(request: HttpRequest) -> str:
    return request.POST.get("nonce", "")


def confirmed_price(request: HttpRequest) -> Decimal:
    """Return the price that the user confirmed, in USD; -1, below any price, if there is none."""
    try:
        price = Decimal(request.POST.get("agreed_usd", "-1"))
    except InvalidOperation:
        return Decimal(-1)
    return price if price.is_finite() else Decimal(-1)


def sent_context(preview: PlanPreview) -> dict[str, Any]:
    """Return the context of the request preview. Local providers send nothing."""
    requests = generation.preview_requests(preview.plan) if preview.plan else []
    names = {scene.key: scene.name for scene in preview.plan.planner.scenes} if preview.plan else {}
    previews = [
        {
            "request": each,
            "scene": names[each.scene],
            "body": json.dumps(each.body, indent=2, ensure_ascii=False, default=str),
        }
        for each in requests
    ]
    return {"sent": previews, "sent_objections": preview.objections, "show_sent": True}


def with_photos_requested(preview: PlanPreview) -> PlanPreview:
    """Return ``preview`` with its numbers, and have the photos cut out that it stands on."""
    preview = forms.with_summary(preview)
    if preview.plan is not None:
        generation.request_cutouts(preview.plan)
    return preview


def plan_context(preview: PlanPreview | None, *, site: AdminSite) -> dict[str, Any]:
    """Return the context of the plan fragment, with the ten most frequent problems."""
    context: dict[str, Any] = {"preview": preview}
    if preview is not None and preview.summary is not None:
        context["photos"] = photo_context(preview.summary.photos, site=site)
        context["takes"] = duration(preview.summary.seconds)
        context["budget"] = None if preview.budget_usd is None else dollars(preview.budget_usd)
        context["problems"] = sorted(preview.summary.problems.items(), key=lambda each: -each[1])[
            :10
        ]
    return context
