"""A copy deck's files: a table for merchandisers, XLIFF for translators, and the way back in."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog import copydecks
from nb_catalog.admin.base import AdminPages
from nb_catalog.conf import settings
from nb_catalog.copydecks import csv_format, translation, xliff_format
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.copydecks.xliff_format import XliffFile
from nb_catalog.core import locales
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import DeckRefused, InvalidSettings, NBCatalogError
from nb_catalog.models import CopyDeck
from nb_catalog.providers.translation import translation_provider

# Bytes of an uploaded file: ten thousand texts.
LARGEST: Final = 5 * 2**20


class DeckFileViews(AdminPages):
    """The page of a deck's files, as further pages of ``CopyDeckAdmin``."""

    def file_urls(self) -> list[URLPattern]:
        return [
            self.page("<int:pk>/files/", self.files, name="files"),
            self.page("<int:pk>/files/texts.csv", self.table, name="table"),
            self.page("<int:pk>/propose/", require_POST(self.propose), name="propose"),
            self.page("<int:pk>/files/<str:locale>.xlf", self.sheet, name="sheet"),
        ]

    def files(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET offers the files; POST takes one in. View permission, and change permission."""
        deck = self._deck(request, pk)
        objections: tuple[str, ...] = ()
        if request.method == "POST":
            if not self.has_change_permission(request, deck):
                raise PermissionDenied
            try:
                self._take_in(request, deck)
            except DeckRefused as refusal:
                objections = refusal.objections
            else:
                return redirect(self.url_of("change", deck.pk))
        context = self.page_context(
            request,
            title=gettext("Files for %s") % deck,
            original=deck,
            may_change=self.has_change_permission(request, deck),
            sheets=[
                (code, locales.parse_locale(code).display_name) for code in self._targets(deck)
            ],
            source=locales.parse_locale(deck.locale).display_name,
            objections=objections,
            lacking=self._lacking(deck),
            translator=_translator_name(),
        )
        return TemplateResponse(request, "admin/nb_catalog/copydeck/files.html", context)

    def table(self, request: HttpRequest, pk: int) -> HttpResponse:
        deck = self._deck(request, pk)
        written = csv_format.as_csv(deck.texts_by_locale, locales=_locales(deck))
        return _download(written.encode(), "text/csv; charset=utf-8", name=f"{deck.key}.csv")

    def sheet(self, request: HttpRequest, pk: int, locale: str) -> HttpResponse:
        deck = self._deck(request, pk)
        if locale not in self._targets(deck):
            raise Http404
        texts = {text.role: text for text in deck.texts.filter(locale=locale)}
        written = xliff_format.as_xliff(
            [
                XliffFile(
                    deck=deck.key,
                    source_locale=deck.locale,
                    target_locale=locale,
                    source=deck.texts_by_locale.get(deck.locale, {}),
                    target={role: text.text for role, text in texts.items()},
                    proposed=frozenset(role for role, text in texts.items() if text.proposed_by),
                )
            ]
        )
        return _download(written, xliff_format.MIME_TYPE, name=f"{deck.key}.{locale}.xlf")

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: have what a language lacks proposed. It may cost money: permissions generate and change."""
        deck = self._deck(request, pk)
        may_write = self.has_change_permission(request, deck)
        if not may_write or not request.user.has_perm(Permission.GENERATE):
            raise PermissionDenied
        locale = request.POST.get("locale", "")
        if locale not in self._targets(deck):
            raise Http404
        try:
            outcome = translation.propose_translation(deck, locale, actor=request.user)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _told(0, outcome.written), messages.SUCCESS)
            for sentence in outcome.refused:
                self.message_user(request, sentence, messages.WARNING)
        return redirect(self.url_of("files", deck.pk))

    def _lacking(self, deck: CopyDeck) -> list[tuple[str, str, int]]:
        """(locale, its name, how many texts it lacks) of languages that lack some."""
        return [
            (code, str(locales.parse_locale(code).display_name), len(texts))
            for code, texts in translation.missing_texts(deck, self._targets(deck)).items()
            if texts
        ]

    def _take_in(self, request: HttpRequest, deck: CopyDeck) -> None:
        texts = _read(request, deck)
        waiting = {(t.locale, t.role) for t in deck.texts.exclude(proposed_by="")}
        # A table holds no proposals: an empty cell must not throw one away.
        kept = {c: text for c, text in texts.texts.items() if text.strip() or c not in waiting}
        written = copydecks.save_texts(deck, kept, actor=request.user)
        by = texts.tool or gettext("a translation file")
        proposed = copydecks.save_texts(
            deck, texts.proposals, actor=request.user, proposed_by=by[:120]
        )
        self.message_user(request, _told(written, proposed), messages.SUCCESS)

    def _deck(self, request: HttpRequest, pk: int) -> CopyDeck:
        deck = self.get_object(request, str(pk))
        if deck is None:
            raise Http404
        if not self.has_view_permission(request, deck):
            raise PermissionDenied
        return deck

    def _targets(self, deck: CopyDeck) -> list[str]:
        return [code for code in _locales(deck) if code != deck.locale]


def _locales(deck: CopyDeck) -> list[str]:
    """The deck's own first, those of the shop, and others that it has words in."""
    there = deck.texts.order_by("locale").values_list("locale", flat=True).distinct()
    return list(dict.fromkeys((deck.locale, *settings.LOCALES, *there)))


def _read(request: HttpRequest, deck: CopyDeck) -> DeckTexts:
    file: Any = request.FILES.get("file")
    if file is None:
        raise DeckRefused(gettext("Choose a file first."))
    if file.size > LARGEST:
        raise DeckRefused(
            gettext("The file is larger than 5 MB. Check that you chose the right file.")
        )
    data = file.read()
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t\x00").startswith(b"<"):
        source = deck.texts_by_locale.get(deck.locale, {})
        return xliff_format.from_xliff(
            data, source_locale=deck.locale, source=source, locales=_locales(deck)
        )
    return csv_format.from_csv(data, locales=_locales(deck))


def _translator_name() -> str:
    """Who would be asked; empty where nobody is, or where the setting is wrong, which ``check`` says."""
    try:
        found = translation_provider()
    except InvalidSettings:
        return ""
    return found.name if found is not None else ""


def _told(written: int, proposed: int) -> str:
    said = ngettext("%d text changed.", "%d texts changed.", written) % written
    if not proposed:
        return said
    more = ngettext("%d proposal to accept.", "%d proposals to accept.", proposed)
    return f"{said} {more % proposed}"


def _download(data: bytes, mime_type: str, *, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=mime_type, headers=headers)
