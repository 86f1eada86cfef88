"""``review-filters/``: filters of the review page that people have saved."""

from urllib.parse import parse_qsl

from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from nb_catalog import review
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ReviewFilter
from nb_catalog.models.reviews import LONGEST_NAME
from nb_catalog.review.saved_filters import FIELDS, query_of


class FilterValuesSerializer(serializers.Serializer):
    """What the review page filters by, each as in its address."""

    optional_fields = frozenset(FIELDS)

    def get_fields(self):
        return {name: serializers.CharField(required=False, max_length=200) for name in FIELDS}


class ReviewFilterSerializer(serializers.Serializer):
    """A filter of one's own, or one that ``owner`` has shared."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=LONGEST_NAME)
    filter = FilterValuesSerializer()
    is_shared = serializers.BooleanField(default=False)
    owner = serializers.CharField(source="owner.get_username", read_only=True)

    def to_representation(self, row):
        row.filter = dict(parse_qsl(row.query))
        return super().to_representation(row)


class ReviewFilterViewSet(CatalogReadViewSet):
    """Saved filters of the review page: one's own, and those that others have shared."""

    read_permission = Action.VIEW_IMAGES
    action_permissions = dict.fromkeys(("create", "destroy"), Action.VIEW_IMAGES)
    serializer_class = ReviewFilterSerializer
    operations = {
        "create": Operation(
            returns=ReviewFilterSerializer,
            status=status.HTTP_201_CREATED,
            refuses=(RequestRefused,),
            location=("review-filter-detail", "id"),
        ),
        "destroy": Operation(status=status.HTTP_204_NO_CONTENT),
    }

    def get_queryset(self):
        if not self.request.user.is_authenticated:
            return ReviewFilter.objects.none()
        return review.saved_filters(user=self.request.user)

    def create(self, request, *args, **kwargs):
        """Save a filter. One of your own with the same name is replaced."""
        body = self.validated_body()
        row = review.save_filter(
            body["name"],
            query=query_of(body["filter"]),
            is_shared=body["is_shared"],
            user=request.user,
        )
        return Response(self.represent(row), status=status.HTTP_201_CREATED)

    def destroy(self, request, *args, **kwargs):
        """Delete a filter of your own; 404 for one of others."""
        row = self.get_object()
        if not review.delete_filter(row.pk, user=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)
