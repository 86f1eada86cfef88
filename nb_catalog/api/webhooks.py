"""``webhooks/`` and ``webhook-deliveries/``: addresses that events are sent to, and what was sent."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import webhooks
from nb_catalog.api.fields import NoBodySerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.rollbacks import KEY
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.event_types import EventType
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from nb_catalog.models.webhooks import DeliveryState

MOST_RESENT = 200


class EndpointSerializer(serializers.Serializer):
    """``events`` is empty for all. ``failing_since`` is null while deliveries succeed, and ``problem`` says
    why it was switched off without a person."""

    id = serializers.IntegerField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(allow_null=True)
    problem = serializers.SerializerMethodField()

    def get_problem(self, endpoint) -> str:
        return webhooks.describe_disabled(endpoint)


class EndpointSecretSerializer(EndpointSerializer):
    """``secret`` is returned this once: receivers check signatures with it."""

    secret = serializers.CharField()


class NewEndpointSerializer(serializers.Serializer):
    url = serializers.CharField(
        max_length=500, help_text=_("Events are sent there as POST requests, over https.")
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices),
        default=list,
        help_text=_("Without a choice, all events are sent, also those of later versions."),
    )
    description = serializers.CharField(max_length=200, allow_blank=True, default="")


class EndpointChangeSerializer(serializers.Serializer):
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices), required=False
    )
    description = serializers.CharField(max_length=200, allow_blank=True, required=False)
    is_active = serializers.BooleanField(required=False)


class DeliverySerializer(serializers.Serializer):
    """One event on its way to one endpoint. ``due_at`` is null once it was delivered or given up."""

    id = serializers.IntegerField()
    endpoint = serializers.IntegerField(source="endpoint_id")
    message = serializers.CharField(source="message_id")
    event = serializers.CharField()
    data = serializers.JSONField()
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField()
    tried_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True)
    error_code = serializers.CharField()
    problem = serializers.SerializerMethodField()

    def get_problem(self, delivery) -> str:
        return webhooks.describe_failure(delivery)


class DeliveryFilter(serializers.Serializer):
    """Query string ``?endpoint=3&state=failed&event=run.ended``."""

    endpoint = serializers.IntegerField(required=False, **KEY)
    state = serializers.ChoiceField(choices=DeliveryState.choices, required=False)
    event = serializers.CharField(required=False, max_length=30)

    def filter_queryset(self, queryset):
        return queryset.filter(**self.validated_data)


class ResendSerializer(serializers.Serializer):
    deliveries = serializers.ListField(
        child=serializers.IntegerField(**KEY), allow_empty=False, max_length=MOST_RESENT
    )


class ResentSerializer(serializers.Serializer):
    resent = serializers.IntegerField()


class WebhookViewSet(CatalogReadViewSet):
    """Addresses that events are sent to, by the scheme of Standard Webhooks."""

    queryset = WebhookEndpoint.objects.all()
    orderings = {"created_at": ()}
    created_field = "created_at"
    serializer_class = EndpointSerializer
    read_permission = Action.VIEW_WEBHOOKS
    action_permissions = {
        "create": Action.CREATE_WEBHOOK,
        "destroy": Action.DELETE_WEBHOOK,
        **dict.fromkeys(("partial_update", "rotate", "test"), Action.CHANGE_WEBHOOK),
    }
    serializer_classes = {
        "create": NewEndpointSerializer,
        "partial_update": EndpointChangeSerializer,
        **dict.fromkeys(("rotate", "test"), NoBodySerializer),
    }
    operations = {
        "create": Operation(
            returns=EndpointSecretSerializer,
            status=status.HTTP_201_CREATED,
            refuses=(RequestRefused,),
        ),
        "partial_update": Operation(returns=EndpointSerializer, refuses=(RequestRefused,)),
        "destroy": Operation(status=status.HTTP_204_NO_CONTENT),
        "rotate": Operation(returns=EndpointSecretSerializer, refuses=(InvalidTransition,)),
        "test": Operation(
            returns=DeliverySerializer,
            status=status.HTTP_201_CREATED,
            refuses=(RequestRefused,),
        ),
    }

    def create(self, request, *args, **kwargs):
        """Add an endpoint. The response has its secret, which is not shown again."""
        endpoint, secret = webhooks.create(**self.validated_body())
        return self._with_secret(endpoint, secret, status=status.HTTP_201_CREATED)

    def partial_update(self, request, *args, **kwargs):
        """Change an endpoint, or switch it off or on. What waits is given up when it is switched off."""
        endpoint, body = self.get_object(), dict(self.validated_body())
        is_active = body.pop("is_active", endpoint.is_active)
        if body:
            webhooks.update(endpoint, **body)
        if is_active != endpoint.is_active:
            (webhooks.switch_on if is_active else webhooks.switch_off)(endpoint)
        return Response(EndpointSerializer(endpoint).data)

    def destroy(self, request, *args, **kwargs):
        """Delete an endpoint with its deliveries."""
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def rotate(self, request, *args, **kwargs):
        """Give an endpoint another secret. For a day, messages are signed with both."""
        endpoint = self.get_object()
        self.validated_body()
        return self._with_secret(endpoint, webhooks.rotate(endpoint))

    @action(detail=True, methods=["post"])
    def test(self, request, *args, **kwargs):
        """Have the event ``webhook.test`` sent to an endpoint."""
        endpoint = self.get_object()
        self.validated_body()
        delivery = webhooks.send_test(endpoint)
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_201_CREATED)

    def _with_secret(self, endpoint, secret, *, status=status.HTTP_200_OK):
        data = {**EndpointSerializer(endpoint).data, "secret": secret}
        return Response(data, status=status, headers={"Cache-Control": "no-store"})


class WebhookDeliveryViewSet(CatalogReadViewSet):
    """What was sent to endpoints, or waits to be, the newest first."""

    queryset = WebhookDelivery.objects.all()
    orderings = {"created_at": ()}
    created_field = "at"
    serializer_class = DeliverySerializer
    filter_class = DeliveryFilter
    read_permission = Action.VIEW_WEBHOOKS
    action_permissions = {"resend": Action.CHANGE_WEBHOOK}
    serializer_classes = {"resend": ResendSerializer}
    operations = {"resend": Operation(returns=ResentSerializer, refuses=(RequestRefused,))}

    @action(detail=False, methods=["post"])
    def resend(self, request, *args, **kwargs):
        """Have messages sent again under their ids, at once."""
        keys = self.validated_body()["deliveries"]
        return Response({"resent": webhooks.resend(WebhookDelivery.objects.filter(pk__in=keys))})
