"""``decisions/``: decisions about several pictures at once, each carried out once, and undone together."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import review
from nb_catalog.api.operations import Operation
from nb_catalog.api.results import UndoneSerializer
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, ObjectGone, RequestRefused
from nb_catalog.models import ReviewDecision
from nb_catalog.review.decisions import ACTIONS, MAX_DECISIONS


class DecisionSerializer(serializers.Serializer):
    """One decision. ``slot``, ``locale`` and ``position`` say where the picture is published."""

    key = serializers.UUIDField(help_text=_("Your own. The same key never decides twice."))
    image = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    decision = serializers.ChoiceField(choices=list(ACTIONS))
    seen = serializers.ChoiceField(
        default="",
        allow_blank=True,
        choices=ImageState.choices,
        help_text=_("The state in which the picture was shown; refused if it has another one."),
    )
    note = serializers.CharField(default="", allow_blank=True, max_length=2000)
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)


class DecisionsSerializer(serializers.Serializer):
    """Decisions in their order. Those with a ``batch`` can be undone together."""

    batch = serializers.UUIDField(default=None, allow_null=True)
    decisions = DecisionSerializer(many=True, allow_empty=False, max_length=MAX_DECISIONS)


class UndoDecisionsSerializer(serializers.Serializer):
    """The keys of decisions, or of a batch."""

    batch = serializers.UUIDField(default=None, allow_null=True)
    keys = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=MAX_DECISIONS
    )

    def validate(self, body):
        if bool(body["batch"]) == bool(body["keys"]):
            raise serializers.ValidationError(_("Give either a batch or keys."))
        return body


class DecisionResultSerializer(serializers.ModelSerializer):
    """What became of a decision: ``outcome`` is "done", "refused", "partly", if it was approved and could not
    be published, or "waiting", until a worker has made its files and the ``publication`` shows it.
    ``before`` and ``after`` are states by the keys of the pictures that it moved."""

    decision = serializers.CharField(source="verb")
    outcome = serializers.CharField()
    problem = serializers.CharField(allow_blank=True, source="current_problem")

    class Meta:
        model = ReviewDecision
        fields = (
            "key", "batch", "image", "decision", "outcome", "problem", "code", "before", "after",
            "place", "publication", "at", "undone_at",
        )  # fmt: skip
        read_only_fields = fields


class DecisionResultsSerializer(serializers.Serializer):
    """The results of decisions in their order."""

    results = DecisionResultSerializer(many=True)


class DecisionViewSet(CatalogViewSet):
    """Decide about pictures by keys of your own, and undo what you have decided."""

    queryset = ReviewDecision.objects.all()
    # Each decision needs its own permission beside.
    action_permissions = {"create": Action.VIEW_IMAGES, "undo": Action.VIEW_IMAGES}
    operations = {
        "create": Operation(
            returns=DecisionResultsSerializer,
            also={status.HTTP_202_ACCEPTED: DecisionResultsSerializer},
            refuses=(RequestRefused, ObjectGone),
        ),
        "undo": Operation(returns=UndoneSerializer, refuses=(InvalidTransition,)),
    }
    serializer_class = DecisionsSerializer
    serializer_classes = {"undo": UndoDecisionsSerializer}

    def create(self, request, *args, **kwargs):
        """Decide, one after another. One that was refused does not stop the others. The status is 202 if
        files of pictures that are to be published have to be made first."""
        body = self.validated_body()
        for needed in {ACTIONS[each["decision"]] for each in body["decisions"]}:
            self.require(needed)
        review.require_images(each["image"] for each in body["decisions"])
        decisions = [
            review.Decision(verb=each.pop("decision"), batch=body["batch"], **each)
            for each in body["decisions"]
        ]
        rows = review.decide_all(decisions, actor=request.user)
        waits = any(row.outcome == "waiting" for row in rows)
        return Response(
            {"results": DecisionResultSerializer(rows, many=True).data},
            status=status.HTTP_202_ACCEPTED if waits else status.HTTP_200_OK,
        )

    @action(detail=False, methods=["post"])
    def undo(self, request, *args, **kwargs):
        """Undo decisions of your own, the last first: each picture gets the state that it had, and each place
        its picture. ``refused`` says what could not be undone."""
        body = self.validated_body()
        rows = ReviewDecision.objects.filter(actor=request.user).select_related(
            "image", "publication"
        )
        rows = (
            rows.filter(batch=body["batch"]) if body["batch"] else rows.filter(key__in=body["keys"])
        )
        result = review.undo(rows, actor=request.user)
        undone = [each.key for each in result.undone]
        if result.refused and not undone:
            raise InvalidTransition(" ".join(result.refused))
        return Response({"undone": undone, "refused": result.refused})
