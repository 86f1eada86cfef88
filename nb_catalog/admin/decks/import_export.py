"""Files of copy decks: download, import with preview and undo, machine translation of missing texts."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog import copydecks, generation
from nb_catalog.admin import text_progress
from nb_catalog.admin.base import AdminPages
from nb_catalog.admin.generate.refresh import warn_about_stale
from nb_catalog.copydecks import changes, csv_format, files, xliff_format, xlsx_format
from nb_catalog.copydecks.types import ChangeKind, DeckChanges
from nb_catalog.copydecks.vocabulary import deck_locales
from nb_catalog.core import locales
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import JobKind
from nb_catalog.exceptions import DeckRefused, InvalidSettings, RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.models import CopyDeck, DeckImport
from nb_catalog.providers.translation import translation_provider

# Changes and warnings that a page shows.
SHOWN: Final = 500
# Imports in the list below the files.
LISTED: Final = 10


class DeckFileViews(AdminPages):
    """The pages of a deck's files, as additional pages of ``CopyDeckAdmin``."""

    def file_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/files/",
                self.files,
                name="files",
                action=Action.VIEW_DECKS,
                api="deck_file",
            ),
            self.page(
                "<int:pk>/files/texts.csv",
                self.download_csv,
                name="table",
                action=Action.VIEW_DECKS,
                api="deck_download",
            ),
            self.page(
                "<int:pk>/files/texts.xlsx",
                self.download_xlsx,
                name="workbook",
                action=Action.VIEW_DECKS,
                api="deck_download",
            ),
            self.page(
                "<int:pk>/propose/",
                require_POST(self.propose),
                name="propose",
                action=Action.PROPOSE_TEXTS,
                api="deck_propose",
            ),
            self.page(
                "<int:pk>/files/<str:locale>.xlf",
                self.download_xliff,
                name="sheet",
                action=Action.VIEW_DECKS,
                api="deck_download",
            ),
            self.page(
                "<int:pk>/imports/<int:number>/",
                self.show_import,
                name="import",
                action=Action.VIEW_DECKS,
                api="deck_undo",
            ),
        ]

    def files(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET offers the files; POST reads one and leads to the preview of what it would change.

        Requires the permissions view and, for POST, change.
        """
        deck = self._deck(request, pk)
        objections: tuple[str, ...] = ()
        if request.method == "POST":
            self._require_change(request, deck)
            try:
                return self._preview(request, deck)
            except DeckRefused as refusal:
                objections = refusal.objections
        progress = text_requests.progress_of(deck, kind=JobKind.TRANSLATION)
        missing_texts = [
            (code, locales.parse_locale(code).display_name, len(texts))
            for code, texts in copydecks.missing_texts(deck, self._targets(deck)).items()
            if texts and code not in progress.underway
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
            has_xlsx=xlsx_format.is_available(),
            imports=deck.imports.exclude(applied_at=None).select_related("actor")[:LISTED],
            lacking=missing_texts,
            translator=provider_name(),
            requested=text_progress.shown(progress),
            proposals=deck.texts.exclude(proposed_by="").count(),
        )
        return TemplateResponse(request, "admin/nb_catalog/copydeck/files.html", context)

    def _preview(self, request: HttpRequest, deck: CopyDeck) -> HttpResponse:
        """Keep what the uploaded file would change and redirect to its preview.

        Raises ``DeckRefused``.
        """
        file: Any = request.FILES.get("file")
        if file is None:
            raise DeckRefused(gettext("Choose a file first."))
        # One byte more than is allowed: then it is refused, and never read as a whole.
        incoming = copydecks.read_file(deck, file.read(files.MAX_BYTES + 1))
        plan = changes.with_warnings(deck, copydecks.plan_changes(deck, incoming))
        if not plan.changes:
            for warning in plan.all_warnings[:SHOWN]:
                self.message_user(request, warning, messages.WARNING)
            message = gettext("Nothing to change: the deck has all texts of this file already.")
            self.message_user(request, message, messages.INFO)
            return redirect(self.url_of("files", deck.pk))
        record = changes.keep_preview(deck, plan, origin=file.name, actor=request.user)
        return redirect(self.url_of("import", deck.pk, record.pk))

    def show_import(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """GET shows what an import changes or has changed; POST applies or undoes it.

        Requires the permissions view and, for POST, change.
        """
        deck = self._deck(request, pk)
        record = deck.imports.select_related("actor", "undone_by").filter(pk=number).first()
        if record is None:
            raise Http404
        if request.method == "POST":
            self._require_change(request, deck)
            try:
                if "undo" in request.POST:
                    done = copydecks.undo_import(record, actor=request.user)
                    message = gettext("Undone: the texts are what they were before.")
                else:
                    done = copydecks.apply_import(record, actor=request.user)
                    message = import_message(done)
            except DeckRefused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.message_user(request, message, messages.SUCCESS)
                if done.changes_texts:
                    warn_about_stale(request, record.deck, model_admin=self)
            return redirect(self.url_of("import", deck.pk, record.pk))
        plan = changes.changes_of(record)
        context = self.page_context(
            request,
            title=gettext("Changes by %s") % record.origin,
            original=deck,
            record=record,
            plan=plan,
            counts=count_labels(plan),
            rows=[(change_label(each.kind), each) for each in plan.changes[:SHOWN]],
            more=max(0, len(plan.changes) - SHOWN),
            warnings=plan.warnings[:SHOWN],
            may_change=self.has_change_permission(request, deck),
        )
        return TemplateResponse(request, "admin/nb_catalog/copydeck/import.html", context)

    def offer_undo(self, request: HttpRequest, record: DeckImport) -> None:
        """Add a message with a link to the page that shows and undoes ``record``."""
        url = self.url_of("import", record.deck_id, record.pk)
        link = format_html('<a href="{}">{}</a>', url, gettext("Show the changes or undo them"))
        self.message_user(request, link, messages.INFO)

    def download_csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        deck = self._deck(request, pk)
        return _download(files.csv_of(deck), csv_format.MIME_TYPE, name=f"{deck.key}.csv")

    def download_xlsx(self, request: HttpRequest, pk: int) -> HttpResponse:
        deck = self._deck(request, pk)
        try:
            content = files.xlsx_of(deck)
        except DeckRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(self.url_of("files", deck.pk))
        return _download(content, xlsx_format.MIME_TYPE, name=f"{deck.key}.xlsx")

    def download_xliff(self, request: HttpRequest, pk: int, locale: str) -> HttpResponse:
        deck = self._deck(request, pk)
        if locale not in self._targets(deck):
            raise Http404
        content = files.xliff_of(deck, locale, root_url=request.build_absolute_uri("/"))
        return _download(content, xliff_format.MIME_TYPE, name=f"{deck.key}.{locale}.xlf")

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: request translations of missing texts, which may cost money.

        Requires the permissions change and generate.
        """
        deck = self._deck(request, pk)
        locale = request.POST.get("locale", "")
        if locale not in self._targets(deck):
            raise Http404
        try:
            run = generation.request_translations(deck, [locale], actor=request.user)
        except (RequestRefused, InvalidSettings) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            if run is None:
                self.message_user(request, gettext("No text is missing."), messages.INFO)
        return redirect(self.url_of("files", deck.pk))

    def _deck(self, request: HttpRequest, pk: int) -> CopyDeck:
        deck = self.get_object(request, str(pk))
        if deck is None:
            raise Http404
        if not self.has_view_permission(request, deck):
            raise PermissionDenied
        return deck

    def _require_change(self, request: HttpRequest, deck: CopyDeck) -> None:
        if not self.has_change_permission(request, deck):
            raise PermissionDenied

    def _targets(self, deck: CopyDeck) -> list[str]:
        return [code for code in deck_locales(deck) if code != deck.locale]


def provider_name() -> str:
    """Return the name of the translation provider; empty if there is none.

    Also empty if its setting is wrong, which ``check`` reports.
    """
    try:
        provider = translation_provider()
    except InvalidSettings:
        return ""
    return provider.name if provider is not None else ""


def change_label(kind: ChangeKind) -> str:
    """Return what happens to a text, for a table."""
    labels = {
        ChangeKind.NEW: gettext("new"),
        ChangeKind.CHANGED: gettext("changed"),
        ChangeKind.DELETED: gettext("deleted"),
        ChangeKind.PROPOSED: gettext("proposal"),
        ChangeKind.DISCARDED: gettext("proposal discarded"),
    }
    return labels[kind]


def count_labels(plan: DeckChanges) -> list[tuple[str, int]]:
    """Return the numbers of changes with their labels, and of what stays as it is."""
    counts = [(change_label(ChangeKind(kind)), number) for kind, number in plan.counts.items()]
    return [*counts, (gettext("unchanged"), plan.unchanged)]


def import_message(plan: DeckChanges) -> str:
    """Return how many texts and proposals have been written."""
    proposed = plan.counts.get(ChangeKind.PROPOSED, 0)
    written = len(plan.changes) - proposed
    message = ngettext("%d text changed.", "%d texts changed.", written) % written
    if not proposed:
        return message
    more = ngettext("%d proposal to accept.", "%d proposals to accept.", proposed)
    return f"{message} {more % proposed}"


def _download(data: bytes, mime_type: str, *, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type=mime_type, headers=headers)
