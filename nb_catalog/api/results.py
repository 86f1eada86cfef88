"""The shapes of responses that are not rows of a list, for the schema and for those who read the code."""

from rest_framework import serializers

from nb_catalog.core.states import ImageState
from nb_catalog.generation import ItemStatus
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.publications import PublicationState


class StartedRunSerializer(serializers.Serializer):
    """The run that was started."""

    run = serializers.IntegerField(help_text="Its address is `runs/{run}/`.")


class MaybeStartedRunSerializer(serializers.Serializer):
    """The run that was started; null if there is nothing to make."""

    run = serializers.IntegerField(allow_null=True, help_text="Its address is `runs/{run}/`.")


class ChangedSerializer(serializers.Serializer):
    """How many rows an action changed."""

    changed = serializers.IntegerField()


class RequestedSerializer(serializers.Serializer):
    """How many photos were requested that had not been."""

    requested = serializers.IntegerField()


class ProblemCountSerializer(serializers.Serializer):
    """Why pictures are not possible, and how many."""

    problem = serializers.CharField()
    count = serializers.IntegerField()


class WarningCountSerializer(serializers.Serializer):
    """What may be unexpected about pictures, and of how many."""

    warning = serializers.CharField()
    count = serializers.IntegerField()


class PlanSummarySerializer(serializers.Serializer):
    """Pictures of a plan: how many, how many are to be made, and by status."""

    total = serializers.IntegerField()
    wanted = serializers.IntegerField()

    def get_fields(self):
        return super().get_fields() | {
            status: serializers.IntegerField() for status in ItemStatus.values
        }


class PlanPhotosSerializer(serializers.Serializer):
    """Photos of a plan by the state of their cut-outs; ``cutouts`` are those that need a person."""

    cutouts = serializers.ListField(child=serializers.IntegerField())

    def get_fields(self):
        return super().get_fields() | {
            state: serializers.IntegerField() for state in CutoutState.values
        }


class PlanItemSerializer(serializers.Serializer):
    """One picture of a plan; what is null is not known of a picture that is not possible."""

    object = serializers.CharField()
    product_variant = serializers.CharField(allow_blank=True)
    scene = serializers.CharField(allow_null=True, allow_blank=True)
    layout = serializers.CharField(allow_null=True, allow_blank=True)
    locale = serializers.CharField(allow_null=True, allow_blank=True)
    variant = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=ItemStatus.choices)
    problem = serializers.CharField(allow_blank=True)


class PlanSerializer(serializers.Serializer):
    """What a request would make and cost. ``items`` is one page of its pictures."""

    key = serializers.CharField()
    title = serializers.CharField()
    request = serializers.DictField(child=serializers.JSONField())
    summary = PlanSummarySerializer()
    problems = ProblemCountSerializer(many=True)
    warnings = WarningCountSerializer(many=True)
    photos = PlanPhotosSerializer(allow_null=True)
    price_usd = serializers.CharField(allow_null=True)
    price_each_usd = serializers.CharField(allow_null=True)
    is_free = serializers.BooleanField()
    seconds = serializers.FloatField(allow_null=True)
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    items = PlanItemSerializer(many=True)


class LeftOutSerializer(serializers.Serializer):
    """A picture that no final is made of, and why."""

    image = serializers.IntegerField()
    value = serializers.FloatField()
    reason = serializers.CharField()


class FinalsPlanSerializer(PlanSerializer):
    """A plan of finals. If none is left of it, it has only ``key``, which is null, and the price 0."""

    optional_fields = frozenset(
        {
            "title", "request", "summary", "problems", "warnings", "photos", "price_each_usd",
            "is_free", "seconds", "page", "page_size",
        }
    )  # fmt: skip

    key = serializers.CharField(allow_null=True)
    left_out = LeftOutSerializer(many=True)


class PreviewSerializer(serializers.Serializer):
    """A request as it would be sent; in ``body``, pictures are represented by their size."""

    object = serializers.CharField()
    scene = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    treatment = serializers.CharField()
    prompt = serializers.CharField(allow_blank=True)
    system = serializers.CharField(allow_blank=True)
    body = serializers.JSONField()
    photo_sent = serializers.JSONField()
    problem = serializers.CharField(allow_blank=True)


class ReleasedSerializer(serializers.Serializer):
    """How many pictures were given back."""

    released = serializers.IntegerField()


class RenewedSerializer(serializers.Serializer):
    """The pictures that are the user's still."""

    claimed = serializers.IntegerField()
    images = serializers.ListField(child=serializers.IntegerField())


class UndoneSerializer(serializers.Serializer):
    """Keys of decisions that were undone, and a sentence for each that was not."""

    undone = serializers.ListField(child=serializers.UUIDField())
    refused = serializers.ListField(child=serializers.CharField())


class AltResultSerializer(serializers.Serializer):
    """All alternative texts of a picture by locale."""

    alt = serializers.DictField(child=serializers.CharField())
    changed = serializers.IntegerField()


class AddedSerializer(serializers.Serializer):
    """How many members were added and how many had been there."""

    added = serializers.IntegerField()
    present = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())


class RemovedCountSerializer(serializers.Serializer):
    """How many members were removed."""

    removed = serializers.IntegerField()


class MemberTextSerializer(serializers.Serializer):
    """The text on a member's picture in one language."""

    locale = serializers.CharField()
    status = serializers.CharField()
    image = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=ImageState.choices, allow_null=True)
    problem = serializers.CharField(allow_blank=True)


class MemberSerializer(serializers.Serializer):
    """A product of a series, or a variant of one, with its picture."""

    key = serializers.CharField()
    object = serializers.CharField()
    variant = serializers.CharField(allow_blank=True)
    variant_name = serializers.CharField(allow_blank=True)
    group = serializers.CharField(allow_blank=True)
    by_rule = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    status = serializers.CharField()
    image = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=ImageState.choices, allow_null=True)
    problem = serializers.CharField(allow_blank=True)
    texts = MemberTextSerializer(many=True)


class MembersPageSerializer(serializers.Serializer):
    """One page of the members of a series."""

    count = serializers.IntegerField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    order_version = serializers.IntegerField()
    results = MemberSerializer(many=True)


class VariantSerializer(serializers.Serializer):
    """A variant of a product."""

    key = serializers.CharField()
    name = serializers.CharField()
    colour = serializers.CharField(allow_blank=True)
    has_photo = serializers.BooleanField()


class OfferedVariantsSerializer(serializers.Serializer):
    """The variants of an object that can be added."""

    results = VariantSerializer(many=True)


class OrderedSerializer(serializers.Serializer):
    """The version of the new order."""

    order_version = serializers.IntegerField()


class ApprovedSerializer(serializers.Serializer):
    """Keys of pictures that were approved, and a sentence for each that was not."""

    approved = serializers.ListField(child=serializers.IntegerField())
    refused = serializers.ListField(child=serializers.CharField())


class PublicationResultSerializer(serializers.Serializer):
    """The publication of a series, its ``state``, and how many places it changed so far."""

    publication = serializers.IntegerField(source="pk")
    state = serializers.ChoiceField(choices=PublicationState.choices)
    changed = serializers.IntegerField(source="events.count")


class RolledBackSerializer(serializers.Serializer):
    """The publication that was undone."""

    publication = serializers.IntegerField()
