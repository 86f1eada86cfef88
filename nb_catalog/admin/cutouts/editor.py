"""The editor of one cut-out: its pictures, strokes that are solved, and masks that are saved."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from nb_catalog.admin.cutouts import cards
from nb_catalog.admin.cutouts.decisions import KIND_NAMES, MOVES, CutoutPermissions
from nb_catalog.admin.cutouts.sheet import GROUNDS, scenes_with_recipe
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.cutouts import previews
from nb_catalog.cutouts.access import may_each
from nb_catalog.cutouts.decisions import replace_mask
from nb_catalog.cutouts.photos import photo_of
from nb_catalog.exceptions import (
    InvalidTransition,
    NBCatalogError,
    PictureError,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import PhotoCutout, Scene

# Decisions that the page lists.
MAX_EVENTS: Final = 20
CONFLICT, UNPROCESSABLE = 409, 422


class EditorViews:
    """Editor and pictures of a cut-out, as additional pages of ``PhotoCutoutAdmin``."""

    def editor_urls(self) -> list[URLPattern]:
        def picture(route: str, view: Any, **declared: str) -> URLPattern:
            action, view = Action.VIEW_CUTOUTS, require_GET(view)
            return self.page(f"<int:pk>/{route}", view, action=action, cacheable=True, **declared)

        return [
            picture(
                "photo-<slug:digest>.jpg",
                self.photo,
                name="photo",
                only_here="the photo is a file of the shop",
            ),
            picture("mask-<slug:digest>.png", self.mask, name="mask", api="cutout_mask_picture"),
            picture(
                "cut-<slug:digest>-<int:side>.webp", self.cut, name="cut", api="cutout_preview"
            ),
            picture("scene.webp", self.scene, name="scene", api="cutout_preview"),
            self.page(
                "<int:pk>/preview/",
                require_POST(self.preview),
                name="preview",
                action=Action.VIEW_CUTOUTS,
                api="cutout_preview",
            ),
            self.page(
                "<int:pk>/solve/",
                require_POST(self.solve),
                name="solve",
                action=Action.DECIDE_CUTOUTS,
                api="cutout_solve",
            ),
            self.page(
                "<int:pk>/save/",
                require_POST(self.save),
                name="save",
                action=Action.DECIDE_CUTOUTS,
                api="cutout_mask",
            ),
        ]

    def editor(self, request: HttpRequest, cutout: PhotoCutout) -> HttpResponse:
        """Show the editor, or the reason why the photo cannot be edited."""
        [cutout] = cards.prepare([cutout], site=self.admin_site)
        problem = ""
        try:
            # What the browser would load is looked up, not read.
            photo_of(cutout)
        except NBCatalogError as error:
            problem = str(error)
        permissions = CutoutPermissions(
            decide=may_each(request.user, Action.DECIDE_CUTOUTS, [cutout]),
            cut_again=may_each(request.user, Action.CUT_AGAIN, [cutout]),
        )
        # The newest first; those that were undone are marked.
        events = list(cutout.events.select_related("actor").order_by("-pk")[:MAX_EVENTS])
        undone = {event.before.get("undone") for event in events if event.move == "undo"}
        for event in events:
            event.name = MOVES.get(event.move, event.move)
            event.is_undone = event.pk in undone
        context = self.page_context(
            request,
            title=gettext("Cut-out of %(product)s") % {"product": cutout.object_info.title},
            cutout=cutout,
            problem=problem,
            permissions=permissions,
            kinds=KIND_NAMES,
            grounds=GROUNDS,
            scenes=scenes_with_recipe(),
            scene_url=self.url_of("scene", cutout.pk),
            photo_url=self._picture_url("photo", cutout),
            mask_url=self._picture_url("mask", cutout),
            events=events,
        )
        return TemplateResponse(request, "admin/nb_catalog/photocutout/editor.html", context)

    def photo(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        return cards.serve(request, previews.photo_preview(self._row(request, pk)), forever=True)

    def mask(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        return cards.serve(request, previews.mask_preview(self._row(request, pk)), forever=True)

    def cut(self, request: HttpRequest, pk: int, digest: str, side: int) -> HttpResponse:
        if side not in previews.SIDES:
            raise Http404
        cutout = self._row(request, pk)
        return cards.serve(request, previews.cut_preview(cutout, side=side), forever=True)

    def scene(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET: the stored cut-out in ``?scene=``, as the local provider makes it."""
        cutout, scene = self._row(request, pk), self._scene(request.GET.get("scene", ""))
        return cards.serve(request, previews.scene_preview(cutout, scene), forever=False)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: the same with a mask that is not saved."""
        cutout, scene = self._row(request, pk), self._scene(request.POST.get("scene", ""))
        try:
            mask = self._upload(request, "mask")
            data = previews.scene_file(cutout, scene, mask=mask, side=previews.LARGE)
        except NBCatalogError as error:
            return refusal(error)
        return HttpResponse(data, content_type="image/webp")

    def solve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: the mask that strokes draw over the one that is sent with them."""
        cutout = self._row(request, pk, action=Action.DECIDE_CUTOUTS)
        try:
            strokes = json.loads(request.POST.get("strokes", ""))
        except (ValueError, RecursionError):
            strokes = None
        try:
            data = previews.solve(cutout, strokes, mask=self._upload(request, "mask"))
        except NBCatalogError as error:
            return refusal(error)
        return HttpResponse(data, content_type="image/png")

    def save(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: store the mask that was drawn, or a file: a mask or a cut photo."""
        cutout = self._row(request, pk, action=Action.DECIDE_CUTOUTS)
        version = request.POST.get("version", "")
        try:
            data = self._upload(request, "mask")
            if data is None:
                raise RequestRefused(gettext("Choose a file: a mask, or the photo cut out."))
            if not version.isdecimal() or len(version) > 9:
                raise RequestRefused(gettext("The form is incomplete. Load the page again."))
            replace_mask(cutout, data, actor=request.user, version=int(version))
        except NBCatalogError as error:
            if not request.accepts("text/html"):
                cutout.refresh_from_db()
                mask_url = self._picture_url("mask", cutout)
                return refusal(error, cutout=cutout, mask_url=mask_url)
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self.change_url(pk))
        self.message_user(request, gettext("The mask was saved."), messages.SUCCESS)
        if request.accepts("text/html"):
            return redirect(self.change_url(pk))
        return JsonResponse({"ok": True})

    def change_url(self, pk: Any) -> str:
        return reverse(f"{self.admin_site.name}:nb_catalog_photocutout_change", args=[pk])

    def _row(
        self, request: HttpRequest, pk: int, *, action: Action = Action.VIEW_CUTOUTS
    ) -> PhotoCutout:
        self.require_view(request)
        cutout = get_object_or_404(PhotoCutout, pk=pk)
        if not may_each(request.user, action, [cutout]):
            raise PermissionDenied
        return cutout

    def _scene(self, key: str) -> Scene:
        return get_object_or_404(Scene, key=key, is_active=True)

    def _upload(self, request: HttpRequest, name: str) -> bytes | None:
        file = request.FILES.get(name)
        # One byte more than is accepted, so that it is refused with a sentence and not read to its end.
        return None if file is None else file.read(settings.MAX_PICTURE_BYTES + 1)

    def _picture_url(self, kind: str, cutout: PhotoCutout) -> str:
        return self.url_of(kind, cutout.pk, previews.digest_of(cutout, kind))


def refusal(
    error: NBCatalogError, *, cutout: PhotoCutout | None = None, mask_url: str = ""
) -> JsonResponse:
    """Return ``error`` as a sentence; with the current version and mask of ``cutout`` if someone else was
    faster."""
    data: dict[str, Any] = {"ok": False, "message": str(error)}
    if isinstance(error, InvalidTransition) and cutout is not None:
        return JsonResponse({**data, "version": cutout.version, "mask": mask_url}, status=CONFLICT)
    known = isinstance(error, PictureError | RequestRefused | StorageFailed)
    return JsonResponse(data, status=UNPROCESSABLE if known else CONFLICT)
