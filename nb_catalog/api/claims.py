"""``claims/``: pictures that are one reviewer's to judge, for half an hour."""

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import review
from nb_catalog.api.images import ImageSerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.results import ReleasedSerializer, RenewedSerializer
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import ImageState
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.review.claims import LEASE

MOST = 200


class ClaimSerializer(serializers.Serializer):
    """How many pictures are claimed, of those that wait for review; of a run, a scene or a series."""

    count = serializers.IntegerField(default=24, min_value=1, max_value=MOST)
    run = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    scene = serializers.CharField(required=False, max_length=60)
    series = serializers.CharField(required=False, max_length=60)


class ReleaseSerializer(serializers.Serializer):
    """The pictures that are given back; all without ``images``."""

    images = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        default=None, allow_null=True, max_length=MOST,
    )  # fmt: skip


class RenewSerializer(ReleaseSerializer):
    """The pictures whose claims are prolonged; all that have not ended without ``images``."""


class ClaimedSerializer(serializers.Serializer):
    """Pictures that are the user's to review for ``seconds``."""

    seconds = serializers.IntegerField()
    results = ImageSerializer(many=True)


class ClaimViewSet(CatalogViewSet):
    """Claim pictures to review, so that no other reviewer gets them."""

    queryset = ProductImage.objects.all()
    action_permissions = dict.fromkeys(("create", "renew", "release"), Action.REVIEW)
    operations = {
        "create": Operation(returns=ClaimedSerializer),
        "renew": Operation(returns=RenewedSerializer),
        "release": Operation(returns=ReleasedSerializer),
    }
    serializer_class = ClaimSerializer
    serializer_classes = {"renew": RenewSerializer, "release": ReleaseSerializer}

    def create(self, request, *args, **kwargs):
        """Claim the next pictures, and return them with those of the user that come before. They are the
        user's for ``seconds``."""
        body = self.validated_body()
        fields = {"run": "job__run", "scene": "scene", "series": "series"}
        wanted = {field: body[name] for name, field in fields.items() if name in body}
        rows = ProductImage.objects.filter(
            kind=ImageKind.PICTURE, state=ImageState.PENDING, **wanted
        ).order_by("content_type_id", "object_id", "scene", "id")
        rows = rows.select_related("job").prefetch_related("placements")
        images = review.claim_next(rows, reviewer=request.user, count=body["count"])
        context = self.get_serializer_context()
        results = ImageSerializer(images, many=True, context=context).data
        return Response({"seconds": int(LEASE.total_seconds()), "results": results})

    @action(detail=False, methods=["post"])
    def renew(self, request, *args, **kwargs):
        """Prolong claims of the user, and return which ``images`` are the user's still."""
        keys = self.validated_body()["images"]
        claimed = review.renew_claims(keys, reviewer=request.user)
        return Response({"claimed": len(claimed), "images": sorted(claimed)})

    @action(detail=False, methods=["post"])
    def release(self, request, *args, **kwargs):
        """Give pictures back."""
        keys = self.validated_body()["images"]
        return Response({"released": review.release_claims(keys, reviewer=request.user)})
