"""``images/<id>/history/``: family, recipe, decisions and publications of a picture."""

from typing import Any

from rest_framework import serializers

from nb_catalog.api.fields import UsdField, usd_text
from nb_catalog.api.jobs import SpecField
from nb_catalog.core.states import ImageState
from nb_catalog.models.db.money import usd


class RelativeSerializer(serializers.Serializer):
    """A picture of the family. ``above`` is the one that it hangs below, ``depth`` 0 for the first."""

    id = serializers.IntegerField(source="image.pk")
    above = serializers.IntegerField(allow_null=True)
    depth = serializers.IntegerField()
    role = serializers.CharField()
    step = serializers.CharField()
    state = serializers.CharField(source="image.state")
    is_pruned = serializers.BooleanField()
    sha256 = serializers.CharField(source="image.sha256")
    created_at = serializers.DateTimeField(source="image.created_at")
    published_in = serializers.SerializerMethodField()

    def get_published_in(self, relative) -> list[str]:
        """Return the slots that it is published in now."""
        return [each.slot for each in relative.image.placements.all()]


class PhotoOriginSerializer(serializers.Serializer):
    """A photo that the family began with. ``state`` says what became of it."""

    name = serializers.CharField()
    version = serializers.CharField()
    state = serializers.CharField()
    cutout = serializers.IntegerField(source="cutout.pk", default=None, allow_null=True)
    mask_changed = serializers.BooleanField()


class UsedReferenceSerializer(serializers.Serializer):
    """A file that the picture was made with; ``image`` is null if it is not one of ours."""

    role = serializers.CharField()
    name = serializers.CharField()
    sha256 = serializers.CharField()
    changes = serializers.ListField(child=serializers.CharField())
    image = serializers.IntegerField(allow_null=True)


class CostSerializer(serializers.Serializer):
    """``kind`` says how well it is known: free, reported, open or unknown."""

    kind = serializers.CharField()
    reported_usd = UsdField()
    open_usd = UsdField()


class RecipeCallSerializer(serializers.Serializer):
    """One request to the provider; ``cost_usd`` is null until the cost is known."""

    provider = serializers.CharField()
    model = serializers.CharField()
    model_version = serializers.CharField()
    request_id = serializers.CharField()
    outcome = serializers.CharField()
    error_code = serializers.CharField()
    started_at = serializers.DateTimeField()
    estimate_usd = serializers.SerializerMethodField()
    cost_usd = serializers.SerializerMethodField()

    def get_estimate_usd(self, call) -> str:
        return usd_text(usd(call.estimate_microusd))

    def get_cost_usd(self, call) -> str | None:
        cost = call.cost_microusd
        return None if cost is None else usd_text(usd(cost))


class RecipeSerializer(serializers.Serializer):
    """``prompt``, ``system`` and the whole spec require permission to generate, ``calls`` and ``cost``
    permission to view jobs."""

    spec = SpecField(source="spec.as_dict")
    prompt = serializers.CharField()
    system = serializers.CharField()
    provider = serializers.CharField(source="spec.provider")
    model = serializers.CharField(source="spec.model")
    model_version = serializers.CharField()
    seed = serializers.IntegerField(allow_null=True)
    references = UsedReferenceSerializer(many=True)
    calls = RecipeCallSerializer(many=True, allow_null=True)
    cost = CostSerializer(allow_null=True)


class PastDecisionSerializer(serializers.Serializer):
    """A decision about the picture."""

    move = serializers.CharField()
    state = serializers.ChoiceField(choices=ImageState.choices)
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    note = serializers.CharField()
    at = serializers.DateTimeField()


class PublishedPeriodSerializer(serializers.Serializer):
    """A time in a place of the storefront; ``until`` is null while it is there."""

    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    move = serializers.CharField(source="started.move", default=None, allow_null=True)
    actor = serializers.CharField(
        source="started.actor.get_username", default=None, allow_null=True
    )
    ended_by = serializers.CharField(
        source="ended.actor.get_username", default=None, allow_null=True
    )
    replaced_by = serializers.IntegerField(
        source="ended.image_after_id", default=None, allow_null=True
    )


class SimilarPlanSerializer(serializers.Serializer):
    """The plan of pictures like this one: ``arguments`` are those of ``plans/`` for ``backgrounds``, of
    ``plans/texts/`` for ``texts`` and of ``plans/photos/`` for ``photos``, without objects. ``changes`` are
    sentences about what is different today; with ``further_variants`` as ``variants``, the same object gets
    one more picture."""

    kind = serializers.CharField()
    arguments = serializers.SerializerMethodField()
    changes = serializers.ListField(child=serializers.CharField())
    further_variants = serializers.IntegerField()

    def get_arguments(self, plan) -> dict[str, Any]:
        arguments = dict(plan.arguments)
        if "parts" in arguments:
            arguments["parts"] = [f"{label}:{key}" for label, key in arguments["parts"]]
        return arguments


class HistorySerializer(serializers.Serializer):
    """What is known of a picture. ``objections`` are the sentences of failed checks, ``left_out`` counts the
    pictures of a family that is too large to be listed; ``similar`` requires permission to generate,
    ``publications`` permission to view placements."""

    id = serializers.IntegerField(source="image.pk")
    photos = PhotoOriginSerializer(many=True)
    family = RelativeSerializer(many=True, source="family.relatives")
    left_out = serializers.IntegerField(source="family.left_out")
    recipe = RecipeSerializer(allow_null=True)
    checks = serializers.JSONField(source="image.checks")
    objections = serializers.ListField(child=serializers.CharField())
    decisions = PastDecisionSerializer(many=True)
    publications = PublishedPeriodSerializer(many=True)
    similar = SimilarPlanSerializer(allow_null=True)
