"""``pauses/``, ``batches/`` and ``calls/``: what is sent to providers, what keeps it from being
sent, and what a person settles from an invoice."""

from collections import defaultdict

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import billing, ratelimit
from nb_catalog.api.fields import SearchFilter
from nb_catalog.api.jobs import CallSerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import BatchState
from nb_catalog.core.types import JobKind
from nb_catalog.models import ImageJob, ProviderBatch, ProviderCall, ProviderPause
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.money import micros

MOST_SETTLED = 1000


class PauseSerializer(serializers.Serializer):
    """Until when nothing is sent to ``model`` of ``provider``; an empty ``model`` means all of them. With
    ``needs_person`` it lasts until somebody deletes it."""

    id = serializers.IntegerField()
    provider = serializers.CharField()
    model = serializers.CharField()
    until = serializers.DateTimeField()
    needs_person = serializers.SerializerMethodField()
    cause = serializers.CharField()
    reason = serializers.CharField()
    what_to_do = serializers.SerializerMethodField()

    def get_needs_person(self, pause) -> bool:
        return ratelimit.needs_person(pause)

    def get_what_to_do(self, pause) -> str:
        return ratelimit.what_to_do(pause)


class PauseViewSet(CatalogReadViewSet):
    """Providers that nothing is sent to at present. Jobs wait, and nothing is lost."""

    serializer_class = PauseSerializer
    read_permission = Action.VIEW_PAUSES
    action_permissions = {"destroy": Action.RESUME_PROVIDER}
    operations = {"destroy": Operation(status=status.HTTP_204_NO_CONTENT)}

    def get_queryset(self):
        return ProviderPause.objects.order_by("-pk")

    def destroy(self, request, *args, **kwargs):
        """Resume a provider: delete its pause. Workers notice within seconds."""
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class BatchSerializer(serializers.Serializer):
    """Requests that were submitted to a provider as one file. ``jobs`` counts its jobs by state, ``polls``
    how often the provider was asked, and ``service_name`` is the provider's own name of it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    state = serializers.ChoiceField(choices=BatchState.choices)
    items = serializers.IntegerField()
    jobs = serializers.SerializerMethodField()
    service_name = serializers.CharField()
    service_state = serializers.CharField()
    error_code = serializers.CharField()
    error = serializers.CharField()
    polls = serializers.IntegerField(source="looks")
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    next_poll_at = serializers.DateTimeField(source="next_look_at", allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_jobs(self, batch) -> dict[str, int]:
        return self.context["counts"][batch.pk]


class BatchFilter(serializers.Serializer):
    """Query string ``?state=running&provider=gemini&name=…``; ``name`` is ours or the provider's."""

    state = serializers.MultipleChoiceField(required=False, choices=BatchState.choices)
    provider = serializers.CharField(required=False, max_length=40)
    provider_model = serializers.CharField(required=False, max_length=80)
    name = serializers.CharField(required=False, max_length=200)

    def filter_queryset(self, queryset):
        query = self.validated_data
        if query.get("state"):
            queryset = queryset.filter(state__in=query["state"])
        for name, column in (("provider", "provider"), ("provider_model", "model")):
            if name in query:
                queryset = queryset.filter(**{column: query[name]})
        if "name" in query:
            rows = ProviderBatch.objects
            named = rows.filter(name=query["name"]) | rows.filter(service_name=query["name"])
            queryset = queryset.filter(pk__in=named.order_by().values("pk"))
        return queryset


class BatchViewSet(CatalogReadViewSet):
    """Batches of providers, the newest first."""

    queryset = ProviderBatch.objects.all()
    serializer_class = BatchSerializer
    read_permission = Action.VIEW_BATCHES
    filter_class = BatchFilter
    orderings = {"created_at": ()}
    created_field = "created_at"

    def serialize_page(self, page):
        counts = defaultdict(dict)
        jobs = ImageJob.objects.filter(batch__in=[batch.pk for batch in page]).order_by()
        for batch, state, number in jobs.values_list("batch", "state").annotate(Count("pk")):
            counts[batch][state] = number
        return BatchSerializer(page, many=True, context={"counts": counts}).data

    def represent(self, row):
        return self.serialize_page([row])[0]


