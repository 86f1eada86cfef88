"""Copy decks: a grid of texts by language and role, with machine proposals to accept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.types import Cell
from nb_catalog.core import locales
from nb_catalog.core.text import nearest
from nb_catalog.models import CopyDeck, Placement, TextLayout
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.registry import registered, source_for


class DeckCell(NamedTuple):
    """One text in the grid: its field and, for a machine proposal, the checkbox to accept it."""

    role: str
    field: forms.BoundField
    accept: forms.BoundField | None
    proposed_by: str


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
        texts = list(self.instance.texts.all()) if self.instance.pk else []
        self._texts = {(text.locale, text.role): text for text in texts}
        codes = (*settings.LOCALES, self.instance.locale, *(text.locale for text in texts))
        self.codes = tuple(dict.fromkeys(filter(None, codes)))
        roles: dict[str, None] = {}
        for row in TextLayout.objects.all():
            try:
                roles |= dict.fromkeys(row.layout.roles)
            except ValueError:
                continue  # its own page reports the error
        self.roles = tuple(roles | dict.fromkeys(text.role for text in texts))
        # Users with view permission only get a form without the deck's own fields.
        if locale_field := self.fields.get("locale"):
            self.fields["locale"] = forms.ChoiceField(
                label=locale_field.label,
                help_text=locale_field.help_text,
                choices=[(code, _language_name(code)) for code in self.codes],
            )
        for code in self.codes:
            for role in self.roles:
                self._add_cell(code, role)

    def _add_cell(self, code: str, role: str) -> None:
        text = self._texts.get((code, role))
        label = f"{_language_name(code)}, {role}"
        self.fields[_text_name(code, role)] = forms.CharField(
            label=label,
            required=False,
            max_length=LONGEST_TEXT,
            initial=text.text if text else "",
            show_hidden_initial=True,
            widget=forms.Textarea(
                attrs={"rows": 2, "lang": code, "dir": "auto", "aria-label": label}
            ),
        )
        if text and text.proposed_by:
            self.fields[_accept_name(code, role)] = forms.BooleanField(
                label=_("Accept"), required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        for code in self.codes:
            for role in self.roles:
                try:
                    placeholders.parts(cleaned.get(_text_name(code, role), ""))
                except ValueError as error:
                    self.add_error(_text_name(code, role), str(error))
        return cleaned

    def changed_texts(self) -> dict[Cell, str]:
        return {
            (code, role): self.cleaned_data[_text_name(code, role)]
            for code in self.codes
            for role in self.roles
            if _text_name(code, role) in self.changed_data
        }

    def accepted(self) -> list[Cell]:
        return [
            (code, role)
            for code in self.codes
            for role in self.roles
            if self.cleaned_data.get(_accept_name(code, role))
        ]

    def rows(self) -> Iterator[DeckRow]:
        """Yield the rows of the grid, the source language first."""
        own = self.instance.locale
        required = {role for code, role in self._texts if code == own}
        for code in sorted(self.codes, key=lambda each: each != own):
            cells = []
            for role in self.roles:
                text, accept = self._texts.get((code, role)), _accept_name(code, role)
                cells.append(
                    DeckCell(
                        role=role,
                        field=self[_text_name(code, role)],
                        accept=self[accept] if accept in self.fields else None,
                        proposed_by=text.proposed_by if text else "",
                    )
                )
            present = {role for each, role in self._texts if each == code}
            yield DeckRow(code, _language_name(code), cells, len(required - present))


def _text_name(code: str, role: str) -> str:
    return f"text-{code}-{role}"


def _accept_name(code: str, role: str) -> str:
    return f"accept-{code}-{role}"


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
            "values": list(placeholder_examples()),
            "read_only": not may_write,
        }
        return super().render_change_form(request, context, *args, **options)

    def save_model(self, request: HttpRequest, deck: CopyDeck, form: Any, change: bool) -> None:
        super().save_model(request, deck, form, change)
        if not isinstance(form, DeckForm):
            return  # the list, where only position and is_active are edited
        changed = copydecks.save_texts(deck, form.changed_texts(), actor=request.user)
        accepted = copydecks.accept_proposals(deck, form.accepted(), actor=request.user)
        if not changed and not accepted:
            return
        message = ngettext("%d text saved.", "%d texts saved.", changed + accepted)
        self.message_user(request, message % (changed + accepted), messages.SUCCESS)
        for warning in unknown_value_warnings(form.changed_texts().values()):
            self.message_user(request, warning, messages.WARNING)
        published = Placement.objects.filter(image__spec__deck=deck.key)
        warn_about_stale(request, published, model_admin=self)


class PlaceholderExamples(NamedTuple):
    """Placeholders for the values of a model's products, with examples from one product."""

    name: str
    examples: Sequence[tuple[str, str]]


def placeholder_examples() -> Iterator[PlaceholderExamples]:
    """Yield the placeholders of each registered model that has a product."""
    locale = settings.LOCALES[0]
    for model in registered():
        source = source_for(model)
        product = source.queryset().first()
        if product is None:
            continue
        values = source.values(product, locale).items()
        examples = [
            (f"{{{name}}}", "" if value is None else locales.format_value(value, locale))
            for name, value in values
        ]
        yield PlaceholderExamples(str(model._meta.verbose_name), examples)


def unknown_value_warnings(texts: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each placeholder without a product value.

    Not an error: there may be no product yet.
    """
    known = {name[1:-1] for each in placeholder_examples() for name, _example in each.examples}
    names = dict.fromkeys(name for text in texts for name in placeholders.names(text))
    for name in names if known else ():
        if name not in known:
            message = gettext("No product has the value %s.") % f"{{{name}}}"
            yield f"{message}{nearest(name, known)}"
