"""``jobs/``: requested pictures and their status."""

from rest_framework import serializers

from nb_catalog.api.fields import CatalogObjectFilter, CatalogObjectSerializer
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import JobState
from nb_catalog.core.types import JobKind, RequestMode
from nb_catalog.models import ImageJob
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.money import usd, usd_text

# The part of a spec that everyone who may see the job may see.
PUBLIC_SPEC_FIELDS = ("scene", "treatment", "ratio", "size", "variant")


class SpecField(serializers.JSONField):
    """The requested picture; prompts only if ``with_prompts`` is set in the context."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, value):
        if self.context.get("with_prompts"):
            return value
        return {name: value.get(name) for name in PUBLIC_SPEC_FIELDS}


class JobSerializer(CatalogObjectSerializer):
    run = serializers.IntegerField(source="run_id", allow_null=True)
    kind = serializers.ChoiceField(choices=JobKind.choices)
    state = serializers.ChoiceField(choices=JobState.choices)
    tier = serializers.CharField()
    provider = serializers.CharField()
    provider_model = serializers.CharField(source="model")
    spec = SpecField()
    estimate_usd = serializers.SerializerMethodField()
    is_free = serializers.BooleanField()
    mode = serializers.ChoiceField(choices=RequestMode.choices)
    attempts = serializers.IntegerField()
    not_before = serializers.DateTimeField(allow_null=True)
    error_code = serializers.CharField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_estimate_usd(self, job) -> str:
        return usd_text(usd(job.estimate_microusd))


class CallSerializer(serializers.Serializer):
    """One request to a provider; ``cost_usd`` is null until the cost is known."""

    provider = serializers.CharField()
    model = serializers.CharField()
    model_version = serializers.CharField()
    outcome = serializers.ChoiceField(choices=CallOutcome.choices)
    error_code = serializers.CharField()
    estimate_usd = serializers.SerializerMethodField()
    cost_usd = serializers.SerializerMethodField()
    usage = serializers.JSONField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_estimate_usd(self, call) -> str:
        return usd_text(usd(call.estimate_microusd))

    def get_cost_usd(self, call) -> str | None:
        return None if call.cost_microusd is None else usd_text(usd(call.cost_microusd))


class JobDetailSerializer(JobSerializer):
    calls = CallSerializer(many=True)
    images = serializers.SerializerMethodField()

    def get_images(self, job) -> list[int]:
        return list(job.images.values_list("pk", flat=True))


class JobFilter(CatalogObjectFilter):
    """Query string ``?run=7&state=failed&state=unknown``, and by object."""

    run = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    state = serializers.MultipleChoiceField(required=False, choices=JobState.choices)

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if "run" in query:
            queryset = queryset.filter(run=query["run"])
        return queryset.filter(state__in=query["state"]) if query.get("state") else queryset


class JobViewSet(CatalogReadViewSet):
    """Jobs. Filter by ``run``, ``state`` and ``model`` with ``object``."""

    read_permission = Action.VIEW_JOBS
    orderings = {"created_at": ()}
    created_field = "created_at"
    serializer_class = JobSerializer
    serializer_classes = {"retrieve": JobDetailSerializer}
    filter_class = JobFilter

    def get_queryset(self):
        return ImageJob.objects.all()

    def get_serializer_context(self):
        with_prompts = self.action == "retrieve" and self.user_may(Action.READ_PROMPTS)
        return {**super().get_serializer_context(), "with_prompts": with_prompts}
