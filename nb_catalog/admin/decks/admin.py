"""Copy decks: a grid of texts by language and role, with machine proposals to accept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import copydecks
from nb_catalog.admin.decks.import_export import DeckFileViews
from nb_catalog.admin.design_base import FixedKeyAdmin
from nb_catalog.admin.generate.refresh import warn_about_stale
from nb_catalog.conf import settings
from nb_catalog.copydecks import validation, vocabulary
from nb_catalog.copydecks.cells import read_cells
from nb_catalog.copydecks.types import Cell, CellState, DeckTexts
from nb_catalog.core import locales
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck
from nb_catalog.models.copy_decks import LONGEST_TEXT


class DeckCell(NamedTuple):
    """One text in the grid: its field and, for a proposal, the checkbox to accept it.

    ``proposal`` is set beside a text that it would replace, with a checkbox to discard it; a proposal
    without one is in the field itself, and discarded by emptying it.
    """

    role: str
    field: forms.BoundField
    accept: forms.BoundField | None
    discard: forms.BoundField | None
    proposal: str
    proposed_by: str
    note: str


class DeckRow(NamedTuple):
    """The texts of one language. ``missing`` counts roles that only the source language has."""

    locale: str
    name: str
    cells: Sequence[DeckCell]
    missing: int


class DeckForm(forms.ModelForm):
    """A deck with all its texts. Only texts changed on this page are saved, so that several people can
    edit different languages at the same time."""

    class Meta:
        model = CopyDeck
        fields = ("name", "key", "locale", "position", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cells = read_cells(self.instance) if self.instance.pk else {}
        codes = (*settings.LOCALES, self.instance.locale, *(code for code, _role in self._cells))
        self.codes = tuple(dict.fromkeys(filter(None, codes)))
        used = (role for _code, role in self._cells)
        self.roles = tuple(dict.fromkeys((*vocabulary.layout_roles(), *used)))
        # Users with view permission only get a form without the deck's own fields.
        if locale_field := self.fields.get("locale"):
            self.fields["locale"] = forms.ChoiceField(
                label=locale_field.label,
                help_text=locale_field.help_text,
                choices=[(code, _language_name(code)) for code in self.codes],
            )
        for code in self.codes:
            for role in self.roles:
                state = self._cells.get((code, role), CellState())
                label = f"{_language_name(code)}, {role}"
                self.fields[_text_name(code, role)] = forms.CharField(
                    label=label,
                    required=False,
                    max_length=LONGEST_TEXT,
                    initial=state.text or state.proposal,
                    show_hidden_initial=True,
                    widget=forms.Textarea(
                        attrs={"rows": 2, "lang": code, "dir": "auto", "aria-label": label}
                    ),
                )
                if state.proposal:
                    self.fields[_accept_name(code, role)] = forms.BooleanField(
                        label=_("Accept"), required=False
                    )
                if state.proposal and state.text:
                    self.fields[_discard_name(code, role)] = forms.BooleanField(
                        label=_("Discard"), required=False
                    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        for code in self.codes:
            for role in self.roles:
                name = _text_name(code, role)
                # What is stored already is not checked again, as in files.
                if name in self.changed_data and name in cleaned:
                    text = validation.clean_text(cleaned[name])
                    for problem in validation.text_problems(text, locale=code):
                        self.add_error(name, problem)
        return cleaned

    def changed_texts(self) -> dict[Cell, str]:
        return {
            (code, role): self.cleaned_data[_text_name(code, role)]
            for code in self.codes
            for role in self.roles
            if _text_name(code, role) in self.changed_data
        }

    def accepted(self) -> list[Cell]:
        return self._ticked(_accept_name)

    def discarded(self) -> list[Cell]:
        return self._ticked(_discard_name)

    def _ticked(self, name_of: Callable[[str, str], str]) -> list[Cell]:
        return [
            (code, role)
            for code in self.codes
            for role in self.roles
            if self.cleaned_data.get(name_of(code, role))
        ]

    def rows(self) -> Iterator[DeckRow]:
        """Yield the rows of the grid, the source language first."""
        own = self.instance.locale
        required = {role for code, role in self._cells if code == own}
        for code in sorted(self.codes, key=lambda each: each != own):
            cells = []
            for role in self.roles:
                state = self._cells.get((code, role), CellState())
                accept, discard = _accept_name(code, role), _discard_name(code, role)
                cells.append(
                    DeckCell(
                        role=role,
                        field=self[_text_name(code, role)],
                        accept=self[accept] if accept in self.fields else None,
                        discard=self[discard] if discard in self.fields else None,
                        proposal=state.proposal if state.text else "",
                        proposed_by=state.proposed_by,
                        note=state.note,
                    )
                )
            present = {role for each, role in self._cells if each == code}
            yield DeckRow(code, _language_name(code), cells, len(required - present))


def _text_name(code: str, role: str) -> str:
    return f"text-{code}-{role}"


def _accept_name(code: str, role: str) -> str:
    return f"accept-{code}-{role}"


def _discard_name(code: str, role: str) -> str:
    return f"discard-{code}-{role}"


def _language_name(code: str) -> str:
    try:
        return str(locales.parse_locale(code).display_name)
    except ValueError:
        return code


@admin.register(CopyDeck)
class CopyDeckAdmin(FixedKeyAdmin, DeckFileViews, admin.ModelAdmin):
    form = DeckForm
    change_form_template = "admin/nb_catalog/copydeck/change_form.html"
    list_display = ("name", "key", "languages", "proposals", "version", "position", "is_active")
    list_editable = ("position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "key", "texts__text")
    readonly_fields = ("version",)
    fieldsets = (
        (None, {"fields": ("name", "key", "locale", ("position", "is_active"), "version")}),
    )

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        return [*self.file_urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        proposal_count = Count("texts", filter=~Q(texts__proposed_by=""))
        language_count = Count("texts__locale", filter=Q(texts__proposed_by=""), distinct=True)
        return (
            super()
            .get_queryset(request)
            .annotate(proposal_count=proposal_count, language_count=language_count)
        )

    @admin.display(description=_("languages"), ordering="language_count")
    def languages(self, deck: CopyDeck) -> int:
        return deck.language_count

    @admin.display(description=_("proposals to accept"), ordering="proposal_count")
    def proposals(self, deck: CopyDeck) -> int:
        return deck.proposal_count

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        form, deck = context["adminform"].form, options.get("obj")
        may_write = (
            self.has_add_permission(request)
            if deck is None
            else self.has_change_permission(request, deck)
        )
        context |= {
            "rows": list(form.rows()),
            "roles": form.roles,
            "values": list(vocabulary.placeholder_examples()),
            "read_only": not may_write,
        }
        return super().render_change_form(request, context, *args, **options)

    def save_model(self, request: HttpRequest, deck: CopyDeck, form: Any, change: bool) -> None:
        super().save_model(request, deck, form, change)
        if not isinstance(form, DeckForm):
            return  # the list, where only position and is_active are edited
        # Ticked boxes first: a text that is typed as well is what the person means.
        settled = 0
        try:
            settled += copydecks.accept_proposals(deck, form.accepted(), actor=request.user)
        except DeckRefused as refusal:
            for objection in refusal.objections:
                self.message_user(request, objection, messages.ERROR)
        settled += copydecks.discard_proposals(deck, form.discarded(), actor=request.user)
        typed = DeckTexts(texts=form.changed_texts(), empties_discard=True)
        origin = gettext("the deck’s page")
        plan, record = copydecks.import_texts(deck, typed, origin=origin, actor=request.user)
        if not plan.changes and not settled:
            return
        saved = len(plan.changes) + settled
        message = ngettext("%d text saved.", "%d texts saved.", saved) % saved
        self.message_user(request, message, messages.SUCCESS)
        if record is not None:
            self.offer_undo(request, record)
        for warning in plan.all_warnings:
            self.message_user(request, warning, messages.WARNING)
        warn_about_stale(request, deck, model_admin=self)
