"""``exports/``: pictures as a ZIP, and what it would hold."""

from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import export, tasks
from nb_catalog.api import idempotency
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.operations import Operation
from nb_catalog.api.rollbacks import KEY
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import (
    NotRegistered,
    PictureMissing,
    RegistryError,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.export import background
from nb_catalog.export.names import LONGEST_PATTERN
from nb_catalog.export.types import DEFAULT_PATTERN, FORMATS, LEAST_SIDE, MOST_SIDE, ORIGINAL
from nb_catalog.export.web import MEDIA_TYPE, archive_response, export_response, plan_for_web
from nb_catalog.models import Export
from nb_catalog.models.exports import ExportState
from nb_catalog.registry import source_for

OF_PUBLISHED = ("model", "slots", "locales", "run", "series")


class ExportSerializer(serializers.Serializer):
    """Approved ``images``, or what is published: of a ``model``, in ``slots`` and ``locales`` ("" for all
    languages), of a ``run`` or a ``series``. Without any of these, everything that is published.

    ``number`` numbers files that would have the same name; otherwise they are refused. With ``background``, a
    worker makes the ZIP, which may have 20,000 pictures; without it, it is the response, with at most 500.
    """

    images = serializers.ListField(
        child=serializers.IntegerField(**KEY),
        required=False,
        allow_empty=False,
        max_length=background.MOST,
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
    background = serializers.BooleanField(default=False)
    key = KeyField()

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


class BackgroundExportSerializer(serializers.Serializer):
    """A ZIP that a worker makes: ``done`` of ``total`` pictures are written. ``download`` is its address once
    it is ready, until ``expires_at``, when it is deleted; ``left_out`` counts pictures that were not read.
    """

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ExportState.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    left_out = serializers.IntegerField()
    problem = serializers.CharField(allow_blank=True)
    byte_size = serializers.IntegerField(allow_null=True)
    download = serializers.SerializerMethodField()
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)

    def get_download(self, row) -> str | None:
        if row.state != ExportState.READY:
            return None
        return self.context["view"].reverse_action("download", args=[row.pk])


class ExportFilter(serializers.Serializer):
    """Query string ``?state=ready``."""

    state = serializers.ChoiceField(choices=ExportState.choices, required=False)

    def filter_queryset(self, queryset):
        return queryset.filter(**self.validated_data)


class ExportViewSet(CatalogReadViewSet):
    """Exports: a POST returns the ZIP, or with ``background`` what a worker makes; ``preview/`` its names."""

    read_permission = Action.EXPORT
    action_permissions = dict.fromkeys(("create", "preview", "download", "destroy"), Action.EXPORT)
    serializer_class = BackgroundExportSerializer
    serializer_classes = {"create": ExportSerializer, "preview": ExportSerializer}
    operations = {
        "create": Operation(
            media_types=(MEDIA_TYPE,),
            also={status.HTTP_202_ACCEPTED: BackgroundExportSerializer},
            refuses=(NotRegistered, RegistryError, RequestRefused),
            once=True,
        ),
        "preview": Operation(
            returns=ExportPreviewSerializer,
            refuses=(NotRegistered, RegistryError, RequestRefused),
        ),
        "download": Operation(
            media_types=(MEDIA_TYPE,), refuses=(PictureMissing, RequestRefused, StorageFailed)
        ),
        "destroy": Operation(status=status.HTTP_204_NO_CONTENT, refuses=(StorageFailed,)),
    }
    filter_class = ExportFilter
    orderings = {"created_at": ()}
    created_field = "requested_at"

    def get_queryset(self):
        if not self.request.user.is_authenticated:
            return Export.objects.none()
        return (
            background.existing(actor=self.request.user)
            .select_related("actor")
            .defer("pictures", "options")
            .order_by("-pk")
        )

    def perform_content_negotiation(self, request, force=False):
        """A ZIP is sent as it is, whatever renderers the host has."""
        is_file = self.action in ("create", "download")
        return super().perform_content_negotiation(request, force=force or is_file)

    def create(self, request, *args, **kwargs):
        """Return a ZIP of the pictures, with ``manifest.json`` and ``manifest.csv``; with ``background``, the
        export that a worker makes.

        Pictures that cannot be read are left out and named in the manifest; ``X-Left-Out`` counts them.
        ``Idempotency-Key`` is for the background: it does not start the same export twice.
        """
        body = dict(self.validated_body())
        if not body["background"]:
            pictures, options = self._chosen(body)
            return archive_response(request, plan_for_web(pictures, options))

        def respond(data):
            return Response(data, status=status.HTTP_202_ACCEPTED)

        def start():
            pictures, options = self._chosen(body)
            row = export.request_export(pictures, options, actor=request.user)
            tasks.wake_up()
            return respond(self.represent(row))

        return idempotency.once(self, body, start, replay=respond)

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return the names of the files, without making them."""
        pictures, options = self._chosen(dict(self.validated_body()))
        plan = plan_for_web(pictures, options)
        data = {"count": len(plan.files), "files": plan.files}
        return Response(ExportPreviewSerializer(data).data)

    @action(detail=True, methods=["get"])
    def download(self, request, *args, **kwargs):
        """Return the ZIP that a worker has made."""
        row = self.get_object()
        if row.state != ExportState.READY:
            raise RequestRefused(_("This export is not ready: there is no file."))
        return export_response(request, row)

    def destroy(self, request, *args, **kwargs):
        """Delete an export of a worker with its file. One that is being made is cancelled."""
        background.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _chosen(self, body):
        """Return the pictures and the options that ``body`` asks for."""
        values = {name: value for name, value in body.items() if name not in ("background", "key")}
        images = values.pop("images", None)
        chosen = {name: values.pop(name) for name in OF_PUBLISHED if name in values}
        if (label := chosen.pop("model", None)) is not None:
            chosen["models"] = [source_for(label).model]
        pictures = export.chosen(images) if images is not None else export.published(**chosen)
        channels = tuple(dict.fromkeys(values["channels"]))
        return pictures, export.ExportOptions(**values | {"channels": channels})