class ProviderCallSerializer(CallSerializer):
    """One request to a provider; ``cost_usd`` is null until the cost is known, and ``estimate_usd`` stays
    reserved until then. ``settled_by`` is who settled it from an invoice."""

    id = serializers.IntegerField()
    job = serializers.IntegerField(source="job_id", allow_null=True)
    kind = serializers.ChoiceField(
        choices=JobKind.choices, source="job.kind", default=None, allow_null=True
    )
    run = serializers.IntegerField(source="run_id", allow_null=True)
    batch = serializers.IntegerField(source="batch_id", allow_null=True)
    tier = serializers.CharField()
    scene = serializers.CharField()
    request_id = serializers.CharField()
    settled_by = serializers.CharField(
        source="settled_by.get_username", default=None, allow_null=True
    )
    settled_at = serializers.DateTimeField(allow_null=True)


class ProviderCallFilter(SearchFilter):
    """Query string ``?open=true&outcome=unknown&provider=gemini&run=7``; ``open``: of unknown cost."""

    keys_of = ImageJob
    open = serializers.BooleanField(required=False, allow_null=True, default=None)
    outcome = serializers.MultipleChoiceField(required=False, choices=CallOutcome.choices)
    provider = serializers.CharField(required=False, max_length=40)
    provider_model = serializers.CharField(required=False, max_length=80)
    run = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    job = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    def filter_queryset(self, queryset):
        query, queryset = self.validated_data, super().filter_queryset(queryset)
        if query["open"] is not None:
            still_open = {"pk__in": billing.unsettled_calls().order_by().values("pk")}
            narrow = queryset.filter if query["open"] else queryset.exclude
            queryset = narrow(**still_open)
        if query.get("outcome"):
            queryset = queryset.filter(outcome__in=query["outcome"])
        columns = {"provider": "provider", "provider_model": "model", "run": "run", "job": "job"}
        for name, column in columns.items():
            if name in query:
                queryset = queryset.filter(**{column: query[name]})
        return queryset


class StatedField(serializers.BooleanField):
    """A boolean that forms have to state as well: what they leave out would be false."""

    default_empty_html = serializers.empty


class SettleSerializer(serializers.Serializer):
    """What the provider's invoice says of ``calls``: with ``billed`` they are booked as spent, with ``usd``
    each, or with their estimates; otherwise their reservations are released. It cannot be undone."""

    calls = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=MOST_SETTLED,
    )
    billed = StatedField()
    usd = serializers.DecimalField(
        max_digits=10, decimal_places=6, min_value=0, max_value=1000, required=False,
        help_text=gettext_lazy("USD per call, if the invoice states it"),
    )  # fmt: skip

    def validate(self, data):
        if "usd" in data and not data["billed"]:
            message = _("What is not billed costs nothing: leave usd out, or set billed to true.")
            raise serializers.ValidationError({"usd": [message]})
        return data


class SettledSerializer(serializers.Serializer):
    """``unchanged`` calls have a known cost, are still in flight, or do not exist."""

    settled = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class ProviderCallViewSet(CatalogReadViewSet):
    """Requests to providers that may cost money, the newest first."""

    serializer_class = ProviderCallSerializer
    read_permission = Action.VIEW_CALLS
    action_permissions = {"settle": Action.RECONCILE}
    serializer_classes = {"settle": SettleSerializer}
    operations = {"settle": Operation(returns=SettledSerializer)}
    filter_class = ProviderCallFilter
    orderings = {"started_at": ("started_at",)}
    created_field = "started_at"

    def get_queryset(self):
        return ProviderCall.objects.select_related("job", "settled_by")

    @action(detail=False, methods=["post"])
    def settle(self, request, *args, **kwargs):
        """Settle calls of unknown cost from the provider's invoice."""
        body = self.validated_body()
        keys, cost = set(body["calls"]), 0
        if body["billed"]:
            cost = micros(body["usd"]) if "usd" in body else None
        settled = billing.settle_manually(keys, cost_microusd=cost, actor=request.user)
        return Response({"settled": settled, "unchanged": len(keys) - settled})
