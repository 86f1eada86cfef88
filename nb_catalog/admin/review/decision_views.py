"""Decisions of the review page: by its form, or sent by its script from a queue in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import review
from nb_catalog.admin.changelists import INTEGER_KEY
from nb_catalog.admin.review.actions import (
    MAX_POSITION,
    VERBS,
    ReviewAction,
    ReviewOutcome,
    ReviewPermissions,
    execute,
    outcome_of,
    require,
    with_note,
)
from nb_catalog.admin.review.cards import offers_for, prepare_cards
from nb_catalog.admin.review.forms import MINE, FilterForm, pictures
from nb_catalog.core import pagination
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import ProductImage, ReviewDecision
from nb_catalog.models.images import ImageKind
from nb_catalog.review.decisions import ACTIONS

# Decisions that the page's script may send at once, and cards that it may fetch.
MAX_SENT: Final = 50
UNDO_BATCH: Final = "undo_batch"
COMMENT: Final = "comment"
OTHERS: Final = ("undo", UNDO_BATCH, COMMENT)
# What the buttons for selected pictures do: the verb, and the message with their number.
SELECTED: Final[Mapping[str, tuple[str, Callable[[int], str]]]] = {
    "approve_chosen": (
        "approve",
        lambda n: ngettext("%d picture approved.", "%d pictures approved.", n) % n,
    ),
    "reject_chosen": (
        "reject",
        lambda n: ngettext("%d picture rejected.", "%d pictures rejected.", n) % n,
    ),
    "publish_chosen": (
        "publish",
        lambda n: ngettext("%d picture published.", "%d pictures published.", n) % n,
    ),
    "reconsider_chosen": (
        "reconsider",
        lambda n: (
            ngettext(
                "%d picture is waiting for review again.",
                "%d pictures are waiting for review again.",
                n,
            )
            % n
        ),
    ),
}


class SentForm(forms.Form):
    """One entry of the queue in the browser: a decision, or the undoing of one or of a batch."""

    id = forms.UUIDField()
    image = forms.IntegerField(required=False, min_value=1, max_value=10**18)
    verb = forms.ChoiceField(choices=[(verb, verb) for verb in (*ACTIONS, *OTHERS)])
    seen = forms.CharField(required=False, max_length=10)
    note = forms.CharField(required=False, max_length=2000)
    slot = forms.CharField(required=False, max_length=40)
    locale = forms.CharField(required=False, max_length=20)
    position = forms.IntegerField(required=False, min_value=0, max_value=MAX_POSITION)
    batch = forms.UUIDField(required=False)
    undoes = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        needed = "undoes" if sent.get("verb") in ("undo", UNDO_BATCH) else "image"
        if not sent.get(needed):
            self.add_error(needed, self.fields[needed].error_messages["required"])
        return sent


class DecisionViews:
    """What is decided on the review page, as additional addresses of ``ProductImageAdmin``."""

    def decision_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "review/decide/",
                require_POST(self.decide),
                name="decide",
                action=Action.VIEW_IMAGES,
                api=(
                    "image_approve image_reject image_reconsider image_retire image_restore image_comment "
                    "image_publish image_publish_final image_set_text image_read_text image_compare "
                    "image_escalate"
                ),
            ),
            self.page(
                "review/send/",
                require_POST(self.send),
                name="send",
                action=Action.VIEW_IMAGES,
                api="decision_create decision_undo",
            ),
            self.page(
                "review/cards/",
                require_GET(self.cards),
                name="cards",
                action=Action.VIEW_IMAGES,
                api="image_list",
            ),
        ]

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Execute "verb:key" on one picture, decide about all selected ones, or undo "undo_batch:key"."""
        self.require_view(request)
        verb, _colon, key = request.POST.get("decision", "").partition(":")
        if verb in SELECTED:
            return self.decide_selected(request, verb)
        if verb == UNDO_BATCH:
            return self.undo_batch(request, key)
        if verb == COMMENT and INTEGER_KEY.fullmatch(key):
            try:
                self._comment(request, int(key), request.POST.get(f"comment-{key}", ""))
            except NBCatalogError as error:
                self.message_user(request, str(error), messages.ERROR)
            return self._redirect_back(request)
        if verb not in VERBS or not INTEGER_KEY.fullmatch(key):
            raise Http404
        image = get_object_or_404(ProductImage, pk=key, kind=ImageKind.PICTURE)
        action = ReviewAction.from_form(verb, image.pk, request.POST)
        outcome = execute(image, action, actor=request.user)
        if request.accepts("text/html"):
            message = outcome.message
            if outcome.undo:
                url = self.undo_url(image, outcome)
                message = format_html('{} <a href="{}">{}</a>', message, url, gettext("Undo…"))
            self.message_user(request, message, outcome.level)
            return self._redirect_back(request)
        # The filters of the page that the decision was made on.
        form = FilterForm(QueryDict(request.POST.get("back", "")).dict())
        return JsonResponse(
            {
                "ok": outcome.succeeded,
                "level": messages.DEFAULT_TAGS[outcome.level],
                "message": outcome.message,
                "undo": outcome.undo,
                "place": dict(outcome.place),
                "card": self._render_cards(request, pictures().filter(pk=image.pk))[image.pk],
                "found": count_message(form.get_queryset()),
            }
        )

    def send(self, request: HttpRequest) -> HttpResponse:
        """Carry out what the page's script has sent, one after another; what came before is only answered.

        The body is JSON: {"user": "7", "sent": [{"id", "image", "verb", …}]}, and so is the response: a
        result for each. 403 if another user is signed in than the one who has decided: nothing is done.
        """
        self.require_view(request)
        try:
            body = json.loads(request.body)
            sent, user = body["sent"], body.get("user")
        except (ValueError, KeyError, TypeError):
            sent = None
        if not isinstance(sent, list) or not all(isinstance(each, dict) for each in sent):
            return HttpResponseBadRequest('The body must be JSON: {"sent": [{…}]}')
        if user is not None and str(user) != str(request.user.pk):
            raise PermissionDenied
        if len(sent) > MAX_SENT:
            return HttpResponseBadRequest(f"At most {MAX_SENT} decisions can be sent at once.")
        forms_sent = [SentForm(each) for each in sent]
        publishing = [
            form.cleaned_data["image"]
            for form in forms_sent
            if form.is_valid() and form.cleaned_data["verb"] == "publish"
        ]
        with review.deferred(publishing, actor=request.user) as together:
            results = [self._carry_out(request, form, together) for form in forms_sent]
        return JsonResponse({"results": results})

    def _carry_out(
        self, request: HttpRequest, form: SentForm, together: review.DeferredPublications
    ) -> dict[str, Any]:
        sent = form.data
        result: dict[str, Any] = {"id": sent.get("id"), "image": sent.get("image"), "states": {}}
        if not form.is_valid():
            problems = (f"{name}: {' '.join(errors)}" for name, errors in form.errors.items())
            return {**result, "outcome": "refused", "level": "error", "message": " ".join(problems)}
        values = form.cleaned_data
        try:
            if values["verb"] in ("undo", UNDO_BATCH):
                return {**result, **self._undo(request, values)}
            if values["verb"] == COMMENT:
                self._comment(request, values["image"], values["note"], key=values["id"])
                done = gettext("The comment was saved.")
                return {**result, "outcome": "done", "level": "success", "message": done}
            row = review.decide(
                review.Decision(
                    key=values["id"], image=values["image"], verb=values["verb"],
                    seen=values["seen"], note=values["note"],
                    slot=values["slot"], locale=values["locale"], position=values["position"] or 0,
                    batch=values["batch"],
                ),
                actor=request.user, together=together,
            )  # fmt: skip
        except PermissionDenied:
            message = gettext("You do not have the permission to do this.")
            return {**result, "outcome": "refused", "level": "error", "message": message}
        except NBCatalogError as error:
            return {**result, "outcome": "refused", "level": "error", "message": str(error)}
        outcome = outcome_of(row)
        message = outcome.message
        if not outcome.succeeded:
            message = with_note(message, values["note"])
        level = messages.DEFAULT_TAGS[outcome.level]
        return {
            **result, "outcome": row.outcome, "level": level, "message": message, "states": row.after
        }  # fmt: skip

    def _undo(self, request: HttpRequest, values: Mapping[str, Any]) -> dict[str, Any]:
        field = "batch" if values["verb"] == UNDO_BATCH else "key"
        rows = ReviewDecision.objects.filter(actor=request.user, **{field: values["undoes"]})
        result = review.undo(rows.select_related("image", "publication"), actor=request.user)
        count = len(result.undone)
        done = ngettext("%d decision undone.", "%d decisions undone.", count) % count
        refused = " ".join(result.refused)
        keys = {pk for each in result.undone for pk in (each.image_id, *map(int, each.before))}
        states = ProductImage.objects.filter(pk__in=keys).values_list("pk", "state")
        return {
            "outcome": "partly" if refused and count else "refused" if refused else "done",
            "level": "error" if refused else "success",
            "message": refused if not count and refused else f"{done} {refused}".strip(),
            "states": {str(pk): state for pk, state in states},
        }

    def _comment(
        self, request: HttpRequest, pk: int, text: str, *, key: UUID | None = None
    ) -> None:
        if not may(request.user, Action.COMMENT):
            raise PermissionDenied
        [image] = review.require_images([pk])
        review.comment(image, text, actor=request.user, key=key)

    def cards(self, request: HttpRequest) -> HttpResponse:
        """Return cards by their pictures' keys, and how many pictures the filter finds now, as JSON."""
        self.require_view(request)
        keys = request.GET.get("cards", "").split(",")[:MAX_SENT]
        rows = pictures().filter(pk__in=[key for key in keys if INTEGER_KEY.fullmatch(key)])
        form = FilterForm(request.GET.dict())
        waiting = form.get_queryset()
        if form.cleaned_data.get("queue") == MINE:
            waiting = review.unclaimed_by_others(
                waiting.filter(state=ImageState.PENDING), reviewer=request.user
            )
        found = count_message(waiting)
        return JsonResponse({"cards": self._render_cards(request, rows), "found": found})

    def _render_cards(self, request: HttpRequest, rows: QuerySet) -> dict[int, str]:
        permissions = ReviewPermissions.of(request.user)
        images = prepare_cards(
            rows, site=self.admin_site, permissions=permissions, viewer=request.user
        )
        context = {
            "permissions": permissions,
            "languages": django_settings.LANGUAGES,
            **offers_for(images),
        }
        template = "admin/nb_catalog/productimage/card.html"
        return {
            image.pk: render_to_string(template, {**context, "image": image}, request)
            for image in images
        }

    def decide_selected(self, request: HttpRequest, name: str) -> HttpResponse:
        """Decide about each selected picture, as one batch. With JavaScript, the page sends them itself."""
        verb, sentence = SELECTED[name]
        require(request.user, verb)
        batch, done, waiting = uuid4(), 0, 0
        images = list(pictures().filter(pk__in=_selected_keys(request)))
        publishing = [image.pk for image in images if verb == "publish"]
        with review.deferred(publishing, actor=request.user) as together:
            for image in images:
                action = replace(ReviewAction.from_form(verb, image.pk, request.POST), batch=batch)
                outcome = execute(image, action, actor=request.user, together=together)
                waiting += outcome.waits
                done += outcome.succeeded and not outcome.waits
                if not outcome.succeeded:
                    self.message_user(request, outcome.message, outcome.level)
        message = sentence(done)
        if waiting:
            waits = ngettext(
                "%d picture is published once its files for web pages are made.",
                "%d pictures are published once their files for web pages are made.",
                waiting,
            )
            message = " ".join([message] * bool(done) + [waits % waiting])
        done += waiting
        if done:
            query = urlencode({"batch": batch, "state": "all"})
            url = f"{self.url_of('review')}?{query}"
            message = format_html('{} <a href="{}">{}</a>', message, url, gettext("Undo…"))
        self.message_user(request, message, messages.SUCCESS if done else messages.WARNING)
        return self._redirect_back(request)

    def undo_batch(self, request: HttpRequest, key: str) -> HttpResponse:
        try:
            values = {"verb": UNDO_BATCH, "undoes": UUID(key)}
        except ValueError:
            raise Http404 from None
        result = self._undo(request, values)
        level = messages.SUCCESS if result["outcome"] == "done" else messages.ERROR
        self.message_user(request, result["message"], level)
        return self._redirect_back(request)

    def undo_url(self, image: ProductImage, outcome: ReviewOutcome) -> str:
        """Return the page on which ``outcome`` can be undone without JavaScript."""
        if outcome.undo == "roll_back":
            url = self.url_of("changelist", model="placement")
            return f"{url}?{urlencode({'q': image.object_id})}"
        return f"{self.url_of('review')}?{urlencode({'picture': image.pk})}"

    def _redirect_back(self, request: HttpRequest) -> HttpResponse:
        # Parsed and encoded again, so that no posted value can redirect to another page.
        query = QueryDict(request.POST.get("back", "")).urlencode()
        return redirect(f"{self.url_of('review')}?{query}" if query else self.url_of("review"))

    def require_view(self, request: HttpRequest) -> None:
        request.current_app = self.admin_site.name
        if not self.has_view_permission(request):
            raise PermissionDenied


def _selected_keys(request: HttpRequest) -> list[str]:
    return [key for key in request.POST.getlist("chosen") if INTEGER_KEY.fullmatch(key)]


def count_message(rows: QuerySet[ProductImage]) -> str:
    """Return how many pictures there are, as a sentence; long queues are not counted."""
    count = pagination.bounded_count(rows)
    if count is None:
        return gettext("More than %d pictures") % pagination.COUNT_LIMIT
    return ngettext("%d picture", "%d pictures", count) % count
