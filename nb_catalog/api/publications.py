"""``publications/``: many pictures published as one, now or from one moment to another."""

from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog.api import idempotency
from nb_catalog.api.fields import MomentField, NoBodySerializer
from nb_catalog.api.finals import images_of
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.operations import Operation
from nb_catalog.api.rollbacks import KEY
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import (
    FidelityRefused,
    InvalidTransition,
    PictureMissing,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import Publication, Run
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.publishing import publications, schedules

# Pictures of one request.
MOST_PICTURES = 1000


class PlacedPictureSerializer(serializers.Serializer):
    """A picture and its place."""

    image = serializers.IntegerField(**KEY)
    slot = serializers.CharField(max_length=40)
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)


class TimesSerializer(serializers.Serializer):
    """From when until when the pictures are shown, as ISO 8601 with an offset; null for now, and for good."""

    starts_at = MomentField(default=None, allow_null=True)
    ends_at = MomentField(default=None, allow_null=True)


class ScheduleSerializer(serializers.Serializer):
    """From when until when the pictures are shown. Both are required: omitting the start by mistake must not
    publish now."""

    starts_at = MomentField(allow_null=True)
    ends_at = MomentField(allow_null=True)


class NewPublicationSerializer(TimesSerializer):
    """What is published: ``pictures`` in their places, or all approved pictures of a ``run`` in one ``slot``,
    those with text in its language."""

    pictures = PlacedPictureSerializer(
        many=True, required=False, allow_empty=False, max_length=MOST_PICTURES
    )
    run = serializers.PrimaryKeyRelatedField(
        queryset=Run.objects.all(), required=False, pk_field=serializers.IntegerField(**KEY)
    )
    slot = serializers.CharField(required=False, max_length=40)
    title = serializers.CharField(default="", allow_blank=True, max_length=200)
    reason = serializers.CharField(default="", allow_blank=True, max_length=2000)
    key = KeyField()

    def validate(self, data):
        if ("run" in data) == ("pictures" in data):
            raise serializers.ValidationError({"pictures": [_("Give pictures, or a run.")]})
        if ("run" in data) != ("slot" in data):
            raise serializers.ValidationError({"slot": [_("Give a run and its slot together.")]})
        return data


class CancelPublicationSerializer(NoBodySerializer):
    """A publication is cancelled without values."""


class RetryPublicationSerializer(serializers.Serializer):
    """With ``leave_out``, the pictures that have a problem are left out."""

    leave_out = serializers.BooleanField(default=False)


class PublicationSerializer(serializers.Serializer):
    """An action that changes places. ``changed`` counts the changes that it has made."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=PublicationKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=PublicationState.choices)
    problem = serializers.CharField(allow_blank=True)
    series = serializers.CharField(source="series.key", default=None, allow_null=True)
    run = serializers.IntegerField(source="run_id", allow_null=True)
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True)
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class ProblemPictureSerializer(serializers.Serializer):
    """A picture that cannot be published, and why."""

    image = serializers.IntegerField(source="image_id")
    object = serializers.CharField(source="object_id")
    slot = serializers.CharField()
    locale = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField()
    problem = serializers.CharField()


class PublicationDetailSerializer(PublicationSerializer):
    """``ready`` of ``total`` pictures have their files; ``problems`` are those that cannot be published."""

    changed = serializers.IntegerField(source="events.count")
    ready = serializers.IntegerField(source="progress.ready")
    total = serializers.IntegerField(source="progress.total")
    problems = ProblemPictureSerializer(source="progress.problems", many=True)


class PublicationFilter(serializers.Serializer):
    """Query string ``?state=waiting&kind=run``."""

    state = serializers.ChoiceField(choices=PublicationState.choices, required=False)
    kind = serializers.ChoiceField(choices=PublicationKind.choices, required=False)

    def filter_queryset(self, queryset):
        return queryset.filter(**self.validated_data)


class PublicationViewSet(CatalogReadViewSet):
    """Publications: what was asked, how far it is, and what it has changed."""

    read_permission = Action.VIEW_PLACEMENTS
    action_permissions = {
        "create": Action.PUBLISH,
        **dict.fromkeys(("cancel", "retry", "schedule"), Action.PUBLISH),
    }
    serializer_class = PublicationSerializer
    serializer_classes = {
        "retrieve": PublicationDetailSerializer,
        "create": NewPublicationSerializer,
        "cancel": CancelPublicationSerializer,
        "retry": RetryPublicationSerializer,
        "schedule": ScheduleSerializer,
    }
    operations = {
        "retrieve": Operation(returns=PublicationDetailSerializer),
        "create": Operation(
            returns=PublicationDetailSerializer,
            status=status.HTTP_201_CREATED,
            refuses=(
                FidelityRefused, InvalidTransition, PictureMissing, RequestRefused, StorageFailed
            ),
            once=True,
        ),
        "cancel": Operation(returns=PublicationDetailSerializer, refuses=(InvalidTransition,)),
        **dict.fromkeys(
            ("retry", "schedule"),
            Operation(
                returns=PublicationDetailSerializer, refuses=(InvalidTransition, RequestRefused)
            ),
        ),
    }  # fmt: skip
    filter_class = PublicationFilter
    orderings = {"created_at": ()}
    created_field = "at"

    def get_queryset(self):
        return Publication.objects.select_related("series", "actor").order_by("-pk")

    def create(self, request, *args, **kwargs):
        """Publish pictures, all or none. With the ``state`` "waiting", a worker does that, once their files
        are made and their time has come."""
        body = self.validated_body()

        def start():
            publication = publications.request_publication(
                _pictures(body),
                actor=request.user,
                run=body.get("run"),
                **{name: body[name] for name in ("title", "reason", "starts_at", "ends_at")},
            )
            return Response(_detail(publication), status=status.HTTP_201_CREATED)

        sent = {name: getattr(value, "pk", value) for name, value in body.items()}
        return idempotency.once(self, sent, start)

    def represent(self, row):
        return _detail(row)

    @action(detail=True, methods=["post"])
    def cancel(self, request, *args, **kwargs):
        """Cancel a publication that waits or was stopped."""
        publication = self.get_object()
        self.validated_body()
        publications.cancel(publication)
        return Response(_detail(publication))

    @action(detail=True, methods=["post"])
    def retry(self, request, *args, **kwargs):
        """Try a stopped publication again."""
        publication = self.get_object()
        publications.retry(publication, **self.validated_body())
        return Response(_detail(publication))

    @action(detail=True, methods=["put"])
    def schedule(self, request, *args, **kwargs):
        """Change the times of a publication that waits; the end of one that is published."""
        publication = self.get_object()
        schedules.reschedule(publication, **self.validated_body())
        publication.refresh_from_db()
        return Response(_detail(publication))


def _detail(publication):
    publication.progress = publications.progress_of(publication)
    return PublicationDetailSerializer(publication).data


def _pictures(body):
    """Return the places and pictures of a validated body. Raises ``ValidationError``."""
    if "run" in body:
        return publications.placed(publications.approved_of(body["run"]), slot=body["slot"])
    images = {
        image.pk: image
        for image in images_of({"images": [each["image"] for each in body["pictures"]]})
    }
    placed = [(images[each["image"]], each) for each in body["pictures"]]
    return [
        (
            (
                image.content_type_id, image.object_id,
                *(each[name] for name in ("slot", "locale", "position")),
            ),
            image,
        )
        for image, each in placed
    ]  # fmt: skip
