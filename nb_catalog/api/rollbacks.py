"""``rollbacks/``: undo what a publication, a series or a run changed, or everything since a moment."""

from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.response import Response

from nb_catalog.api import idempotency
from nb_catalog.api.fields import KeyListField, ModelLabelField, MomentField, requested_keys
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import (
    InvalidTransition,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import Publication, Run, Series
from nb_catalog.operations.search import MAX_TERM, found_keys
from nb_catalog.publishing import rollbacks
from nb_catalog.publishing.series import REQUEST_SECONDS
from nb_catalog.registry import source_for

# Places that a response lists; all are counted.
MOST_PLACES = 500
KEY = {"min_value": 1, "max_value": 2**63 - 1}


class RollBackSerializer(serializers.Serializer):
    """What is rolled back: one of ``publication``, ``run``, ``series`` and ``at``, optionally restricted to
    slots and to objects of a ``model``: these ``objects``, or all that ``search`` finds. ``dry_run`` changes
    nothing and returns what would change. With ``partial``, places that cannot be restored stay as they
    are."""

    publication = serializers.PrimaryKeyRelatedField(
        queryset=Publication.objects.select_related("undoes"), required=False,
        pk_field=serializers.IntegerField(**KEY),
    )  # fmt: skip
    run = serializers.PrimaryKeyRelatedField(
        queryset=Run.objects.all(), required=False, pk_field=serializers.IntegerField(**KEY)
    )
    series = serializers.SlugRelatedField(
        queryset=Series.objects.all(), slug_field="key", required=False
    )
    at = MomentField(required=False)
    model = serializers.CharField(required=False)
    objects = KeyListField(required=False)
    search = serializers.CharField(required=False, max_length=MAX_TERM)
    slots = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, allow_empty=False, max_length=50
    )
    dry_run = serializers.BooleanField(default=False)
    partial = serializers.BooleanField(default=False)
    key = KeyField()

    def validate(self, data):
        which = data.keys() & {"objects", "search"}
        if len(which) > 1:
            message = _("Give either objects or search, not both.")
            raise serializers.ValidationError({"search": [message]})
        if bool(which) != ("model" in data):
            field = "model" if which else "objects"
            message = _("Give model together with objects or search, or none of them.")
            raise serializers.ValidationError({field: [message]})
        return data


class PlaceRollBackSerializer(serializers.Serializer):
    """A place, the picture that it shows ``now``, and the one from ``before``; null for none."""

    model = ModelLabelField()
    object = serializers.CharField()
    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()
    now = serializers.IntegerField(allow_null=True)
    before = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField()


class RollBackResultSerializer(serializers.Serializer):
    """What was rolled back, or would be. ``publication`` is the roll-back itself, which can be rolled back
    like any other; null with ``dry_run``. ``restored`` counts all places, ``places`` lists the first ones;
    ``changed`` were changed by somebody since, and ``cannot`` not be restored: both stay as they are."""

    publication = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    restored = serializers.IntegerField()
    places = PlaceRollBackSerializer(many=True)
    changed = PlaceRollBackSerializer(many=True)
    cannot = PlaceRollBackSerializer(many=True)


class RollBackViewSet(CatalogViewSet):
    """Roll-backs of many places, each in all of them or in none."""

    action_permissions = {"create": Action.UNPUBLISH}
    serializer_classes = {"create": RollBackSerializer}
    operations = {
        "create": Operation(
            returns=RollBackResultSerializer,
            status=status.HTTP_201_CREATED,
            also={status.HTTP_200_OK: RollBackResultSerializer},
            refuses=(
                InvalidTransition,
                RequestRefused,
                NotRegistered,
                ObjectGone,
                PictureMissing,
                StorageFailed,
            ),
            once=True,
        )
    }

    def create(self, request, *args, **kwargs):
        """Roll back, or with ``dry_run`` return what would change."""
        body = self.validated_body()
        if body["dry_run"]:
            return Response(_result(rollbacks.preview(_scope(body))))

        def make_files():
            # What was made stays if there are more than one request can wait for.
            rollbacks.make_files(_scope(body), seconds=REQUEST_SECONDS)

        def start():
            scope = _scope(body)
            before = rollbacks.preview(scope)
            record = rollbacks.roll_back_all(
                scope, actor=request.user, partial=body["partial"], seconds=REQUEST_SECONDS
            )
            return Response(_result(before, record), status=status.HTTP_201_CREATED)

        sent = {name: getattr(value, "pk", value) for name, value in body.items()}
        return idempotency.once(self, sent, start, prepare=make_files)


def _scope(body):
    keys = None
    if "objects" in body:
        keys = requested_keys(source_for(body["model"]), body["objects"], rows=None).values()
    elif "search" in body:
        keys = found_keys(body["search"], source=source_for(body["model"]))
    return rollbacks.scope_of(
        publication=body.get("publication"),
        series=body.get("series"),
        run=body.get("run"),
        moment=body.get("at"),
        keys=keys,
        slots=body.get("slots"),
    )


def _result(preview, record=None):
    return {
        "publication": record and record.pk,
        "title": preview.scope.name,
        "restored": len(preview.restored) if record is None else record.events.count(),
        **{
            name: PlaceRollBackSerializer(
                [_place(each) for each in rows[:MOST_PLACES]], many=True
            ).data
            for name, rows in (
                ("places", preview.restored),
                ("changed", preview.changed),
                ("cannot", preview.cannot),
            )
        },
    }


def _place(each):
    type_id, object_id, slot, locale, position = each.key
    return {
        "content_type_id": type_id,
        "object": object_id,
        "slot": slot,
        "locale": locale,
        "position": position,
        "now": each.now,
        "before": each.before and each.before.pk,
        "problem": each.problem,
    }
