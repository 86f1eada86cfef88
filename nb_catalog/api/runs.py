"""``runs/``: started plans. Starting a plan twice with the same key starts it once."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import live
from nb_catalog.api import idempotency
from nb_catalog.api.events import EVENTS, EventsMixin
from nb_catalog.api.fields import NoBodySerializer, SearchFilter, UsdField
from nb_catalog.api.finals import (
    BudgetField,
    FinalsSerializer,
    choice_from,
    images_of,
    labels_of,
    left_out_as_list,
)
from nb_catalog.api.operations import Operation
from nb_catalog.api.plan_bodies import ALL, PlanOptionsSerializer
from nb_catalog.api.plans import (
    PLAN_REFUSALS,
    PhotoPlanSerializer,
    PlanRequestSerializer,
    TextPlanSerializer,
    models_of,
    photo_plan_from,
    plan_from,
    refresh_plan_from,
    text_plan_from,
)
from nb_catalog.api.results import LeftOutSerializer
from nb_catalog.api.run_notices import NotifyField, inform_if_asked
from nb_catalog.api.run_progress import ProgressSerializer
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.billing import budgets
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import job_counts, progress, runs
from nb_catalog.models import ImageJob, Run

# The parts of a stored request that are sent to models as a person wrote them.
PROMPTS = frozenset({"prompt", "instruction"})


class PriorityField(serializers.IntegerField):
    """Jobs with a higher priority run first."""

    def __init__(self, **options):
        super().__init__(min_value=-1000, max_value=1000, **options)


class RunRequestSerializer(PlanRequestSerializer):
    """A plan with its budget."""

    notify = NotifyField()
    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class PhotoRunSerializer(PhotoPlanSerializer):
    """A plan for the objects' own photos."""

    notify = NotifyField()
    priority = PriorityField(default=0)


class TextRunSerializer(TextPlanSerializer):
    """A text plan. Typeset text is free; painted text is not."""

    notify = NotifyField()
    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class RefreshRunSerializer(PlanOptionsSerializer):
    notify = NotifyField()
    priority = PriorityField(default=0)


class FinalsRunSerializer(FinalsSerializer):
    """A plan of finals."""

    notify = NotifyField()
    priority = PriorityField(default=0)


class RetrySerializer(serializers.Serializer):
    unknown = serializers.BooleanField(
        default=False,
        help_text=_("Also retry jobs with an unknown outcome. You may be charged twice."),
    )
    error_codes = serializers.ListField(
        child=serializers.CharField(max_length=40, allow_blank=True),
        required=False,
        allow_empty=False,
        help_text=_("Retry only jobs that ended with one of these error codes."),
    )


class ResumeSerializer(serializers.Serializer):
    # Required: omitting it by mistake must not lift a limit.
    budget_usd = BudgetField(required=True, help_text=_("US dollars; null for no limit."))


class RequestField(serializers.JSONField):
    """What was requested; what a person wrote for a model only if ``with_prompts`` is set in the context."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, value):
        if self.context.get("with_prompts"):
            return value
        return {name: each for name, each in value.items() if name not in PROMPTS}


class RunSerializer(serializers.Serializer):
    """A run; ``counts`` is the number of its jobs by state."""

    id = serializers.IntegerField()
    key = serializers.SerializerMethodField()
    title = serializers.CharField()
    request = RequestField()
    tier = serializers.CharField()
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    state = serializers.SerializerMethodField()
    paused_reason = serializers.CharField()
    goes_on_at = serializers.SerializerMethodField()
    starting = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    problems = serializers.DictField(
        child=serializers.IntegerField(),
        help_text=_("Why pictures are not possible, and how many of them."),
    )
    reused = serializers.IntegerField()
    estimate_usd = UsdField()
    reserved_usd = UsdField()
    spent_usd = UsdField()
    budget_usd = UsdField()

    def get_key(self, run) -> str:
        """Return the client's own key, if it gave one."""
        return run.request.get("key", run.plan_key)

    def get_counts(self, run) -> dict[str, int]:
        counts = self.context["counts"][run.pk]
        return {state: counts[state] for state in JobState.values}

    def get_starting(self, run) -> dict[str, int | str] | None:
        """Return how many products have been planned; null once all jobs are written."""
        if (start := run.starting) is None:
            return None
        return {"written": start.written, "products": start.products, "error": start.error}

    def get_goes_on_at(self, run) -> datetime | None:
        """Return when a paused run resumes automatically; null if its budget must be raised first."""
        return budgets.resumes_at(run.paused_reason, now=timezone.now())

    def get_state(self, run) -> str:
        return progress.state_of(run, counts=self.context["counts"][run.pk]).value


