"""``runs/``: started plans. Starting a plan twice with the same key starts it once."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog.api.fields import UsdField
from nb_catalog.api.plans import (
    ALL,
    PlanOptionsSerializer,
    PlanRequestSerializer,
    TextPlanSerializer,
    plan_from,
    refresh_plan_from,
    text_plan_from,
)
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.billing import budgets
from nb_catalog.core.states import JOB_UNDERWAY, JobState
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import job_counts, runs
from nb_catalog.models import Run

KEY_HEADER = "Idempotency-Key"


class BudgetField(serializers.DecimalField):
    """US dollars; null means no limit."""

    def __init__(self, **options):
        super().__init__(
            max_digits=14, decimal_places=6, min_value=0, allow_null=True, **options
        )  # fmt: skip


class PriorityField(serializers.IntegerField):
    """Jobs with a higher priority run first."""

    def __init__(self, **options):
        super().__init__(min_value=-1000, max_value=1000, **options)


class RunRequestSerializer(PlanRequestSerializer):
    """A plan with its budget."""

    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class TextRunSerializer(TextPlanSerializer):
    """A text plan. Typeset text is free; painted text is not."""

    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class RefreshRunSerializer(PlanOptionsSerializer):
    priority = PriorityField(default=0)


class RetrySerializer(serializers.Serializer):
    unknown = serializers.BooleanField(
        default=False,
        help_text=_("Also retry jobs with an unknown outcome. You may be charged twice."),
    )


class ResumeSerializer(serializers.Serializer):
    # Required: omitting it by mistake must not lift a limit.
    budget_usd = BudgetField(required=True, help_text=_("US dollars; null for no limit."))


class RunSerializer(serializers.Serializer):
    """A run; ``counts`` is the number of its jobs by state."""

    id = serializers.IntegerField()
    key = serializers.CharField(source="plan_key")
    title = serializers.CharField()
    request = serializers.JSONField()
    tier = serializers.CharField()
    actor = serializers.CharField(source="actor.get_username", default=None)
    created_at = serializers.DateTimeField()
    state = serializers.SerializerMethodField()
    paused_reason = serializers.CharField()
    goes_on_at = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    reused = serializers.IntegerField()
    estimate_usd = UsdField()
    reserved_usd = UsdField()
    spent_usd = UsdField()
    budget_usd = UsdField()

    def get_counts(self, run) -> dict[str, int]:
        counts = self.context["counts"][run.pk]
        return {state: counts[state] for state in JobState.values}

    def get_goes_on_at(self, run) -> datetime | None:
        """Return when a paused run resumes automatically; null if its budget must be raised first."""
        return budgets.resumes_at(run.paused_reason, now=timezone.now())

    def get_state(self, run) -> str:
        if run.paused_reason:
            return "paused"
        counts = self.context["counts"][run.pk]
        return "underway" if any(counts[each] for each in JOB_UNDERWAY) else "finished"


class RunViewSet(CatalogReadViewSet):
    """Runs. POST starts one; repeating the ``key`` (or ``Idempotency-Key`` header) returns the
    existing run with 200 instead of 201."""

    read_permission = "nb_catalog.view_run"
    action_permissions = dict.fromkeys(
        ("create", "texts", "renewal", "cancel", "retry", "resume"), Permission.GENERATE
    )
    serializer_class = RunSerializer
    serializer_classes = {
        "create": RunRequestSerializer,
        "texts": TextRunSerializer,
        "renewal": RefreshRunSerializer,
        "cancel": serializers.Serializer,
        "retry": RetrySerializer,
        "resume": ResumeSerializer,
    }

    def get_queryset(self):
        return Run.objects.select_related("actor")

    def serialize_page(self, page):
        counts = job_counts.counts_for(page)
        return RunSerializer(page, many=True, context={"counts": counts}).data

    def retrieve(self, request, *args, **kwargs):
        return self._run_response(self.get_object())

    def create(self, request, *args, **kwargs):
        return self._start(plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Start a plan for text on pictures."""
        return self._start(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """Regenerate published pictures whose text is out of date."""
        return self._start(refresh_plan_from)

    def _start(self, make_plan):
        body = self.validated_body()
        key = self._idempotency_key(body)
        existing = self.get_queryset().filter(plan_key=key).first() if key else None
        if existing is not None:
            _require_same_request(existing, body)
            return self._run_response(existing)
        plan = make_plan(body, key=key)
        run = runs.start_run(
            replace(plan, request={**plan.request, "objects": _objects_digest(body["objects"])}),
            actor=self.request.user,
            budget_usd=body.get("budget_usd"),
            priority=body["priority"],
        )
        return self._run_response(run, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    def cancel(self, request, *args, **kwargs):
        """Cancel jobs that have not been sent yet."""
        run = self.get_object()
        return self._run_response(run, changed=runs.cancel_run(run))

    @action(detail=True, methods=["post"])
    def retry(self, request, *args, **kwargs):
        """Queue refused, failed and cancelled jobs again."""
        run = self.get_object()
        unknown = self.validated_body()["unknown"]
        return self._run_response(run, changed=runs.retry_run(run, unknown=unknown))

    @action(detail=True, methods=["post"])
    def resume(self, request, *args, **kwargs):
        """Resume a paused run with a new budget."""
        run = self.get_object()
        runs.resume_run(run, budget_usd=self.validated_body()["budget_usd"])
        return self._run_response(run)

    def _idempotency_key(self, body):
        header = self.request.headers.get(KEY_HEADER, "").strip()
        if len(header) > 64:
            raise serializers.ValidationError({KEY_HEADER: [_("At most 64 characters.")]})
        if header and body["key"] and header != body["key"]:
            raise serializers.ValidationError(
                {"key": [_("The Idempotency-Key header has a different value.")]}
            )
        return body["key"] or header

    def _run_response(self, run, *, status=status.HTTP_200_OK, **more):
        """``more`` may add ``changed``, the number of jobs that an action changed."""
        data = RunSerializer(run, context={"counts": job_counts.counts_for([run])}).data
        return Response({**data, **more}, status=status)


def _objects_digest(objects):
    """Describe the requested objects in bounded length: "all", or their number and a digest."""
    if objects == ALL:
        return ALL
    keys = sorted(set(objects))
    return f"{len(keys)} ({sha256(repr(keys).encode()).hexdigest()[:16]})"


def _require_same_request(run, body):
    """Refuse a key that is reused for a different request: returning the old run would hide it."""
    current = {
        **body,
        "model": body["model"].lower(),
        "objects": _objects_digest(body["objects"]),
    }
    different = [
        name for name, value in run.request.items() if name in current and current[name] != value
    ]
    if different:
        raise RequestRefused(
            f"The key {run.plan_key!r} belongs to run {run.pk}, which was started with a different "
            f"{', '.join(different)}. Use a new key for a new request."
        )
