"""Roll back a publication, a series, a run or to a moment: first a preview, then the button."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext

from nb_catalog.admin.base import AdminPages
from nb_catalog.admin.changelists import key_in
from nb_catalog.admin.publications.forms import MomentForm
from nb_catalog.admin.publications.places import place_rows
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import Publication, Run, Series
from nb_catalog.publishing import rollbacks
from nb_catalog.publishing.rollbacks import RollBackScope
from nb_catalog.publishing.series import REQUEST_SECONDS

# Places that the page lists of each kind; all are counted.
MOST_LISTED: Final = 60


class RollBackViews(AdminPages):
    """The page of a roll-back, of ``PublicationAdmin``."""

    def roll_back_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "roll-back/",
                self.roll_back,
                name="roll_back",
                action=Action.UNPUBLISH,
                api="roll_back_create",
            )
        ]

    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """Show what a roll-back would change, or with POST roll back. ``publication``, ``run``, ``series`` or
        ``at`` in the address say what."""
        form = MomentForm(request.GET if "at" in request.GET else None)
        try:
            scope = _scope(request.GET, form)
            if request.method == "POST" and scope is not None:
                return self._do(request, scope)
            preview = None if scope is None else rollbacks.preview(scope)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self.url_of("changelist"))
        context = self.page_context(
            request,
            title=gettext("Roll back")
            if preview is None
            else gettext("Roll back: %(what)s") % {"what": preview.scope.name},
            form=None if request.GET.keys() & {"publication", "run", "series"} else form,
            preview=preview,
            lists=[] if preview is None else self._lists(preview),
            most=MOST_LISTED,
        )
        return TemplateResponse(request, "admin/nb_catalog/publication/roll_back.html", context)

    def _do(self, request: HttpRequest, scope: RollBackScope) -> HttpResponse:
        record = rollbacks.roll_back_all(
            scope,
            actor=request.user,
            partial="partial" in request.POST,
            seconds=REQUEST_SECONDS,
        )
        number = record.events.count()
        message = ngettext("%d place rolled back.", "%d places rolled back.", number) % number
        self.message_user(request, message, messages.SUCCESS)
        return redirect(self.url_of("change", record.pk))

    def _lists(self, preview: rollbacks.RollBackPreview) -> list[tuple[str, int, Any]]:
        groups = (
            (gettext("What changes"), preview.restored),
            (gettext("Changed since, stays as it is"), preview.changed),
            (gettext("Cannot be restored, stays as it is"), preview.cannot),
        )
        listed = []
        for title, rows in groups:
            changes = (
                (each.key, each.now, each.before and each.before.pk, each.problem)
                for each in rows[:MOST_LISTED]
            )
            if rows:
                listed.append((title, len(rows), place_rows(changes, site=self.admin_site)))
        return listed


def _scope(query: QueryDict, form: MomentForm) -> RollBackScope | None:
    """Return what ``query`` asks for; None if that is not complete. Raises ``RequestRefused``, and
    ``Http404`` for rows that do not exist."""
    if "series" in query:
        series = Series.objects.filter(key=query["series"]).first()
        if series is None:
            raise Http404
        return rollbacks.scope_of(series=series)
    for name, model in (("publication", Publication), ("run", Run)):
        if name in query:
            key = key_in(query, name)
            row = model.objects.filter(pk=key).first() if key is not None else None
            if row is None:
                raise Http404
            return rollbacks.scope_of(**{name: row})
    if not form.is_valid():
        return None
    slot = form.cleaned_data["slot"]
    return rollbacks.scope_of(
        moment=form.cleaned_data["at"],
        keys=form.cleaned_data["products"],
        slots=[slot] if slot else None,
    )
