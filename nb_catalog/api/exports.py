"""``exports/``: pictures as a ZIP, and what it would hold."""

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import export
from nb_catalog.api.operations import Operation
from nb_catalog.api.rollbacks import KEY
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import NotRegistered, RegistryError, RequestRefused
from nb_catalog.export.names import LONGEST_PATTERN
from nb_catalog.export.types import DEFAULT_PATTERN, FORMATS, LEAST_SIDE, MOST_SIDE, ORIGINAL
from nb_catalog.export.web import MEDIA_TYPE, MOST_IN_REQUEST, archive_response, plan_for_web
from nb_catalog.registry import source_for

OF_PUBLISHED = ("model", "slots", "locales", "run", "series")


class ExportSerializer(serializers.Serializer):
    """Approved ``images``, or what is published: of a ``model``, in ``slots`` and ``locales`` ("" for all
    languages), of a ``run`` or a ``series``. Without any of these, everything that is published.

    ``number`` numbers files that would have the same name; otherwise they are refused.
    """

    images = serializers.ListField(
        child=serializers.IntegerField(**KEY),
        required=False,
        allow_empty=False,
        max_length=MOST_IN_REQUEST,
    )
    model = serializers.CharField(required=False, max_length=200)
    slots = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=100
    )
    locales = serializers.ListField(
        child=serializers.CharField(max_length=20, allow_blank=True), required=False, max_length=200
    )
    run = serializers.IntegerField(required=False, **KEY)
    series = serializers.CharField(required=False, max_length=60)
    pattern = serializers.CharField(default=DEFAULT_PATTERN, max_length=LONGEST_PATTERN)
    format = serializers.ChoiceField(default=ORIGINAL, choices=FORMATS)
    longest_side = serializers.IntegerField(
        default=None, allow_null=True, min_value=LEAST_SIDE, max_value=MOST_SIDE
    )
    channels = serializers.ListField(
        child=serializers.CharField(max_length=60), default=list, max_length=20
    )
    number = serializers.BooleanField(default=False)

    def validate(self, data):
        if "images" in data and any(name in data for name in OF_PUBLISHED):
            raise serializers.ValidationError(
                {"images": [_("Name pictures, or choose published ones: not both.")]}
            )
        return data


class ExportedFileSerializer(serializers.Serializer):
    """A file of the ZIP, without its extension, and the picture that it shows."""

    name = serializers.CharField(source="stem")
    image = serializers.IntegerField(source="picture.image")
    slot = serializers.CharField(source="picture.slot", allow_blank=True)
    locale = serializers.CharField(source="picture.locale", allow_blank=True)
    position = serializers.IntegerField(source="picture.position")


class ExportPreviewSerializer(serializers.Serializer):
    """What an export would hold."""

    count = serializers.IntegerField()
    files = ExportedFileSerializer(many=True)


class ExportViewSet(CatalogViewSet):
    """Exports: a POST returns the ZIP, or at ``preview/`` its names. At most 500 pictures in a request."""

    read_permission = Action.EXPORT
    action_permissions = {"create": Action.EXPORT, "preview": Action.EXPORT}
    serializer_classes = {"create": ExportSerializer, "preview": ExportSerializer}
    operations = {
        "create": Operation(
            media_types=(MEDIA_TYPE,), refuses=(NotRegistered, RegistryError, RequestRefused)
        ),
        "preview": Operation(
            returns=ExportPreviewSerializer,
            refuses=(NotRegistered, RegistryError, RequestRefused),
        ),
    }

    def perform_content_negotiation(self, request, force=False):
        """A ZIP is sent as it is, whatever renderers the host has."""
        return super().perform_content_negotiation(request, force=force or self.action == "create")

    def create(self, request, *args, **kwargs):
        """Return a ZIP of the pictures, with ``manifest.json`` and ``manifest.csv``.

        Pictures that cannot be read are left out and named in the manifest; ``X-Left-Out`` counts them.
        """
        return archive_response(request, self._plan())

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return the names of the files, without making them."""
        plan = self._plan()
        data = {"count": len(plan.files), "files": plan.files}
        return Response(ExportPreviewSerializer(data).data)

    def _plan(self):
        body = dict(self.validated_body())
        images = body.pop("images", None)
        chosen = {name: body.pop(name) for name in OF_PUBLISHED if name in body}
        if (label := chosen.pop("model", None)) is not None:
            chosen["models"] = [source_for(label).model]
        pictures = export.chosen(images) if images is not None else export.published(**chosen)
        options = export.ExportOptions(
            **body | {"channels": tuple(dict.fromkeys(body["channels"]))}
        )
        return plan_for_web(pictures, options)
