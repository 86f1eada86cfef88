"""The page that makes pictures of the products' own photos: ratio, slot, live plan and start."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import generation
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview
from nb_catalog.admin.generate.like import Liked, liked
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.admin.generate.views import (
    LIVE_UP_TO,
    GenerateViews,
    nonce_of,
    plan_context,
)
from nb_catalog.core.permissions import Action
from nb_catalog.generation.similar import PlanKind
from nb_catalog.providers import model_specs
from nb_catalog.registry import CatalogSource


class PhotoForm(forms.Form):
    """The arguments of ``generation.plan_photos``."""

    slot = forms.ChoiceField(label=_("To be published in"), required=False)
    ratio = forms.ChoiceField(
        label=_("Aspect ratio"),
        required=False,
        help_text=_(
            "A photo is cropped around its product where that can be seen, otherwise in the middle. A "
            "product that can be seen is never cut: its photo is listed as not possible."
        ),
    )
    every = forms.BooleanField(
        label=_("Every photo of a product, not only the first one"), required=False
    )

    def __init__(self, *args: Any, source: CatalogSource, **options: Any) -> None:
        super().__init__(*args, **options)
        slots = source.slot_table.values()
        # Those of slots first; not all of them are ratios that models make.
        self.ratios = tuple(
            dict.fromkeys([*(each.ratio for each in slots if each.ratio), *model_specs.RATIOS])
        )
        self.fields["ratio"].choices = [
            ("", _("As the slot, otherwise the whole photo")),
            *((ratio, ratio) for ratio in self.ratios),
        ]
        self.fields["slot"].choices = [
            ("", _("Any slot")),
            *(
                (each.name, f"{each.name} ({each.ratio})" if each.ratio else each.name)
                for each in slots
            ),
        ]

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``."""
        key = generate_forms.plan_key(chosen, {**self.cleaned_data, "photos": True}, nonce=nonce)
        return generation.plan_photos(chosen.products(), **self.cleaned_data, key=key)


class PhotoViews(GenerateViews):
    """The page and its plan, as additional pages of ``RunAdmin``."""

    def photo_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "photos/", self.photos, name="photos", action=Action.START_RUN, api="run_photos"
            ),
            self.page(
                "photos/plan/",
                require_POST(self.photos_plan),
                name="photos_plan",
                action=Action.PLAN,
                api="plan_photos",
            ),
        ]

    def photos(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and its plan; POST updates the plan or starts it. Requires permission
        generate."""
        chosen = self._chosen(request)
        if chosen is None or not len(chosen):
            return self.nothing_chosen(request, title=gettext("Use the photos themselves"))
        if request.method != "POST":
            like = liked(request, kind=PlanKind.PHOTOS)
            form = PhotoForm(source=chosen.source, initial=like.initial if like else {})
            return self._photos_page(request, chosen, form=form, nonce=uuid4().hex, like=like)
        form = PhotoForm(request.POST, source=chosen.source)
        return self.confirm_or_start(
            request,
            chosen,
            form=form,
            page=self._photos_page,
            name="photos",
        )

    def photos_plan(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        form = PhotoForm(request.POST, source=chosen.source)
        preview = generate_forms.requested_plan(form, chosen, nonce=nonce_of(request))
        context = plan_context(generate_forms.with_summary(preview), site=self.admin_site)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def _photos_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: PhotoForm,
        nonce: str,
        preview: PlanPreview | None = None,
        like: Liked | None = None,
    ) -> HttpResponse:
        context = self.page_context(
            request,
            title=gettext("Use the photos themselves"),
            form=form,
            nonce=nonce,
            like=like,
            ratios=list(generate_forms.ratio_choices(form.ratios)),
            live=len(chosen) <= LIVE_UP_TO,
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/photos.html", context)
