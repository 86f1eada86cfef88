"""What ``plans/finals/``, ``runs/finals/`` and ``images/…/escalate/`` share: chosen pictures on a higher
tier."""

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from nb_catalog import generation
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.run_notices import NotifyField
from nb_catalog.core.types import SCENE_TREATMENTS, RequestMode
from nb_catalog.exceptions import NotRegistered
from nb_catalog.generation.escalation import MAX_CANDIDATES
from nb_catalog.models import ProductImage
from nb_catalog.registry import source_for

MOST_IMAGES = 500


class BudgetField(serializers.DecimalField):
    """US dollars; null means no limit."""

    def __init__(self, **options):
        super().__init__(
            max_digits=14, decimal_places=6, min_value=0, allow_null=True, **options
        )  # fmt: skip


class FinalOptionsSerializer(serializers.Serializer):
    """How a picture is made final. Without ``treatment`` it keeps its own."""

    tier = serializers.CharField(default="premium", max_length=40)
    candidates = serializers.IntegerField(default=2, min_value=1, max_value=MAX_CANDIDATES)
    treatment = serializers.ChoiceField(
        default="",
        choices=["", *((each.value, each.label) for each in SCENE_TREATMENTS)],
    )
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)
    budget_usd = BudgetField(default=None)
    key = KeyField()


class EscalateSerializer(FinalOptionsSerializer):
    """A final of one picture."""

    notify = NotifyField()


class FinalsSerializer(FinalOptionsSerializer):
    """Pictures of one model. With ``budget_usd``, those that bring most for at most that much."""

    images = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=MOST_IMAGES,
        help_text=gettext_lazy("Keys of pictures, all of one model."),
    )
    candidates = serializers.IntegerField(default=1, min_value=1, max_value=MAX_CANDIDATES)


def options_of(body):
    """Return the options of ``plan_escalation`` in a validated body."""
    return {name: body[name] for name in ("tier", "candidates", "treatment", "mode")}


def images_of(body):
    """Return the pictures that a body names, in its order, each once. Raises ``ValidationError``."""
    keys = list(dict.fromkeys(body["images"]))
    rows = ProductImage.objects.in_bulk(keys)
    if missing := [key for key in keys if key not in rows]:
        message = _("There are no pictures with these keys: %(keys)s.")
        names = {"keys": ", ".join(map(str, missing[:20]))}
        raise serializers.ValidationError({"images": [message % names]})
    return [rows[key] for key in keys]


def labels_of(images):
    """Return the labels of the models of ``images``. Raises ``NotRegistered``."""
    labels = set()
    for type_id in {image.content_type_id for image in images}:
        content_type = ContentType.objects.get_for_id(type_id)
        model = content_type.model_class()
        if model is None:
            raise NotRegistered(f"The model {content_type} is not installed any more.")
        labels.add(source_for(model).label)
    return labels


def choice_from(body, images, *, key):
    """Return the plan of ``images`` and those that are left out of it with a budget; the plan is None if it
    would be empty.

    Raises ``RequestRefused``.
    """
    options = options_of(body)
    if body["budget_usd"] is None:
        return generation.plan_escalation(images, **options, key=key), ()
    choice = generation.plan_escalations(images, budget_usd=body["budget_usd"], **options, key=key)
    return choice.plan, choice.left_out


def left_out_as_list(left_out):
    return [
        {"image": each.image.pk, "value": each.value, "reason": each.reason} for each in left_out
    ]
