"""Export and import of copy decks as CSV or XLIFF, and machine translation of missing texts."""

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

# Bytes of an uploaded file; enough for about ten thousand texts.
MAX_BYTES: Final = 5 * 2**20


class DeckFileViews(AdminPages):
    """The page of a deck's files, as additional pages of ``CopyDeckAdmin``."""

    def file_urls(self) -> list[URLPattern]:
        return [
            self.page("<int:pk>/files/", self.files, name="files"),
            self.page("<int:pk>/files/texts.csv", self.download_csv, name="table"),
            self.page("<int:pk>/propose/", require_POST(self.propose), name="propose"),
            self.page("<int:pk>/files/<str:locale>.xlf", self.download_xliff, name="sheet"),
        ]

    def files(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET offers the files; POST imports one. Requires the permissions view and, for POST, change."""
        deck = self._deck(request, pk)
        objections: tuple[str, ...] = ()
        if request.method == "POST":
            if not self.has_change_permission(request, deck):
                raise PermissionDenied
            try:
                self.import_file(request, deck)
            except DeckRefused as refusal:
                objections = refusal.objections
            else:
                return redirect(self.url_of("change", deck.pk))
        missing = translation.missing_texts(deck, self._targets(deck))
        missing_texts = [
            (code, locales.parse_locale(code).display_name, len(texts))
            for code, texts in missing.items()
            if texts
        ]
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
            lacking=missing_texts,
            translator=provider_name(),
        )
        return TemplateResponse(request, "admin/nb_catalog/copydeck/files.html", context)

    def download_csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        deck = self._deck(request, pk)
        content = csv_format.as_csv(deck.texts_by_locale, locales=_locales(deck))
        return _download(content.encode(), "text/csv; charset=utf-8", name=f"{deck.key}.csv")

    def download_xliff(self, request: HttpRequest, pk: int, locale: str) -> HttpResponse:
        deck = self._deck(request, pk)
        if locale not in self._targets(deck):
            raise Http404
        texts = {text.role: text for text in deck.texts.filter(locale=locale)}
        content = xliff_format.as_xliff(
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
        return _download(content, xliff_format.MIME_TYPE, name=f"{deck.key}.{locale}.xlf")

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: request translations of missing texts, which may cost money.

        Requires the permissions change and generate.
        """
        deck = self._deck(request, pk)
        may_write = self.has_change_permission(request, deck)
        if not may_write or not request.user.has_perm(Permission.GENERATE):
            raise PermissionDenied
        locale = request.POST.get("locale", "")
        if locale not in self._targets(deck):
            raise Http404
        try:
            result = translation.propose_translation(deck, locale, actor=request.user)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _import_message(0, result.written), messages.SUCCESS)
            for sentence in result.refused:
                self.message_user(request, sentence, messages.WARNING)
        return redirect(self.url_of("files", deck.pk))

    def import_file(self, request: HttpRequest, deck: CopyDeck) -> None:
        """Save the texts and proposals of the uploaded file. Raises ``DeckRefused``."""
        texts = read_upload(request, deck)
        proposals = {(t.locale, t.role) for t in deck.texts.exclude(proposed_by="")}
        # CSV files contain no proposals: an empty cell must not discard one.
        changes = {c: t for c, t in texts.texts.items() if t.strip() or c not in proposals}
        written = copydecks.save_texts(deck, changes, actor=request.user)
        by = texts.tool or gettext("a translation file")
        proposed = copydecks.save_texts(
            deck, texts.proposals, actor=request.user, proposed_by=by[:120]
        )
        self.message_user(request, _import_message(written, proposed), messages.SUCCESS)

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
    """Return the deck's own locale, those of the shop, and others in which it has texts."""
    used = deck.texts.order_by("locale").values_list("locale", flat=True).distinct()
    return list(dict.fromkeys((deck.locale, *settings.LOCALES, *used)))


def read_upload(request: HttpRequest, deck: CopyDeck) -> DeckTexts:
    """Parse the uploaded CSV or XLIFF file. Raises ``DeckRefused``."""
    file: Any = request.FILES.get("file")
    if file is None:
        raise DeckRefused(gettext("Choose a file first."))
    if file.size > MAX_BYTES:
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


def provider_name() -> str:
    """Return the name of the translation provider; empty if there is none.

    Also empty if its setting is wrong, which ``check`` reports.
    """
    try:
        provider = translation_provider()
    except InvalidSettings:
        return ""
    return provider.name if provider is not None else ""


def _import_message(written: int, proposed: int) -> str:
    message = ngettext("%d text changed.", "%d texts changed.", written) % written
    if not proposed:
        return message
    more = ngettext("%d proposal to accept.", "%d proposals to accept.", proposed)
    return f"{message} {more % proposed}"


def _download(data: bytes, mime_type: str, *, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=mime_type, headers=headers)
