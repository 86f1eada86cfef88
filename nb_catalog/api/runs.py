"""``runs/``: confirmed plans. Starting one twice with the same key is starting it once."""

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
    """US dollars; null is no limit."""

    def __init__(self, **options):
        super().__init__(
            max_digits=14, decimal_places=6, min_value=0, allow_null=True, **options
        )  # fmt: skip


class PriorityField(serializers.IntegerField):
    """The higher, the sooner."""

    def __init__(self, **options):
        super().__init__(min_value=-1000, max_value=1000, **options)


class RunRequestSerializer(PlanRequestSerializer):
    """A plan, and what it may cost."""

    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class TextRunSerializer(TextPlanSerializer):
    """Words that are set cost nothing; painted ones do."""

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
    # Without a default: leaving it out by mistake must not lift a limit.
    budget_usd = BudgetField(required=True, help_text=_("US dollars; null for no limit."))


class RunSerializer(serializers.Serializer):
    """A run; ``counts`` has its jobs by state."""

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
        """When a paused run goes on by itself; null when somebody has to raise its budget."""
        return budgets.resumes_at(run.paused_reason, now=timezone.now())

    def get_state(self, run) -> str:
        if run.paused_reason:
            return "paused"
        counts = self.context["counts"][run.pk]
        return "underway" if any(counts[each] for each in JOB_UNDERWAY) else "finished"


class RunViewSet(CatalogReadViewSet):
    """Runs. POST starts one; the same ``key`` (or ``Idempotency-Key`` header) answers the run
    that it became, with 200 in place of 201."""

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

    def shown_list(self, page):
        counts = job_counts.counts_for(page)
        return RunSerializer(page, many=True, context={"counts": counts}).data

    def retrieve(self, request, *args, **kwargs):
        return self._answer(self.get_object())

    def create(self, request, *args, **kwargs):
        return self._started(plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Start a plan of words on pictures."""
        return self._started(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """Make anew what is published, has words on it and is out of date."""
        return self._started(refresh_plan_from)

    def _started(self, plan_of):
        asked = self.asked()
        key = self._key(asked)
        existing = self.get_queryset().filter(plan_key=key).first() if key else None
        if existing is not None:
            _refuse_another_request(existing, asked)
            return self._answer(existing)
        plan = plan_of(asked, key=key)
        run = runs.start_run(
            replace(plan, request={**plan.request, "objects": _short(asked["objects"])}),
            actor=self.request.user,
            budget_usd=asked.get("budget_usd"),
            priority=asked["priority"],
        )
        return self._answer(run, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    def cancel(self, request, *args, **kwargs):
        """Cancel what has not been sent yet."""
        run = self.get_object()
        return self._answer(run, changed=runs.cancel_run(run))

    @action(detail=True, methods=["post"])
    def retry(self, request, *args, **kwargs):
        """Queue refused, failed and cancelled jobs again."""
        run = self.get_object()
        return self._answer(run, changed=runs.retry_run(run, unknown=self.asked()["unknown"]))

    @action(detail=True, methods=["post"])
    def resume(self, request, *args, **kwargs):
        """Let a paused run go on with another budget."""
        run = self.get_object()
        runs.resume_run(run, budget_usd=self.asked()["budget_usd"])
        return self._answer(run)

    def _key(self, asked):
        header = self.request.headers.get(KEY_HEADER, "").strip()
        if len(header) > 64:
            raise serializers.ValidationError({KEY_HEADER: [_("At most 64 characters.")]})
        if header and asked["key"] and header != asked["key"]:
            raise serializers.ValidationError(
                {"key": [_("The Idempotency-Key header has a different value.")]}
            )
        return asked["key"] or header

    def _answer(self, run, *, status=status.HTTP_200_OK, **more):
        """``more`` says how many jobs an action ``changed``."""
        shown = RunSerializer(run, context={"counts": job_counts.counts_for([run])}).data
        return Response({**shown, **more}, status=status)


def _short(objects):
    """Which objects were asked for, of bounded length: "all", or their number and a digest."""
    if objects == ALL:
        return ALL
    keys = sorted(set(objects))
    return f"{len(keys)} ({sha256(repr(keys).encode()).hexdigest()[:16]})"


def _refuse_another_request(run, asked):
    """A key that comes back with other wishes is a mistake, and answering the old run hides it."""
    now = {**asked, "model": asked["model"].lower(), "objects": _short(asked["objects"])}
    other = [name for name, value in run.request.items() if name in now and now[name] != value]
    if other:
        raise RequestRefused(
            f"The key {run.plan_key!r} belongs to run {run.pk}, which asked for another "
            f"{', '.join(other)}. Use a new key for a new request."
        )
