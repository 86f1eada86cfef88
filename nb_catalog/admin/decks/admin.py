"""Copy decks: a grid of languages and roles, with what machines proposed beside what people wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from nb_catalog.models import CopyDeck, CopyText, Placement, TextLayout
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.registry import registered, source_for


class DeckCell(NamedTuple):
    """One text in the grid: its field, and the box that accepts it where a machine proposed it."""

    role: str
    field: forms.BoundField
    accept: forms.BoundField | None
    proposed_by: str


class DeckRow(NamedTuple):
    """The texts of one language. ``missing`` counts roles that the deck's own language has."""

    locale: str
    name: str
    entries: Sequence[DeckCell]
    missing: int


class DeckForm(forms.ModelForm):
    """The deck and each of its texts. Only what was changed on this page is written: two people may
    fill different languages at once."""

    class Meta:
        model = CopyDeck
        fields = ("name", "key", "locale", "position", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        texts = list(self.instance.texts.all()) if self.instance.pk else []
        self._standing = {(text.locale, text.role): text for text in texts}
        codes = (*settings.LOCALES, self.instance.locale, *(text.locale for text in texts))
        self.codes = tuple(dict.fromkeys(filter(None, codes)))
        self.roles = _roles(texts)
        # Who may only look gets a form without the deck's own fields.
        if written := self.fields.get("locale"):
            self.fields["locale"] = forms.ChoiceField(
                label=written.label,
                help_text=written.help_text,
                choices=[(code, _name_of(code)) for code in self.codes],
            )
        for code in self.codes:
            for role in self.roles:
                self._add_cell(code, role)

    def _add_cell(self, code: str, role: str) -> None:
        standing = self._standing.get((code, role))
        where = f"{_name_of(code)}, {role}"
        self.fields[_text_name(code, role)] = forms.CharField(
            label=where,
            required=False,
            max_length=LONGEST_TEXT,
            initial=standing.text if standing else "",
            show_hidden_initial=True,
            widget=forms.Textarea(
                attrs={"rows": 2, "lang": code, "dir": "auto", "aria-label": where}
            ),
        )
        if standing and standing.proposed_by:
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
        """The grid, the deck's own language first."""
        own = self.instance.locale
        wanted = {role for code, role in self._standing if code == own}
        for code in sorted(self.codes, key=lambda each: each != own):
            there = {role for each, role in self._standing if each == code}
            entries = [self._entry(code, role) for role in self.roles]
            yield DeckRow(code, _name_of(code), entries, len(wanted - there))

    def _entry(self, code: str, role: str) -> DeckCell:
        standing = self._standing.get((code, role))
        accept = _accept_name(code, role)
        return DeckCell(
            role=role,
            field=self[_text_name(code, role)],
            accept=self[accept] if accept in self.fields else None,
            proposed_by=standing.proposed_by if standing else "",
        )


def _roles(texts: Sequence[CopyText]) -> tuple[str, ...]:
    """Those that layouts have a box for, and those that the deck has words for."""
    found: dict[str, None] = {}
    for row in TextLayout.objects.all():
        try:
            found |= dict.fromkeys(row.layout.roles)
        except ValueError:
            continue  # its own page says what is wrong with it
    return tuple(found | dict.fromkeys(text.role for text in texts))


def _text_name(code: str, role: str) -> str:
    return f"text-{code}-{role}"


def _accept_name(code: str, role: str) -> str:
    return f"accept-{code}-{role}"


def _name_of(code: str) -> str:
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
        proposed = Count("texts", filter=~Q(texts__proposed_by=""))
        spoken = Count("texts__locale", filter=Q(texts__proposed_by=""), distinct=True)
        return super().get_queryset(request).annotate(proposed=proposed, spoken=spoken)

    @admin.display(description=_("languages"), ordering="spoken")
    def languages(self, deck: CopyDeck) -> int:
        return deck.spoken

    @admin.display(description=_("proposals to accept"), ordering="proposed")
    def proposals(self, deck: CopyDeck) -> int:
        return deck.proposed

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        grid = context["adminform"].form
        context |= {
            "rows": list(grid.rows()),
            "roles": grid.roles,
            "values": list(_values_of_products()),
            "reads_only": not self._may_write(request, options.get("obj")),
        }
        return super().render_change_form(request, context, *args, **options)

    def _may_write(self, request: HttpRequest, deck: CopyDeck | None) -> bool:
        if deck is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, deck)

    def save_model(self, request: HttpRequest, deck: CopyDeck, form: Any, change: bool) -> None:
        super().save_model(request, deck, form, change)
        if not isinstance(form, DeckForm):
            return  # the list, where only the order is edited
        changed = copydecks.save_texts(deck, form.changed_texts(), actor=request.user)
        accepted = copydecks.accept_proposals(deck, form.accepted(), actor=request.user)
        if not changed and not accepted:
            return
        said = ngettext("%d text saved.", "%d texts saved.", changed + accepted)
        self.message_user(request, said % (changed + accepted), messages.SUCCESS)
        for sentence in _unknown_values(form.changed_texts().values()):
            self.message_user(request, sentence, messages.WARNING)
        shown = Placement.objects.filter(image__spec__deck=deck.key)
        warn_about_stale(request, shown, admin_of=self)


class PlaceholderExamples(NamedTuple):
    """What texts may ask of the products of a model, with one product's as an example."""

    name: str
    examples: Sequence[tuple[str, str]]


def _values_of_products() -> Iterator[PlaceholderExamples]:
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


def _unknown_values(texts: Any) -> Iterator[str]:
    """Values that no product has: said, and written all the same, for there may be no product yet."""
    known = {name[1:-1] for each in _values_of_products() for name, _example in each.examples}
    asked = dict.fromkeys(name for text in texts for name in placeholders.names(text))
    for name in asked if known else ():
        if name not in known:
            said = gettext("No product has the value %s.") % f"{{{name}}}"
            yield f"{said}{nearest(name, known)}"
