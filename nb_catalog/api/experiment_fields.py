"""Bodies of ``experiments/`` and ``plans/experiments/``."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from nb_catalog import generation, review
from nb_catalog.api.finals import BudgetField
from nb_catalog.api.plan_bodies import KeysField, PlanOptionsSerializer, objects_named
from nb_catalog.api.run_notices import NotifyField
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import SCENE_TREATMENTS, Treatment
from nb_catalog.generation.experiments import MOST_PRODUCTS
from nb_catalog.models.db.money import usd, usd_text
from nb_catalog.models.experiments import Arm
from nb_catalog.review.votes import Side

MOST_PROMPT = 5000


class ExperimentPlanSerializer(PlanOptionsSerializer):
    """Objects in two scenes, or in one with its own prompt and with ``prompt``. With ``sample``, that many of
    them are drawn."""

    scenes = KeysField(most=2, help_text=_("Two scene keys, or one and a prompt."))
    prompt = serializers.CharField(default="", allow_blank=True, max_length=MOST_PROMPT)
    sample = serializers.IntegerField(
        default=None, allow_null=True, min_value=1, max_value=MOST_PRODUCTS
    )
    seed = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)
    ratio = serializers.CharField(default="", allow_blank=True, max_length=10)
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    tier = serializers.CharField(default="draft", max_length=40)
    treatment = serializers.ChoiceField(
        default=Treatment.LOCKED, choices=[(each.value, each.label) for each in SCENE_TREATMENTS]
    )


class NewExperimentSerializer(ExperimentPlanSerializer):
    """A plan with a name, which voters see, and a budget."""

    notify = NotifyField()
    name = serializers.CharField(default="", allow_blank=True, max_length=80)
    budget_usd = BudgetField(default=None)


class VoteSerializer(serializers.Serializer):
    """``product`` is that of a ballot."""

    product = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    choice = serializers.ChoiceField(choices=[each.value for each in Side])

    def validate_choice(self, value):
        return Side(value)


class ExperimentSerializer(serializers.Serializer):
    """An experiment. Those who may not see its result yet get no ``arms`` and no ``run``, whose title names
    them. The prompt that is tried is shown to those who may read prompts of scenes."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    model = serializers.CharField(source="label")
    arms = serializers.SerializerMethodField()
    options = serializers.JSONField()
    run = serializers.SerializerMethodField()
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_run(self, experiment) -> int | None:
        return experiment.run_id if self._is_revealed(experiment) else None

    def get_arms(self, experiment) -> list[dict]:
        if not self._is_revealed(experiment):
            return []
        shows = may(self.context["request"].user, Action.READ_SCENE_PROMPTS)
        arms = []
        for arm in Arm:
            look = experiment.look(arm)
            shown = {"prompt": look["prompt"]} if shows else {}
            arms.append(
                {
                    "arm": arm.value,
                    "scene": look["key"],
                    "version": look["version"],
                    "name": experiment.arm_name(arm),
                    **shown,
                }
            )
        return arms

    def _is_revealed(self, experiment):
        return review.may_see_result(self.context["request"].user, experiment)


class BallotSerializer(serializers.Serializer):
    """A product to vote on, with the addresses of its two pictures; ``choice`` is what you chose so far."""

    product = serializers.IntegerField()
    object = serializers.CharField()
    left = serializers.URLField()
    right = serializers.URLField()
    choice = serializers.ChoiceField(choices=[each.value for each in Side], allow_null=True)


class BallotsSerializer(serializers.Serializer):
    """Products to vote on. ``waiting`` ones have no pictures yet, ``missing`` ones will have none."""

    ready = BallotSerializer(many=True)
    voted = serializers.IntegerField()
    waiting = serializers.IntegerField()
    missing = serializers.IntegerField()


class VotedSerializer(serializers.Serializer):
    """The vote as it was counted."""

    product = serializers.IntegerField()
    choice = serializers.ChoiceField(choices=[each.value for each in Side])


class SavedPromptSerializer(serializers.Serializer):
    """The scene that has the prompt now, and its version."""

    scene = serializers.CharField()
    version = serializers.IntegerField()


class ArmResultSerializer(serializers.Serializer):
    """One of the two looks; ``cost_usd`` is null while a cost is not known."""

    arm = serializers.ChoiceField(choices=Arm.choices)
    name = serializers.CharField()
    votes = serializers.IntegerField()
    products = serializers.IntegerField()
    pictures = serializers.IntegerField()
    reused = serializers.IntegerField()
    checks_failed = serializers.IntegerField()
    cost_usd = serializers.CharField(allow_null=True)


class ShareSerializer(serializers.Serializer):
    """The interval of the share of products that chose arm A."""

    low = serializers.FloatField()
    high = serializers.FloatField()


class VoterSerializer(serializers.Serializer):
    """The votes of one person."""

    name = serializers.CharField()
    a = serializers.IntegerField()
    b = serializers.IntegerField()
    ties = serializers.IntegerField()


class ResultSerializer(serializers.Serializer):
    """The votes of everyone; ``winner`` is null while it is not certain."""

    arms = ArmResultSerializer(many=True)
    votes = serializers.IntegerField()
    ties = serializers.IntegerField()
    undecided = serializers.IntegerField()
    share = ShareSerializer()
    winner = serializers.ChoiceField(choices=Arm.choices, allow_null=True)
    voters = VoterSerializer(many=True)
    waiting = serializers.IntegerField()
    missing = serializers.IntegerField()


def experiment_plan_from(body, *, key):
    """Return the plan of a validated body. Raises ``RequestRefused``, ``NotRegistered`` and
    ``ValidationError``."""
    named = ("scenes", "prompt", "sample", "seed", "ratio", "slot", "tier", "treatment")
    options = {name: body[name] for name in named}
    return generation.plan_experiment(objects_named(body), **options, key=key)


def result_as_dict(result):
    """Return a result; ``share`` is the interval of the share of products that chose arm A."""
    return {
        "arms": [
            {
                "arm": each.arm.value,
                "name": each.name,
                "votes": each.votes,
                "products": each.products,
                "pictures": each.pictures,
                "reused": each.reused,
                "checks_failed": each.checks_failed,
                "cost_usd": None
                if each.cost_microusd is None
                else usd_text(usd(each.cost_microusd)),
            }
            for each in result.arms
        ],
        "votes": result.votes,
        "ties": result.ties,
        "undecided": result.undecided,
        "share": {"low": round(result.share.low, 4), "high": round(result.share.high, 4)},
        "winner": result.winner.arm.value if result.winner else None,
        "voters": [
            {"name": each.name, "a": each.a, "b": each.b, "ties": each.ties}
            for each in result.voters
        ],
        "waiting": result.waiting,
        "missing": result.missing,
    }