class ChangedRunSerializer(RunSerializer):
    """The run, and how many of its jobs were changed."""

    changed = serializers.IntegerField()


class StartedFinalsSerializer(RunSerializer):
    """The run, and the pictures that it makes no finals of."""

    left_out = LeftOutSerializer(many=True)


STARTED = Operation(
    returns=RunSerializer,
    status=status.HTTP_201_CREATED,
    also={status.HTTP_200_OK: RunSerializer},
    refuses=PLAN_REFUSALS,
    once=True,
    location=("run-detail", "id"),
)


class RunFilter(SearchFilter):
    """Query string ``?search=autumn``: the title of a run, or what its jobs are about."""

    keys_of = ImageJob


class RunViewSet(EventsMixin, CatalogReadViewSet):
    """Runs. POST starts one; repeating the request with its ``key`` (or ``Idempotency-Key`` header)
    returns the existing run with 200 instead of 201."""

    read_permission = Action.VIEW_RUNS
    action_permissions = {
        **dict.fromkeys(("create", "photos", "texts", "renewal"), Action.START_RUN),
        "finals": Action.MAKE_FINAL,
        "cancel": Action.CANCEL_RUN,
        "retry": Action.RETRY_RUN,
        "resume": Action.RESUME_RUN,
        **dict.fromkeys(("progress", "events"), Action.VIEW_RUNS),
    }
    filter_class = RunFilter
    operations = {
        **dict.fromkeys(("create", "photos", "texts", "renewal"), STARTED),
        "finals": replace(
            STARTED, returns=StartedFinalsSerializer, also={200: StartedFinalsSerializer}
        ),
        "cancel": Operation(returns=ChangedRunSerializer, refuses=(InvalidTransition,)),
        "retry": Operation(
            returns=ChangedRunSerializer,
            refuses=(InvalidTransition, RequestRefused),
            once=True,
        ),
        "resume": Operation(returns=RunSerializer, refuses=(InvalidTransition, RequestRefused)),
        "progress": Operation(returns=ProgressSerializer),
        "events": EVENTS,
    }
    orderings = {"created_at": ()}
    created_field = "created_at"
    serializer_class = RunSerializer
    serializer_classes = {
        "create": RunRequestSerializer,
        "photos": PhotoRunSerializer,
        "texts": TextRunSerializer,
        "renewal": RefreshRunSerializer,
        "finals": FinalsRunSerializer,
        "cancel": NoBodySerializer,
        "retry": RetrySerializer,
        "resume": ResumeSerializer,
        **dict.fromkeys(("progress", "events"), ProgressSerializer),
    }

    def get_queryset(self):
        return Run.objects.select_related("actor", "start")

    def serialize_page(self, page):
        counts = job_counts.counts_for(page)
        return RunSerializer(page, many=True, context={"counts": counts}).data

    def represent(self, row):
        context = {
            "counts": job_counts.counts_for([row]),
            "with_prompts": self.user_may(Action.READ_PROMPTS),
        }
        return RunSerializer(row, context=context).data

    def create(self, request, *args, **kwargs):
        return self._start(plan_from)

    @action(detail=False, methods=["post"])
    def photos(self, request, *args, **kwargs):
        """Start a plan for the objects' own photos."""
        return self._start(photo_plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Start a plan for text on pictures."""
        return self._start(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """Regenerate published pictures whose text is out of date."""
        return self._start(refresh_plan_from)

    @action(detail=False, methods=["post"])
    def finals(self, request, *args, **kwargs):
        """Make pictures final on a higher tier: all of them, or with ``budget_usd`` those that bring most.
        ``left_out`` has the others. Without any, 400 says why."""
        body = self.validated_body()
        images = images_of(body)
        self.require_plan(*labels_of(images))
        key = idempotency.key_of(self, body)

        def start():
            plan, left_out = choice_from(body, images, key="")
            if plan is None:
                raise RequestRefused(*dict.fromkeys(each.reason for each in left_out))
            more = {"key": key} if key else {}
            run = runs.start_run(
                replace(plan, request={**plan.request, **more}),
                actor=self.request.user,
                budget_usd=body["budget_usd"],
                priority=body["priority"],
            )
            inform_if_asked(run, request=self.request, notify=body["notify"])
            return self._run_response(
                run, status=status.HTTP_201_CREATED, left_out=left_out_as_list(left_out)
            )

        return idempotency.once(self, body, start, replay=self._replay)

    def _start(self, make_plan):
        body = self.validated_body()
        self.require_plan(*models_of(body))
        key = idempotency.key_of(self, body)
        objects = body["objects"]
        if objects != ALL:
            # In bounded length: their number and a digest.
            keys = sorted(set(objects))
            objects = f"{len(keys)} ({sha256(repr(keys).encode()).hexdigest()[:16]})"
        asked = {**body, "model": body["model"].lower(), "objects": objects}

        def start():
            plan = make_plan(body, key="")
            more = {"objects": asked["objects"], **({"key": key} if key else {})}
            run = runs.start_run(
                replace(plan, request={**plan.request, **more}),
                actor=self.request.user,
                budget_usd=body.get("budget_usd"),
                priority=body["priority"],
            )
            inform_if_asked(run, request=self.request, notify=body["notify"])
            return self._run_response(run, status=status.HTTP_201_CREATED)

        return idempotency.once(self, asked, start, replay=self._replay)

    def _replay(self, response):
        """Return the run of an earlier response as it is now."""
        run = self.get_queryset().filter(pk=response["id"]).first()
        if run is None:
            return Response(response)
        more = {name: response[name] for name in ("changed", "left_out") if name in response}
        return self._run_response(run, **more)

    @action(detail=True, methods=["get"])
    def progress(self, request, *args, **kwargs):
        """Return what is made, what the rest waits for, the time left and the causes of failures."""
        run = self.get_object()
        return Response(progress.as_data(run, progress.progress_of(run)))

    @action(detail=True, methods=["get"])
    def events(self, request, *args, **kwargs):
        """Stream ``progress/`` whenever it changes, until the run is over (``text/event-stream``)."""
        return self.events_response()

    def get_feed(self):
        return live.RunFeed(self.get_object().pk)

    @action(detail=True, methods=["post"])
    def cancel(self, request, *args, **kwargs):
        """Cancel jobs that have not been sent yet."""
        run = self.get_object()
        self.validated_body()
        return self._run_response(run, changed=runs.cancel_run(run))

    @action(detail=True, methods=["post"])
    def retry(self, request, *args, **kwargs):
        """Queue refused, failed and cancelled jobs again."""
        run, body = self.get_object(), self.validated_body()

        def retry():
            codes = body.get("error_codes")
            only = None if codes is None else Q(error_code__in=codes)
            changed = runs.retry_run(run, unknown=body["unknown"], only=only)
            return self._run_response(run, changed=changed)

        return idempotency.once(self, body, retry, replay=self._replay)

    @action(detail=True, methods=["post"])
    def resume(self, request, *args, **kwargs):
        """Resume a paused run with a new budget: one's own, or with permission to change runs."""
        run = self.get_object()
        self.require(Action.RESUME_RUN, owner=run.actor_id)
        runs.resume_run(run, budget_usd=self.validated_body()["budget_usd"])
        return self._run_response(run)

    def _run_response(self, run, *, status=status.HTTP_200_OK, **more):
        """``more`` may add ``changed``, the number of jobs that an action changed."""
        return Response({**self.represent(run), **more}, status=status)
