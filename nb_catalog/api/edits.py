"""Edits of pictures below ``images/``: adjustments without a model."""

from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import generation, review
from nb_catalog.api import idempotency
from nb_catalog.api.fields import NoBodySerializer
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.adjust.kinds import MOST_ADJUSTMENTS


class AdjustSerializer(serializers.Serializer):
    """Adjustments of a picture, made one after the other: ``{"kind": "crop", "ratio": "4:5"}``."""

    adjustments = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField()), max_length=MOST_ADJUSTMENTS
    )


EDIT_SERIALIZERS = {"adjust": AdjustSerializer, "move_texts": NoBodySerializer}
EDIT_PERMISSIONS = dict.fromkeys(EDIT_SERIALIZERS, Action.EDIT)


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

    def _start_edit(self, plan, **options):
        [item] = plan.items()
        if item.problem:
            raise RequestRefused(item.problem)
        if not item.is_wanted:
            return Response({"run": None})
        run = generation.start_run(plan, actor=self.request.user, priority=None, **options)
        return Response({"run": run.pk}, status=status.HTTP_201_CREATED)
