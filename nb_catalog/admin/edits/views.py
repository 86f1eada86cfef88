"""The page on which a picture is edited: history, an instruction with a mask, adjustments with a preview."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import generation, review
from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.edits.forms import AdjustmentForm, InstructionForm
from nb_catalog.admin.edits.history import edit_steps, failures_of, underway
from nb_catalog.admin.review.forms import pictures
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, NBCatalogError, RequestRefused
from nb_catalog.generation.plan import Plan
from nb_catalog.models import ProductImage

PREVIEW_SIDE = 960
UNPROCESSABLE = 422


class EditViews:
    """Edits, as additional pages of ``ProductImageAdmin``."""

    def edit_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/edit/",
                require_GET(self.edit),
                name="edit",
                action=Action.VIEW_IMAGES,
                api="image_plan_edit",
            ),
            self.page(
                "<int:pk>/edit/ask/",
                require_POST(self.ask),
                name="edit_ask",
                action=Action.EDIT,
                api="image_edit",
            ),
            self.page(
                "<int:pk>/edit/adjust/",
                require_POST(self.adjust),
                name="edit_adjust",
                action=Action.ADJUST,
                api="image_adjust",
            ),
            self.page(
                "<int:pk>/edit/preview/",
                require_POST(self.edit_preview),
                name="edit_preview",
                action=Action.ADJUST,
                api="image_preview_adjust",
            ),
            self.page(
                "<int:pk>/edit/undo/",
                require_POST(self.undo_edit),
                name="edit_undo",
                action=Action.ADJUST,
                api="image_reject",
            ),
            self.page(
                "<int:pk>/edit/texts/",
                require_POST(self.edit_texts),
                name="edit_texts",
                action=Action.ADJUST,
                api="image_move_texts",
            ),
        ]

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the picture with its tools and the history of its edits."""
        image = self._editable(request, pk)
        return self._edit_page(request, image, InstructionForm(image=image), AdjustmentForm())

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: have a model make the edit that the instruction asks for."""
        image = self._editable(request, pk)
        form = InstructionForm(request.POST, request.FILES, image=image)
        if not form.is_valid():
            return self._edit_page(request, image, form, AdjustmentForm(), status=UNPROCESSABLE)
        values = form.cleaned_data
        file = values["mask"]
        try:
            plan = generation.plan_edit(
                image,
                values["instruction"],
                tier=values["tier"],
                mode=values["mode"],
                # One byte more than is accepted, so that it is refused with a sentence.
                mask=file.read(settings.MAX_PICTURE_BYTES + 1) if file else None,
                candidates=values["candidates"],
                session=values.get("session", False),
            )
            self._start(request, plan, budget_usd=values["budget_usd"])
        except NBCatalogError as error:
            return self._refused(request, image, error, form, AdjustmentForm())
        return self._edited(request, pk)

    def adjust(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: make adjustments without a model."""
        image = self._editable(request, pk)
        form = AdjustmentForm(request.POST)
        if not form.is_valid():
            return self._edit_page(
                request, image, InstructionForm(image=image), form, status=UNPROCESSABLE
            )
        try:
            self._start(request, generation.plan_adjustments([image], form.adjustments()))
        except NBCatalogError as error:
            return self._refused(request, image, error, InstructionForm(image=image), form)
        return self._edited(request, pk)

    def edit_preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: what adjustments would make, as a small picture; a sentence if they are not possible."""
        image = self._editable(request, pk)
        form = AdjustmentForm(request.POST)
        if not form.is_valid():
            message = " ".join(error for errors in form.errors.values() for error in errors)
            return JsonResponse({"ok": False, "message": message}, status=UNPROCESSABLE)
        try:
            data = generation.preview_adjustments(image, form.adjustments(), side=PREVIEW_SIDE)
        except NBCatalogError as error:
            return JsonResponse({"ok": False, "message": str(error)}, status=UNPROCESSABLE)
        return HttpResponse(data, content_type="image/webp")

    def undo_edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: go back to the picture before, and reject this one if nobody has decided about it."""
        image = self._editable(request, pk)
        if image.parent_id is None or not image.spec.get("edit"):
            self.message_user(request, gettext("There is no step to undo."), messages.WARNING)
            return redirect(self.url_of("edit", pk))
        if image.state == ImageState.PENDING and may(request.user, Action.REVIEW):
            try:
                review.reject(
                    image, actor=request.user, note=gettext("Undone on the page of edits.")
                )
            except InvalidTransition as error:
                self.message_user(request, str(error), messages.WARNING)
            else:
                message = gettext("Picture %d was rejected. It stays in the history.") % pk
                self.message_user(request, message, messages.SUCCESS)
        return redirect(self.url_of("edit", image.parent_id))

    def edit_texts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: set the texts of the pictures before on this one."""
        image = self._editable(request, pk)
        try:
            run = review.move_texts(image, actor=request.user)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            message = (
                gettext("There is no text to set, or it is on this picture already.")
                if run is None
                else gettext("The texts of the picture before are being set on this one.")
            )
            self.message_user(request, message)
        return redirect(self.url_of("edit", pk))

    def _editable(self, request: HttpRequest, pk: int) -> ProductImage:
        request.current_app = self.admin_site.name
        return get_object_or_404(pictures().select_related("parent"), pk=pk)

    def _start(self, request: HttpRequest, plan: Plan, **options: Any) -> None:
        items = list(plan.items())
        if problems := dict.fromkeys(item.problem for item in items if item.problem):
            raise RequestRefused(*problems)
        number = sum(item.is_wanted for item in items)
        if number:
            generation.start_run(plan, actor=request.user, priority=None, **options)
            message = ngettext("%d picture is being made.", "%d pictures are being made.", number)
            self.message_user(request, message % number, messages.SUCCESS)
        else:
            message = gettext("This edit was made already: it is in the history below.")
            self.message_user(request, message, messages.WARNING)

    def _edited(self, request: HttpRequest, pk: int) -> HttpResponse:
        url = self.url_of("edit", pk)
        return redirect(url) if request.accepts("text/html") else JsonResponse({"url": url})

    def _refused(
        self,
        request: HttpRequest,
        image: ProductImage,
        error: NBCatalogError,
        asked: InstructionForm,
        adjusted: AdjustmentForm,
    ) -> HttpResponse:
        if not request.accepts("text/html"):
            return JsonResponse({"ok": False, "message": str(error)}, status=UNPROCESSABLE)
        self.message_user(request, str(error), messages.ERROR)
        return self._edit_page(request, image, asked, adjusted, status=UNPROCESSABLE)

    def _edit_page(
        self,
        request: HttpRequest,
        image: ProductImage,
        asked: InstructionForm,
        adjusted: AdjustmentForm,
        *,
        status: int = 200,
    ) -> HttpResponse:
        catalog_objects.attach_info([image], site=self.admin_site)
        problem = ""
        try:
            generation.require_editable(image)
        except NBCatalogError as error:
            problem = str(error)
        steps = edit_steps(image, site=self.admin_site)
        context = self.page_context(
            request,
            title=gettext("Edit picture %d") % image.pk,
            image=image,
            problem=problem,
            base=image.parent if problem and image.locale else None,
            asked=asked,
            adjusted=adjusted,
            steps=steps,
            step=next(each for each in steps if each.image.pk == image.pk),
            underway=underway(steps),
            failures=failures_of(image),
            may_edit=may(request.user, Action.EDIT),
            may_review=may(request.user, Action.REVIEW),
            picture_url=thumbnails.original_url(image, site=self.admin_site),
            large_url=thumbnails.thumbnail_url(image, site=self.admin_site, width=thumbnails.LARGE),
        )
        template = "admin/nb_catalog/productimage/edit.html"
        return TemplateResponse(request, template, context, status=status)
