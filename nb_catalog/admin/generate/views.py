"""The page on which pictures are asked for: wishes, a live plan, a deliberate start."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth import get_permission_codename
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
from nb_catalog.admin.generate import forms, selection
from nb_catalog.admin.generate.forms import GenerateForm, PlanForm, PlanPreview
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import NotRegistered, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import Run
from nb_catalog.registry import source_for

SHOWN: Final = 6
# Above this the plan is worked out on demand: every keystroke would read the whole catalog.
LIVE_UP_TO: Final = 3000


class GenerateViews:
    """The generate page and its plan, as further pages of ``RunAdmin``."""

    def generate_urls(self) -> list[URLPattern]:
        return [
            self.page("generate/", self.generate, name="generate"),
            self.page("generate/plan/", require_POST(self.plan_fragment), name="plan"),
            self.page("generate/sent/", require_POST(self.sent_fragment), name="sent"),
        ]

    def generate(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST updates the plan or starts it. Permission generate."""
        may_generate(request)
        chosen = self._chosen(request)
        if chosen is None or not len(chosen):
            return self._nothing_chosen(request, title=gettext("Generate pictures"))
        if request.method != "POST":
            return self._form_page(request, chosen, form=GenerateForm(), nonce=uuid4().hex)
        return self._answer(request, chosen)

    def plan_fragment(self, request: HttpRequest) -> HttpResponse:
        """The plan of the posted wishes, as the piece of page that shows it."""
        may_generate(request)
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        preview = _preview(request, GenerateForm(request.POST), chosen)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", plan_context(preview))

    def sent_fragment(self, request: HttpRequest) -> HttpResponse:
        """What would be sent for the posted wishes, as the piece of page that shows it."""
        may_generate(request)
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        asked = forms.requested_plan(GenerateForm(request.POST), chosen, nonce=nonce_of(request))
        return TemplateResponse(request, "admin/nb_catalog/run/sent.html", _sent_context(asked))

    def _answer(self, request: HttpRequest, chosen: Selection) -> HttpResponse:
        form = GenerateForm(request.POST)
        if "sent" in request.POST:
            preview = forms.requested_plan(form, chosen, nonce=nonce_of(request))
            return self._form_page(
                request, chosen, form=form, nonce=nonce_of(request), **_sent_context(preview)
            )
        return self._carried_on(request, chosen, form=form, page=self._form_page, name="generate")

    def _carried_on(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: PlanForm,
        page: Callable[..., HttpResponse],
        name: str,
    ) -> HttpResponse:
        """Update the plan of ``page``, whose address has this ``name``, or start it: at once where it
        costs nothing, else once somebody has said yes to the price."""
        shown = {"form": form, "nonce": nonce_of(request)}
        asked = forms.requested_plan(form, chosen, nonce=nonce_of(request))
        if "start" not in request.POST:
            return page(request, chosen, preview=forms.with_summary(asked), **shown)
        started = started_before(asked)
        if started is not None:
            return self._to_run(request, started, again=True)
        # A price need not be worked out; one picture to make is enough to begin.
        preview = asked if asked.costs_nothing else forms.with_summary(asked)
        if not preview.costs_nothing:
            if not preview.can_start:
                return page(request, chosen, preview=preview, **shown)
            if _agreed(request) < preview.summary.price_usd:
                return self._confirm_page(request, chosen, form=form, preview=preview, name=name)
        try:
            run = runs.start_run(
                preview.plan, actor=request.user, budget_usd=preview.budget_usd, priority=None
            )
        except RequestRefused as refusal:
            return page(
                request, chosen, preview=PlanPreview(objections=refusal.objections), **shown
            )
        return self._to_run(request, run)

    def _to_run(self, request: HttpRequest, run: Run, *, again: bool = False) -> HttpResponse:
        said = (
            gettext("This plan has already been started. This is its run.")
            if again
            else gettext("Started. Pictures appear below as they are generated.")
        )
        self.message_user(request, said, messages.INFO if again else messages.SUCCESS)
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
            **plan_context(preview),
            **more,
        )
        return TemplateResponse(request, "admin/nb_catalog/run/generate.html", context)

    def _confirm_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: PlanForm,
        preview: PlanPreview,
        name: str,
    ) -> HttpResponse:
        kept = [
            (field, value)
            for field in (*form.fields, "nonce", "selection", "model", "key")
            for value in request.POST.getlist(field)
        ]
        context = self.page_context(
            request,
            title=gettext("Spend up to %s?") % preview.price,
            kept=kept,
            confirm_url=self.url_of(name),
            agreed=str(preview.summary.price_usd),
            **self._chosen_context(chosen),
            **plan_context(preview),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/confirm.html", context)

    def _nothing_chosen(self, request: HttpRequest, *, title: str) -> HttpResponse:
        context = self.page_context(request, title=title)
        return TemplateResponse(request, "admin/nb_catalog/run/nothing_chosen.html", context)

    def _chosen(self, request: HttpRequest) -> Selection | None:
        """From the session, or one object that the address names."""
        asked = request.POST if request.method == "POST" else request.GET
        if "key" in asked:
            return _single(asked.get("model", ""), key=asked["key"], user=request.user)
        return selection.selection(request, asked.get("selection", ""))

    def _chosen_context(self, chosen: Selection) -> dict[str, Any]:
        first = list(chosen.products(limit=SHOWN).iterator())
        return {
            "chosen": chosen,
            "chosen_model": chosen.source.model._meta,
            "first_chosen": [
                catalog_objects.of_product(each, site=self.admin_site) for each in first
            ],
            "further_chosen": max(0, len(chosen) - len(first)),
        }


def _single(label: str, *, key: str, user: Any) -> Selection | None:
    """One product by its address, for those who may see it. A selection in the session was made
    on a list that the person saw."""
    try:
        source = source_for(label)
        primary = source.model._meta.pk
        primary.run_validators(primary.to_python(key))
    except (NotRegistered, ValidationError):
        return None
    model = source.model._meta
    if not any(
        user.has_perm(f"{model.app_label}.{get_permission_codename(action, model)}")
        for action in ("view", "change")
    ):
        raise PermissionDenied
    return Selection(token="", label=source.label, keys=(key,))


def may_generate(request: HttpRequest) -> None:
    if not request.user.has_perm(Permission.GENERATE):
        raise PermissionDenied


def nonce_of(request: HttpRequest) -> str:
    return request.POST.get("nonce", "")


def _agreed(request: HttpRequest) -> Decimal:
    """The price that a person said yes to; nothing counts as less than any price."""
    try:
        agreed = Decimal(request.POST.get("agreed_usd", "-1"))
    except InvalidOperation:
        return Decimal(-1)
    return agreed if agreed.is_finite() else Decimal(-1)


def _preview(request: HttpRequest, form: GenerateForm, chosen: Selection) -> PlanPreview:
    return forms.with_summary(forms.requested_plan(form, chosen, nonce=nonce_of(request)))


def started_before(preview: PlanPreview) -> Run | None:
    return Run.objects.filter(plan_key=preview.plan.key).first() if preview.plan else None


def _sent_context(preview: PlanPreview) -> dict[str, Any]:
    """Requests as they would go out; a provider that renders here sends none."""
    found = generation.preview_requests(preview.plan) if preview.plan else []
    names = {scene.key: scene.name for scene in preview.plan.planner.scenes} if preview.plan else {}
    shown = [
        {
            "sending": each,
            "scene": names[each.scene],
            "body": json.dumps(each.body, indent=2, ensure_ascii=False, default=str),
        }
        for each in found
    ]
    return {"sent": shown, "sent_objections": preview.objections, "sent_asked": True}


def plan_context(preview: PlanPreview | None) -> dict[str, Any]:
    context: dict[str, Any] = {"preview": preview}
    if preview is not None and preview.summary is not None:
        context["takes"] = duration(preview.summary.seconds)
        context["budget"] = None if preview.budget_usd is None else dollars(preview.budget_usd)
        context["problems"] = sorted(preview.summary.problems.items(), key=lambda each: -each[1])[
            :10
        ]
    return context
