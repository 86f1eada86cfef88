"""What requests about series contain, and how a series is returned."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from nb_catalog.api.finals import BudgetField
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.plan_bodies import KeysField
from nb_catalog.api.run_notices import NotifyField
from nb_catalog.api.runs import PriorityField
from nb_catalog.core.types import SCENE_TREATMENTS, RequestMode, Treatment
from nb_catalog.models import Series
from nb_catalog.models.series import SeriesView

MOST_MEMBERS = 500
MOST_VARIANTS = 50
# Steps of a plan: the second one needs what the first one makes.
PICTURES = "pictures"
TEXTS = "texts"


class SeriesSerializer(serializers.ModelSerializer):
    """``version`` counts changes of the look, ``order_version`` orders of the members."""

    model = serializers.CharField(source="label", read_only=True)
    scene = serializers.CharField(source="scene_key", read_only=True)
    scene_version = serializers.IntegerField(read_only=True)
    made_by = serializers.CharField(source="model", read_only=True)
    anchor = serializers.IntegerField(source="anchor_id", read_only=True, allow_null=True)
    layout = serializers.CharField(source="layout.key", default=None, allow_null=True)
    deck = serializers.CharField(source="deck.key", default=None, allow_null=True)

    class Meta:
        model = Series
        fields = (
            "key", "name", "model", "scene", "scene_version", "slot", "ratio", "treatment", "tier",
            "provider", "made_by", "size", "view", "framing", "overrides", "heights_cm", "bundles",
            "seed_number", "anchor", "layout", "deck", "is_active", "position", "version",
            "order_version",
        )  # fmt: skip


class ChangedLookSerializer(SeriesSerializer):
    """The series as it is now; with ``dry_run`` only how many pictures would become stale, and the keys of
    their members."""

    optional_fields = frozenset({*SeriesSerializer.Meta.fields, "stale", "objects"})

    stale = serializers.IntegerField()
    objects = serializers.ListField(child=serializers.CharField())

    class Meta(SeriesSerializer.Meta):
        fields = (*SeriesSerializer.Meta.fields, "stale", "objects")


class LookSerializer(serializers.Serializer):
    """What can be changed of a series. ``version`` is the one that was seen, also as ``If-Match``."""

    name = serializers.CharField(max_length=80)
    slot = serializers.CharField(max_length=40)
    ratio = serializers.CharField(required=False, allow_blank=True, max_length=10)
    tier = serializers.CharField(required=False, max_length=40)
    treatment = serializers.ChoiceField(
        required=False, choices=[(each.value, each.label) for each in SCENE_TREATMENTS]
    )
    framing = serializers.DictField(required=False)
    overrides = serializers.DictField(required=False)
    bundles = serializers.BooleanField(
        required=False, help_text=_("Show bundles as their products together.")
    )
    seed_number = serializers.IntegerField(required=False)
    layout = serializers.CharField(
        required=False, allow_null=True, max_length=60, help_text=_("The key of a text layout.")
    )
    deck = serializers.CharField(
        required=False, allow_null=True, max_length=60, help_text=_("The key of a copy deck.")
    )


class NewSeriesSerializer(LookSerializer):
    """A series with the look of ``scene`` as it is now."""

    key = serializers.CharField(max_length=60)
    model = serializers.CharField(help_text=_("A registered model, for example shop.product."))
    scene = serializers.CharField(max_length=60, help_text=_("The key of a scene."))
    view = serializers.ChoiceField(default=SeriesView.FRONT, choices=SeriesView.choices)
    treatment = serializers.ChoiceField(
        default=Treatment.LOCKED, choices=[(each.value, each.label) for each in SCENE_TREATMENTS]
    )


class SeenSerializer(serializers.Serializer):
    """The version that was seen; a body, or the header ``If-Match``, has it."""

    version = serializers.IntegerField(required=False, min_value=1)


class LookChangeSerializer(LookSerializer, SeenSerializer):
    """Fields that are left out stay as they are. With ``dry_run`` nothing is written."""

    name = serializers.CharField(required=False, max_length=80)
    slot = serializers.CharField(required=False, max_length=40)
    position = serializers.IntegerField(required=False, min_value=0, max_value=32767)
    is_active = serializers.BooleanField(required=False)
    heights_cm = serializers.DictField(required=False)
    dry_run = serializers.BooleanField(
        default=False, help_text=_("Return what would become stale, and write nothing.")
    )


class StepSerializer(SeenSerializer):
    """A change of the look that needs no values. With ``dry_run`` nothing is written."""

    dry_run = serializers.BooleanField(
        default=False, help_text=_("Return what would become stale, and write nothing.")
    )


class AnchorSerializer(StepSerializer):
    """The picture that shows the look; null for none."""

    image = serializers.IntegerField(allow_null=True, min_value=1)


class MembersSerializer(serializers.Serializer):
    """Objects by their keys."""

    objects = KeysField(most=MOST_MEMBERS, help_text=_("Object keys."))


class VariantsSerializer(MembersSerializer):
    """Objects and the keys of their variants; without those, all variants."""

    variants = KeysField(most=MOST_VARIANTS, required=False, help_text=_("Keys of variants."))


class RemovedSerializer(serializers.Serializer):
    """Objects with all their variants, or single members."""

    objects = KeysField(most=MOST_MEMBERS, required=False, help_text=_("Object keys."))
    members = KeysField(most=MOST_MEMBERS, required=False, help_text=_("Keys of members."))

    def validate(self, attrs):
        if ("objects" in attrs) == ("members" in attrs):
            raise serializers.ValidationError(_("Send either objects or members."))
        return attrs


class OfferedSerializer(serializers.Serializer):
    """The object whose variants are asked for."""

    object = serializers.CharField(max_length=128, help_text=_("An object key."))


class OrderSerializer(SeenSerializer):
    """Members in their order. Some members only share out among themselves the places that they hold."""

    order = KeysField(most=MOST_MEMBERS, help_text=_("Keys of members in their order."))


class SeriesPlanSerializer(serializers.Serializer):
    """What is missing of a series, or of some ``objects`` or ``members`` of it."""

    objects = KeysField(most=MOST_MEMBERS, required=False, help_text=_("Object keys."))
    members = KeysField(most=MOST_MEMBERS, required=False, help_text=_("Keys of members."))
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)
    step = serializers.ChoiceField(
        default=PICTURES,
        choices=[(PICTURES, _("Pictures")), (TEXTS, _("Text on the pictures, free of charge"))],
    )
    key = KeyField()


class TrialSerializer(serializers.Serializer):
    """One picture by the successor of the series' model."""

    key = KeyField()


class SeriesRunSerializer(SeriesPlanSerializer):
    """A plan with its budget."""

    notify = NotifyField()
    budget_usd = BudgetField(default=None)
    priority = PriorityField(default=0)


class PublishSeriesSerializer(serializers.Serializer):
    """``partial``: publish what is ready. ``replace``: also where the slot shows another series."""

    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    partial = serializers.BooleanField(default=False)
    replace = serializers.BooleanField(default=False)
    reason = serializers.CharField(default="", allow_blank=True, max_length=1000)


class PartialSerializer(serializers.Serializer):
    """``partial``: leave places as they are that somebody has changed since."""

    partial = serializers.BooleanField(default=False)
