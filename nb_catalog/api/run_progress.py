"""The shape of a run's progress, for the schema. ``generation.progress.as_data`` fills it."""

from rest_framework import serializers

from nb_catalog.core.states import JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.generation.progress import Cause, RunState


class TierProgressSerializer(serializers.Serializer):
    """Unfinished jobs of one tier and model; the rate and the time are null while they are not known."""

    tier = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    mode = serializers.ChoiceField(choices=RequestMode.choices)
    remaining = serializers.IntegerField()
    per_minute = serializers.FloatField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)


class WaitSerializer(serializers.Serializer):
    """What jobs wait for; ``until`` is null for what has no time."""

    cause = serializers.ChoiceField(choices=[(each.value, each.value) for each in Cause])
    jobs = serializers.IntegerField()
    until = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField()


class FailureSerializer(serializers.Serializer):
    """Jobs that ended with the same error. If ``can_retry`` is false, they would fail again, or might be
    charged twice."""

    state = serializers.ChoiceField(choices=JobState.choices)
    error_code = serializers.CharField()
    jobs = serializers.IntegerField()
    can_retry = serializers.BooleanField()


class ProgressSerializer(serializers.Serializer):
    """The progress of a run, also in its events."""

    run = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[(each.value, each.value) for each in RunState])
    over = serializers.BooleanField()
    asked = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    seconds_left = serializers.IntegerField(allow_null=True)
    tiers = TierProgressSerializer(many=True)
    waits = WaitSerializer(many=True)
    failures = FailureSerializer(many=True)
    spent_usd = serializers.CharField()
    reserved_usd = serializers.CharField()
    budget_usd = serializers.CharField(allow_null=True)
