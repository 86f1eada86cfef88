"""Base view sets. Authentication, throttling and rendering come from the host project."""

from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from nb_catalog.api import errors
from nb_catalog.api.pagination import CatalogPagination
from nb_catalog.api.permissions import CatalogPermission
from nb_catalog.core.types import Permission


class CatalogViewSet(GenericViewSet):
    """``serializer_classes`` and ``action_permissions`` are keyed by action."""

    permission_classes = (CatalogPermission,)
    pagination_class = CatalogPagination
    filter_backends = ()
    lookup_value_converter = "int"
    read_permission = ""
    action_permissions = {}
    serializer_classes = {}

    def needed_permission(self):
        """Return the permission required by the current action; None for an unknown action."""
        if self.action in self.action_permissions:
            return self.action_permissions[self.action]
        return self.read_permission if self.action in READS else None

    def get_serializer_class(self):
        return self.serializer_classes.get(self.action, self.serializer_class)

    def get_exception_handler(self):
        return errors.handle

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        renderer = getattr(response, "accepted_renderer", None)
        is_json = getattr(renderer, "media_type", "") == "application/json"
        if response.status_code >= 400 and is_json:
            response.content_type = errors.MEDIA_TYPE
        return response

    @property
    def may_read_prompts(self):
        """Prompts are visible only to users who may generate pictures."""
        return self.request.user.has_perm(Permission.GENERATE)

    def validated_body(self):
        """Return the validated request body. Raises ``ValidationError``."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class CatalogReadViewSet(CatalogViewSet):
    """Read-only rows in bounded pages. ``filter_class`` validates the query string of a list."""

    filter_class = None

    def filter_queryset(self, queryset):
        """Apply ``filter_class`` to lists. Detail views find every row: some filters have defaults."""
        if self.filter_class is None or self.action != "list":
            return queryset
        query = self.filter_class(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return query.filter_queryset(queryset)

    def list(self, request, *args, **kwargs):
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.serialize_page(page))

    def serialize_page(self, page):
        """Return the serialized rows of one page."""
        return self.get_serializer(page, many=True).data

    def retrieve(self, request, *args, **kwargs):
        return Response(self.get_serializer(self.get_object()).data)


# None: the URL does not support the method. Users who may read get a 405 for it.
READS = frozenset({"list", "retrieve", "metadata", None})
