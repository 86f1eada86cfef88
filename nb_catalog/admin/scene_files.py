"""Import and export of scenes in the admin: a file, a preview of what it changes, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import storage
from nb_catalog.admin.base import AdminPages, declares
from nb_catalog.core.permissions import Action as Permitted
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation import scene_files
from nb_catalog.generation.scene_files import Action, Change, OnCollision
from nb_catalog.models import Scene

FOLDER: Final = "imports"
ZIP: Final = "application/zip"
SALT: Final = "nb_catalog.scene_files"
# Seconds until a file has to be uploaded again.
PATIENCE: Final = 24 * 3600
ACTIONS: Final[Mapping[Action, Any]] = {
    Action.ADD: _("is added"),
    Action.RENAME: _("is added under another key"),
    Action.REPLACE: _("replaces the one here"),
    Action.SKIP: _("is skipped"),
    Action.SAME: _("is the same here"),
}
CHOICES: Final[Mapping[OnCollision, Any]] = {
    OnCollision.SKIP: _("Skip"),
    OnCollision.RENAME: _("Add under another key"),
    OnCollision.REPLACE: _("Replace"),
}
PARTS: Final[Mapping[str, Any]] = {
    "name": _("name"),
    "prompt": _("prompt"),
    "system": _("system instruction"),
    "renderer": _("recipe"),
    "backdrop": _("photo"),
    "backdrop_place": _("place in the photo"),
}


class SceneFileViews(AdminPages):
    """The pages of scenes' files, as additional pages of ``SceneAdmin``."""

    change_list_template = "admin/nb_catalog/scene/change_list.html"
    actions = ("export_selected",)

    def file_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "export/",
                self.export_all,
                name="export",
                action=Permitted.READ_SCENE_PROMPTS,
                api="scene_file",
            ),
            self.page(
                "import/",
                self.import_file,
                name="import",
                action=Permitted.CREATE_SCENES,
                api="scene_import_file",
            ),
        ]

    @declares(Permitted.READ_SCENE_PROMPTS, api="scene_file")
    @admin.action(description=_("Export selected scenes"), permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Scene]) -> HttpResponse:
        return self._export(request, queryset)

    def export_all(self, request: HttpRequest) -> HttpResponse:
        """Download all scenes with their photos. Requires what reading prompts requires."""
        return self._export(request, Scene.objects.all())

    def _export(self, request: HttpRequest, scenes: QuerySet[Scene]) -> HttpResponse:
        try:
            data = scene_files.export(scenes)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self.url_of("changelist"))
        name = f"scenes-{timezone.localdate():%Y-%m-%d}.zip"
        return HttpResponse(
            data,
            content_type=ZIP,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """GET asks for a file; POST shows what it would change, and applies it once that is confirmed.

        Requires the permissions add and change.
        """
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        objections: tuple[str, ...] = ()
        changes: tuple[Change, ...] = ()
        token = ""
        if request.method == "POST":
            try:
                token, data = self._uploaded(request)
                scenes = scene_files.read(data)
                # What was chosen for each key that exists; unknown values are skipped.
                choices = {
                    name.removeprefix("existing-"): OnCollision(value)
                    for name, value in request.POST.items()
                    if name.startswith("existing-") and value in set(OnCollision)
                }
                changes = scene_files.plan(scenes, choices=choices, default=OnCollision.SKIP)
                if "apply" in request.POST:
                    counts = scene_files.apply(changes)
                    written = counts[Action.ADD] + counts[Action.RENAME]
                    added = ngettext("%d scene was added.", "%d scenes were added.", written)
                    number = counts[Action.REPLACE]
                    replaced = ngettext("%d was replaced.", "%d were replaced.", number)
                    message = f"{added % written} {replaced % number}"
                    self.message_user(request, message, messages.SUCCESS)
                    name = signing.loads(token, salt=SALT, max_age=PATIENCE)
                    # A storage may be any foreign code with any error; nb_prune deletes what remains.
                    with suppress(Exception):
                        storage.catalog_storage().delete(name)
                    return redirect(self.url_of("changelist"))
            except RequestRefused as refusal:
                objections, token = refusal.objections, ""
            except NBCatalogError as error:
                objections = (str(error),)
        context = self.page_context(
            request,
            title=gettext("Import scenes"),
            objections=objections,
            token=token,
            rows=[
                {
                    "change": change,
                    "label": ACTIONS[change.action],
                    "collides": bool(change.differences),
                    "chosen": change.action.value,
                    "parts": ", ".join(str(PARTS.get(name, name)) for name in change.differences),
                }
                for change in changes
            ],
            choices=[(each.value, label) for each, label in CHOICES.items()],
        )
        return TemplateResponse(request, "admin/nb_catalog/scene/import.html", context)

    def _uploaded(self, request: HttpRequest) -> tuple[str, bytes]:
        """Return the file of this request or of the one before it, and the token that names it.

        Raises ``RequestRefused``, ``StorageFailed``.
        """
        file: Any = request.FILES.get("file")
        if file is not None:
            # One byte more than is allowed: then it is refused, and never read as a whole.
            data = file.read(scene_files.MAX_BYTES + 1)
            scene_files.read(data)
            stored = storage.store(data, folder=FOLDER, mime_type=ZIP)
            return signing.dumps(stored.name, salt=SALT), data
        token = request.POST.get("token", "")
        if not token:
            raise RequestRefused(gettext("Choose a file first."))
        try:
            name = signing.loads(token, salt=SALT, max_age=PATIENCE)
            return token, storage.read(name)
        except (signing.BadSignature, NBCatalogError) as error:
            raise RequestRefused(
                gettext("The file is no longer there. Upload it again.")
            ) from error
