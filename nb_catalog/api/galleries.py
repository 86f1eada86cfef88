"""``gallery-deliveries/``: pictures in the host's own models, and decisions about those that failed."""

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog.api.fields import CatalogObjectFilter, CatalogObjectSerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import GalleryDelivery
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing.galleries import decisions


class InGallerySerializer(serializers.Serializer):
    """What became of a published picture in one gallery of the host. ``problem`` is a sentence, or ""."""

    id = serializers.IntegerField()
    gallery = serializers.CharField()
    state = serializers.ChoiceField(choices=GalleryState.choices)
    problem = serializers.CharField()
    delivered_at = serializers.DateTimeField(allow_null=True)


class GalleryDeliverySerializer(CatalogObjectSerializer):
    """A picture of one place in one gallery; ``image`` is null while it is being taken back. ``row`` is the
    key of the host's row, and ``is_marked`` whether its file has kept the mark of its origin."""

    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()
    gallery = serializers.CharField()
    image = serializers.IntegerField(source="image_id", allow_null=True)
    state = serializers.ChoiceField(choices=GalleryState.choices)
    problem = serializers.CharField()
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    row = serializers.SerializerMethodField()
    is_marked = serializers.SerializerMethodField()

    def get_row(self, delivery) -> str:
        return str(delivery.written.get("row", ""))

    def get_is_marked(self, delivery) -> bool | None:
        return delivery.written.get("is_marked")


class GalleryDeliveryFilter(CatalogObjectFilter):
    """Query string ``?state=failed&state=changed&gallery=photos&slot=hero``, and by object."""

    state = serializers.MultipleChoiceField(required=False, choices=GalleryState.choices)
    gallery = serializers.CharField(required=False, max_length=60)
    slot = serializers.CharField(required=False, max_length=40)

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if query.get("state"):
            queryset = queryset.filter(state__in=query["state"])
        for name in ("gallery", "slot"):
            if name in query:
                queryset = queryset.filter(**{name: query[name]})
        return queryset


class GalleryDecisionSerializer(serializers.Serializer):
    """``retry`` delivers again now, ``overwrite`` although the host has changed what was delivered, and
    ``leave`` leaves it as the host has it."""

    decision = serializers.ChoiceField(choices=[(each, each) for each in decisions.DECISIONS])


class GalleryDeliveryViewSet(CatalogReadViewSet):
    """Deliveries of published pictures into the host's own models."""

    read_permission = Action.VIEW_PLACEMENTS
    action_permissions = {"decide": Action.UNPUBLISH}
    serializer_class = GalleryDeliverySerializer
    serializer_classes = {"decide": GalleryDecisionSerializer}
    operations = {
        "decide": Operation(
            returns=GalleryDeliverySerializer, refuses=(InvalidTransition, RequestRefused)
        )
    }
    filter_class = GalleryDeliveryFilter
    orderings = {"created_at": (), "object": ("content_type_id", "object_id")}
    created_field = "delivered_at"

    def get_queryset(self):
        return GalleryDelivery.objects.order_by("-pk")

    @action(detail=True, methods=["post"])
    def decide(self, request, *args, **kwargs):
        """Decide about a delivery that has failed, or whose picture the host has changed."""
        delivery = self.get_object()
        decisions.decide(delivery, self.validated_body()["decision"])
        delivery.refresh_from_db()
        context = self.get_serializer_context()
        return Response(GalleryDeliverySerializer(delivery, context=context).data)
