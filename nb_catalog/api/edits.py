"""Edits of pictures below ``images/``: adjustments without a model, and edits in words."""

import binascii
from base64 import b64decode
from hashlib import sha256

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import generation, review
from nb_catalog.api import idempotency
from nb_catalog.api.fields import NoBodySerializer
from nb_catalog.api.operations import RUN, Operation
from nb_catalog.api.plans import plan_as_dict
from nb_catalog.api.results import MaybeStartedRunSerializer, PlanSerializer
from nb_catalog.api.run_notices import NotifyField, inform_if_asked
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import RequestMode
from nb_catalog.cutouts.previews import LARGE
from nb_catalog.exceptions import (
    AdjustmentRefused,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    PlanRefused,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.generation.drawings import MIME_TYPE
from nb_catalog.generation.instructed_edits import MAX_CANDIDATES
from nb_catalog.imaging.adjust.kinds import MOST_ADJUSTMENTS


class AdjustSerializer(serializers.Serializer):
    """Adjustments of a picture, made one after the other: ``{"kind": "crop", "ratio": "4:5"}``."""

    adjustments = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField()), max_length=MOST_ADJUSTMENTS
    )


class MaskField(serializers.CharField):
    """A picture file in base64."""

    def to_internal_value(self, data):
        try:
            return b64decode(super().to_internal_value(data), validate=True)
        except (binascii.Error, ValueError) as error:
            raise serializers.ValidationError(_("Send a picture file in base64.")) from error


class EditPlanSerializer(serializers.Serializer):
    """An edit in words. ``mask`` is white where the picture is to change, and as large as the picture."""

    instruction = serializers.CharField(allow_blank=True, max_length=20_000)
    tier = serializers.CharField(default="draft", max_length=40)
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)
    mask = MaskField(required=False, help_text=_("A PNG file in base64."))
    candidates = serializers.IntegerField(default=1, min_value=1, max_value=MAX_CANDIDATES)
    session = serializers.BooleanField(
        default=False,
        help_text=_("Have the service store it, so that the next edit goes on from it."),
    )


class EditRunSerializer(EditPlanSerializer):
    """An edit with its budget."""

    notify = NotifyField()
    budget_usd = serializers.DecimalField(
        default=None, allow_null=True, max_digits=14, decimal_places=6, min_value=0
    )


EDIT_REFUSALS = (
    RequestRefused, PlanRefused, NotRegistered, ObjectGone, AdjustmentRefused, PictureMissing,
    PictureUnreadable, PictureTooLarge, StorageFailed,
)  # fmt: skip
EDIT_SERIALIZERS = {
    **dict.fromkeys(("adjust", "preview_adjust"), AdjustSerializer),
    "plan_edit": EditPlanSerializer,
    "edit": EditRunSerializer,
    "move_texts": NoBodySerializer,
}
_MAYBE_STARTED = Operation(
    returns=MaybeStartedRunSerializer,
    status=status.HTTP_201_CREATED,
    also={status.HTTP_200_OK: MaybeStartedRunSerializer},
    refuses=EDIT_REFUSALS,
    once=True,
    location=RUN,
)
EDIT_OPERATIONS = {
    **dict.fromkeys(("adjust", "move_texts", "edit"), _MAYBE_STARTED),
    "preview_adjust": Operation(media_types=(MIME_TYPE,), refuses=EDIT_REFUSALS),
    "plan_edit": Operation(returns=PlanSerializer, refuses=EDIT_REFUSALS),
}
EDIT_PERMISSIONS = {**dict.fromkeys(EDIT_SERIALIZERS, Action.ADJUST), "edit": Action.EDIT}


class EditActions:
    """Actions of the view set of pictures."""

    @action(detail=True, methods=["post"])
    def adjust(self, request, *args, **kwargs):
        """Adjust a picture without a model, free of charge. ``run`` is null if the same picture with the same
        adjustments already exists or is being made."""
        image, body = self.get_object(), self.validated_body()

        def start():
            plan = generation.plan_adjustments([image], body["adjustments"])
            return self._start_edit(plan)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["post"], url_path="adjust/preview")
    def preview_adjust(self, request, *args, **kwargs):
        """Return a picture as adjustments would make it, 960 pixels long. Nothing is stored."""
        image, body = self.get_object(), self.validated_body()
        data = generation.preview_adjustments(image, body["adjustments"], side=LARGE)
        return HttpResponse(data, content_type=MIME_TYPE)

    @action(detail=True, methods=["post"], url_path="plan-edit")
    def plan_edit(self, request, *args, **kwargs):
        """Return what an edit in words would cost. Nothing is generated."""
        plan = self._edit_plan(self.get_object(), self.validated_body())
        return Response(plan_as_dict(plan, page=1, page_size=MAX_CANDIDATES))

    @action(detail=True, methods=["post"])
    def edit(self, request, *args, **kwargs):
        """Have a model change a picture as the instruction says, which costs money. ``run`` is null if these
        pictures exist or are being made."""
        image, body = self.get_object(), self.validated_body()
        asked = {**body, "mask": sha256(body["mask"]).hexdigest() if "mask" in body else ""}

        def start():
            plan = self._edit_plan(image, body)
            return self._start_edit(plan, budget_usd=body["budget_usd"], notify=body["notify"])

        return idempotency.once(self, asked, start)

    def _edit_plan(self, image, body):
        named = ("tier", "mode", "mask", "candidates", "session")
        options = {name: body[name] for name in named if name in body}
        return generation.plan_edit(image, body["instruction"], **options)

    @action(detail=True, methods=["post"], url_path="move-texts")
    def move_texts(self, request, *args, **kwargs):
        """Set the texts of the pictures that this one is an edit of, free of charge. ``run`` is null if there
        is nothing to set."""
        image, body = self.get_object(), self.validated_body()

        def start():
            run = review.move_texts(image, actor=request.user)
            if run is None:
                return Response({"run": None})
            return Response({"run": run.pk}, status=status.HTTP_201_CREATED)

        return idempotency.once(self, body, start)

    def _start_edit(self, plan, *, notify=False, **options):
        items = list(plan.items())
        if problems := [item.problem for item in items if item.problem]:
            raise RequestRefused(problems[0])
        if not any(item.is_wanted for item in items):
            return Response({"run": None})
        run = generation.start_run(plan, actor=self.request.user, priority=None, **options)
        inform_if_asked(run, request=self.request, notify=notify)
        return Response({"run": run.pk}, status=status.HTTP_201_CREATED)
