"""The page that adds text to pictures: layouts, languages, live plan and start.

Typeset text is free; text painted by a model is not.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from nb_catalog.admin import thumbnails
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview, SceneChoice
from nb_catalog.admin.generate.like import Liked, liked
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.admin.generate.views import (
    LIVE_UP_TO,
    GenerateViews,
    nonce_of,
    plan_context,
)
from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import OWN_PHOTO, TextMethod, Treatment
from nb_catalog.generation.painted_text import REFERENCES
from nb_catalog.generation.similar import PlanKind
from nb_catalog.models import CopyDeck, Scene, TextLayout
from nb_catalog.registry import source_for


class TextForm(forms.Form):
    """The arguments of ``generation.plan_texts``."""

    layouts = forms.MultipleChoiceField(
        label=_("Layouts"), error_messages={"required": _("Choose at least one layout.")}
    )
    locales = forms.MultipleChoiceField(
        label=_("Languages"), error_messages={"required": _("Choose at least one language.")}
    )
    deck = forms.ChoiceField(
        label=_("Copy deck"),
        required=False,
        help_text=_("If none is selected, the shop's own texts are used."),
    )
    slot = forms.ChoiceField(label=_("Pictures to use"), required=False)
    scenes = forms.MultipleChoiceField(
        label=_("Scenes"),
        required=False,
        help_text=_("If none is selected, all scenes and the photos themselves are used."),
    )

    text = forms.ChoiceField(label=_("Text method"), choices=TextMethod.choices, required=False)
    tier = forms.ChoiceField(label=_("Tier"), required=False)
    budget_usd = generate_forms.budget_field()

    def __init__(self, *args: Any, slots: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["slot"].choices = [
            ("", _("The newest picture of each scene")),
            *((slot, gettext("Pictures published in %s") % slot) for slot in slots),
        ]
        self.layouts = list(TextLayout.objects.filter(is_active=True))
        self.fields["layouts"].choices = [(row.key, row.name) for row in self.layouts]
        self.fields["locales"].choices = [
            (code, locales.parse_locale(code).display_name) for code in settings.LOCALES
        ]
        self.fields["locales"].initial = list(settings.LOCALES)
        decks = CopyDeck.objects.filter(is_active=True).values_list("key", "name")
        self.fields["deck"].choices = [("", _("The shop's own texts")), *decks]
        scenes = Scene.objects.filter(is_active=True).values_list("key", "name")
        self.fields["scenes"].choices = [(OWN_PHOTO, Treatment.PHOTO.label), *scenes]
        self.paint_tiers = tuple(generate_forms.tier_choices(references=REFERENCES, paints=True))
        self.fields["tier"].choices = [(tier.name, tier.name) for tier in self.paint_tiers]
        if not self.paint_tiers:
            for name in ("text", "tier", "budget_usd"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("text") == TextMethod.PAINTED and not cleaned.get("tier"):
            self.add_error("tier", _("Choose a tier to paint the text."))
        return cleaned

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``."""
        ignored = {"budget_usd"}
        if self.cleaned_data.get("text") != TextMethod.PAINTED:
            ignored |= {"text", "tier"}
        options = {name: self.cleaned_data[name] for name in self.cleaned_data.keys() - ignored}
        key = generate_forms.plan_key(chosen, options, nonce=nonce)
        return generation.plan_texts(chosen.products(), **options, key=key)

    def layout_choices(self, *, site: Any) -> list[SceneChoice]:
        return [
            SceneChoice(key=row.key, name=row.name, thumbnail=thumbnails.layout_url(row, site=site))
            for row in self.layouts
        ]


class TextViews(GenerateViews):
    """The page and its plan, as additional pages of ``RunAdmin``."""

    def text_urls(self) -> list[URLPattern]:
        return [
            self.page("texts/", self.texts, name="texts", action=Action.START_RUN, api="run_texts"),
            self.page(
                "texts/plan/",
                require_POST(self.texts_plan),
                name="texts_plan",
                action=Action.PLAN,
                api="plan_texts",
            ),
        ]

    def texts(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST updates the plan or starts it. Requires permission generate."""
        chosen = self._chosen(request)
        if chosen is None or not len(chosen):
            return self.nothing_chosen(request, title=gettext("Add text to pictures"))
        if request.method != "POST":
            like = liked(request, kind=PlanKind.TEXTS)
            form = _form(chosen, initial=like.initial if like else {})
            return self._texts_page(request, chosen, form=form, nonce=uuid4().hex, like=like)
        form = _form(chosen, request.POST)
        return self.confirm_or_start(
            request,
            chosen,
            form=form,
            page=self._texts_page,
            name="texts",
        )

    def texts_plan(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        chosen = self._chosen(request)
        if chosen is None:
            raise PermissionDenied
        preview = generate_forms.requested_plan(
            _form(chosen, request.POST), chosen, nonce=nonce_of(request)
        )
        context = plan_context(generate_forms.with_summary(preview), site=self.admin_site)
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def _texts_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: TextForm,
        nonce: str,
        preview: PlanPreview | None = None,
        like: Liked | None = None,
    ) -> HttpResponse:
        context = self.page_context(
            request,
            title=gettext("Add text to pictures"),
            form=form,
            nonce=nonce,
            like=like,
            layouts=form.layout_choices(site=self.admin_site),
            chosen_layouts=form["layouts"].value() or [],
            painters=form.paint_tiers,
            live=len(chosen) <= LIVE_UP_TO,
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/texts.html", context)


def _form(chosen: Selection, *data: Any, **options: Any) -> TextForm:
    return TextForm(*data, **options, slots=tuple(source_for(chosen.label).slot_table))
