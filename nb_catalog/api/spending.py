"""``spending/`` and ``status/``: what was spent, and whether work goes on."""

from datetime import timedelta

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import billing
from nb_catalog.api.fields import UsdField
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet, CatalogViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.models import DailyBudget
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import usd, usd_text
from nb_catalog.operations import status

# Days of a report, and days of one that does not say.
MAX_DAYS = 366
DAYS = 30


class DaySerializer(serializers.Serializer):
    """The money of one day in UTC; ``reserved_usd`` is that of calls whose cost is not known yet."""

    day = serializers.DateField()
    spent_usd = serializers.SerializerMethodField()
    reserved_usd = serializers.SerializerMethodField()

    def get_spent_usd(self, day) -> str:
        return usd_text(usd(day.spent_microusd))

    def get_reserved_usd(self, day) -> str:
        return usd_text(usd(day.reserved_microusd))


class SpendGroupSerializer(serializers.Serializer):
    """The calls of one day, model, tier, scene or user. ``open_usd`` is reserved for calls of unknown cost;
    the row without a ``name`` has all that are not listed."""

    name = serializers.CharField()
    calls = serializers.IntegerField()
    spent_usd = UsdField()
    open_usd = UsdField()


class SpendingSerializer(serializers.Serializer):
    """Spending from ``first`` to ``last``, both included, in UTC. ``published`` counts pictures made in that
    time that were ever published, and ``usd_per_published`` is null while there are none."""

    first = serializers.DateField()
    last = serializers.DateField()
    total = SpendGroupSerializer()
    days = SpendGroupSerializer(many=True)
    models = SpendGroupSerializer(many=True)
    tiers = SpendGroupSerializer(many=True)
    scenes = SpendGroupSerializer(many=True)
    users = SpendGroupSerializer(many=True)
    made = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    published = serializers.IntegerField()
    usd_per_published = UsdField()


class PeriodSerializer(serializers.Serializer):
    """Query string ``?first=2026-11-01&last=2026-11-30``; without it the last 30 days."""

    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)

    def validate(self, data):
        last = data.get("last") or database_now().date()
        first = data.get("first")
        if first is None:
            # The calendar begins with the year 1.
            first = last - min(timedelta(days=DAYS - 1), last - last.min)
        if first > last:
            raise serializers.ValidationError({"first": [_("The first day is after the last.")]})
        if (last - first).days >= MAX_DAYS:
            message = _("At most %d days at a time.") % MAX_DAYS
            raise serializers.ValidationError({"first": [message]})
        return {"first": first, "last": last}


class SpendingViewSet(CatalogReadViewSet):
    """The money of each day in UTC, the newest first."""

    queryset = DailyBudget.objects.all()
    serializer_class = DaySerializer
    read_permission = Action.VIEW_SPENDING
    action_permissions = {"report": Action.VIEW_SPENDING}
    query_classes = {"report": PeriodSerializer}
    operations = {"report": Operation(returns=SpendingSerializer)}
    orderings = {"day": ("day",)}
    lookup_field = "day"
    lookup_value_converter = "str"

    @action(detail=False)
    def report(self, request, *args, **kwargs):
        """Return what was spent, by day, model, tier, scene and user, and what a published picture cost."""
        report = billing.report(**self.query.validated_data)
        return Response(SpendingSerializer(report).data)


class PauseStatusSerializer(serializers.Serializer):
    """A paused model of a provider, or all of them if ``model`` is empty."""

    provider = serializers.CharField()
    model = serializers.CharField()
    cause = serializers.CharField()
    until = serializers.DateTimeField()
    needs_person = serializers.BooleanField()


class StatusProblemSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class StatusSerializer(serializers.Serializer):
    """``jobs`` has the unfinished ones by state, ``lost`` is the number of those whose worker has died and
    ``oldest_seconds`` the age of the one whose turn is next. ``problems`` is what a person should look at,
    and what to do about it. Money and webhooks are null for users who may not see them."""

    jobs = serializers.DictField(child=serializers.IntegerField())
    oldest_seconds = serializers.FloatField(allow_null=True)
    workers = serializers.IntegerField()
    lost = serializers.IntegerField()
    per_minute = serializers.FloatField()
    batches = serializers.IntegerField()
    staged = serializers.IntegerField()
    paused_runs = serializers.DictField(child=serializers.IntegerField())
    pauses = PauseStatusSerializer(many=True)
    caps = serializers.DictField(child=serializers.IntegerField())
    spent_today_usd = UsdField()
    reserved_today_usd = UsdField()
    budget_today_usd = UsdField()
    open_calls = serializers.IntegerField(allow_null=True)
    open_usd = UsdField()
    failing_webhooks = serializers.IntegerField(allow_null=True)
    problems = StatusProblemSerializer(many=True)


# What only those see who may see the rows behind it.
OF_ACTIONS = {
    Action.VIEW_SPENDING: ("spent_today_usd", "reserved_today_usd", "budget_today_usd"),
    Action.VIEW_CALLS: ("open_calls", "open_usd"),
    Action.VIEW_WEBHOOKS: ("failing_webhooks",),
}


class StatusViewSet(CatalogViewSet):
    """Whether work goes on."""

    action_permissions = {"status": Action.VIEW_STATUS}
    serializer_classes = {"status": StatusSerializer}
    operations = {"status": Operation(returns=StatusSerializer)}

    def status(self, request, *args, **kwargs):
        """Return what is queued, in flight and stuck, and what was spent today."""
        now = status.collect()
        data = {name: getattr(now, name) for name in StatusSerializer().fields}
        data["problems"] = [
            {"code": code, "detail": status.describe_problem(code)} for code in now.problems
        ]
        for needed, names in OF_ACTIONS.items():
            if not self.user_may(needed):
                data.update(dict.fromkeys(names))
        return Response(StatusSerializer(data).data)
