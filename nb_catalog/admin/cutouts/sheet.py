"""The contact sheet: cut-outs on a ground that shows their outlines, decided singly or several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog.admin.changelists import AFTER, BEFORE, INTEGER_KEY, key_in, query_from
from nb_catalog.admin.cutouts import cards
from nb_catalog.admin.cutouts.decisions import KIND_NAMES, VERBS, CutoutPermissions, execute
from nb_catalog.admin.search import Search
from nb_catalog.core import pagination
from nb_catalog.core.permissions import Action, may
from nb_catalog.cutouts.access import doubtful, visible_to
from nb_catalog.models import PhotoCutout, Scene
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import registered, source_for

PER_PAGE: Final = 24
CHOSEN: Final = "_chosen"
SCENE: Final = "scene:"
GROUNDS: Final = (
    ("checkerboard", _("Checkerboard")),
    ("magenta", _("Magenta")),
    ("white", _("White")),
    ("black", _("Black")),
)
EVERY: Final = "all"


class SheetForm(forms.Form):
    """Filters of the contact sheet, and the ground on which cut-outs are shown."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": _("Product")}),
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    ground = forms.ChoiceField(label=_("Ground"), required=False)

    search: Search | None = None

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__({"state": CutoutState.DOUBTFUL, "ground": GROUNDS[0][0], **data})
        models = [(s.label, m._meta.verbose_name_plural) for m, s in registered().items()]
        scenes = [(SCENE + scene.key, scene.name) for scene in scenes_with_recipe()]
        self.fields["state"].choices = [*CutoutState.choices, (EVERY, _("All"))]
        self.fields["model"].choices = [("", _("All")), *models]
        self.fields["ground"].choices = [*GROUNDS, *([(_("Scenes"), scenes)] if scenes else [])]

    def filter(self, rows: QuerySet[PhotoCutout]) -> QuerySet[PhotoCutout]:
        """Return those of ``rows`` that match. Invalid values are ignored, as if they were not given."""
        self.is_valid()
        query = self.cleaned_data
        state = query.get("state") or CutoutState.DOUBTFUL
        if state == CutoutState.DOUBTFUL:
            rows = rows.filter(doubtful())
        elif state != EVERY:
            rows = rows.filter(state=state)
        if query.get("model"):
            rows = rows.filter(content_type=content_type_of(source_for(query["model"]).model))
        if query.get("q"):
            self.search = Search(term=query["q"], rows=PhotoCutout.objects)
            rows = rows.filter(self.search.about)
        return rows

    @property
    def chosen_ground(self) -> str:
        return str(self.cleaned_data.get("ground") or GROUNDS[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """Consecutive cut-outs of the sheet, by key. ``has_earlier``, ``has_later``: whether there are more."""

    rows: Sequence[PhotoCutout]
    has_earlier: bool
    has_later: bool


def part_of(
    rows: QuerySet[PhotoCutout], *, after: int | None = None, before: int | None = None
) -> SheetPart:
    """Return the newest of ``rows``, or those after or before the one with a key, which may have been
    decided meanwhile."""
    if before is not None:
        block = list(rows.filter(pk__gt=before).order_by("pk")[: PER_PAGE + 1])
        return SheetPart(
            rows=block[:PER_PAGE][::-1], has_earlier=len(block) > PER_PAGE, has_later=True
        )
    later = rows if after is None else rows.filter(pk__lt=after)
    block = list(later.order_by("-pk")[: PER_PAGE + 1])
    return SheetPart(
        rows=block[:PER_PAGE], has_earlier=after is not None, has_later=len(block) > PER_PAGE
    )


class SheetViews:
    """Contact sheet and decisions, as additional pages of ``PhotoCutoutAdmin``."""

    def sheet_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "sheet/",
                require_GET(self.sheet),
                name="sheet",
                action=Action.VIEW_CUTOUTS,
                api="cutout_list",
            ),
            self.page(
                "decide/",
                require_POST(self.decide),
                name="decide",
                action=Action.VIEW_CUTOUTS,
                api="cutout_confirm cutout_refuse cutout_kind cutout_cut_again cutout_undo",
            ),
        ]

    def sheet(self, request: HttpRequest) -> HttpResponse:
        """Show cut-outs as cards, with a constant number of queries."""
        self.require_view(request)
        form = SheetForm(request.GET.dict())
        rows = form.filter(visible_to(request.user))
        if form.search is not None:
            form.search.warn(request)
        part = part_of(rows, after=key_in(request.GET, AFTER), before=key_in(request.GET, BEFORE))
        cutouts = cards.prepare(part.rows, site=self.admin_site)
        context = self.page_context(
            request,
            title=gettext("Look at cut-outs"),
            form=form,
            found=count_message(rows),
            cutouts=cutouts,
            permissions=CutoutPermissions.of(request.user),
            kinds=KIND_NAMES,
            query=query_from(request.GET),
            back=request.GET.urlencode(),
            earlier=query_from(request.GET, **{BEFORE: cutouts[0].pk})
            if part.has_earlier and cutouts
            else "",
            later=query_from(request.GET, **{AFTER: cutouts[-1].pk}) if part.has_later else "",
        )
        self.set_shown(cutouts, ground=form.chosen_ground)
        return TemplateResponse(request, "admin/nb_catalog/photocutout/sheet.html", context)

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Do "verb:key" to one cut-out, or "verb_chosen" to all that were selected."""
        self.require_view(request)
        verb, _colon, key = request.POST.get("decision", "").partition(":")
        if verb.endswith(CHOSEN):
            verb = verb.removesuffix(CHOSEN)
            chosen = request.POST.getlist("chosen")
            keys = [each for each in chosen if INTEGER_KEY.fullmatch(each)]
        else:
            keys = [key] if INTEGER_KEY.fullmatch(key) else []
            if not keys:
                raise Http404
        if verb not in VERBS:
            raise Http404
        rows = list(PhotoCutout.objects.filter(pk__in=keys).order_by("-pk"))
        if key and not rows:
            raise Http404
        outcome = execute(rows, verb, actor=request.user)
        if request.accepts("text/html"):
            self.message_user(request, outcome.message, outcome.level)
            return self._redirect_back(request)
        form = SheetForm(QueryDict(request.POST.get("back", "")).dict())
        found = count_message(form.filter(visible_to(request.user)))
        [cutout] = cards.prepare(PhotoCutout.objects.filter(pk=key), site=self.admin_site)
        self.set_shown([cutout], ground=form.chosen_ground)
        context = {
            "cutout": cutout,
            "permissions": CutoutPermissions.of(request.user),
            "kinds": KIND_NAMES,
        }
        template = "admin/nb_catalog/photocutout/card.html"
        return JsonResponse(
            {
                "ok": outcome.succeeded,
                "level": messages.DEFAULT_TAGS[outcome.level],
                "message": outcome.message,
                "undo": outcome.undo,
                "card": render_to_string(template, context, request),
                "found": found,
            }
        )

    def set_shown(self, cutouts: Sequence[PhotoCutout], *, ground: str) -> None:
        """Set the URLs of the picture that each card shows on ``ground``, and of the one in a scene."""
        for cutout in cutouts:
            cutout.scene_base = self.url_of("scene", cutout.pk) if cutout.is_shown else ""
            cutout.shown_url = cutout.cut_url
            if ground.startswith(SCENE) and cutout.is_shown:
                cutout.shown_url = f"{cutout.scene_base}?scene={ground.removeprefix(SCENE)}"

    def require_view(self, request: HttpRequest) -> None:
        request.current_app = self.admin_site.name
        if not may(request.user, Action.VIEW_CUTOUTS):
            raise PermissionDenied

    def _redirect_back(self, request: HttpRequest) -> HttpResponse:
        editor = request.POST.get("editor", "")
        if INTEGER_KEY.fullmatch(editor):
            return redirect(self.change_url(editor))
        # Parsed and encoded again, so that no posted value can redirect to another page.
        query = QueryDict(request.POST.get("back", "")).urlencode()
        return redirect(f"{self.url_of('sheet')}?{query}" if query else self.url_of("sheet"))


def scenes_with_recipe() -> list[Scene]:
    """Return the active scenes that the local provider can make."""
    return [scene for scene in Scene.objects.filter(is_active=True) if scene.renderer]


def count_message(rows: QuerySet[PhotoCutout]) -> str:
    """Return how many cut-outs there are, as a sentence; long lists are not counted."""
    count = pagination.bounded_count(rows)
    if count is None:
        return gettext("More than %d cut-outs") % pagination.COUNT_LIMIT
    return ngettext("%d cut-out", "%d cut-outs", count) % count
