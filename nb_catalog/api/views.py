"""What all our views share. Authentication, throttling and rendering are the host's."""

from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from nb_catalog.api import errors
from nb_catalog.api.pagination import CatalogPagination
from nb_catalog.api.permissions import CatalogPermission
from nb_catalog.core.types import Permission


class CatalogViewSet(GenericViewSet):
    """``serializer_classes`` and ``action_permissions`` are by action."""

    permission_classes = (CatalogPermission,)
    pagination_class = CatalogPagination
    filter_backends = ()
    lookup_value_converter = "int"
    read_permission = ""
    action_permissions = {}
    serializer_classes = {}

    def needed_permission(self):
        """The permission that the current action needs, or None for an unknown one."""
        if self.action in self.action_permissions:
            return self.action_permissions[self.action]
        return self.read_permission if self.action in READS else None

    def get_serializer_class(self):
        return self.serializer_classes.get(self.action, self.serializer_class)

    def get_exception_handler(self):
        return errors.handle

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code >= 400 and _is_json(response):
            response.content_type = errors.MEDIA_TYPE
        return response

    @property
    def may_read_prompts(self):
        """Prompts are for those who may have pictures made."""
        return self.request.user.has_perm(Permission.GENERATE)

    def asked(self):
        """The body of the request, checked."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class CatalogReadViewSet(CatalogViewSet):
    """Rows in bounded pages. ``filter_class`` reads the query string of a list."""

    filter_class = None

    def filtered(self, rows):
        """``rows`` as the query string narrows them."""
        if self.filter_class is None:
            return rows
        given = self.filter_class(data=self.request.query_params)
        given.is_valid(raise_exception=True)
        return given.narrow(rows)

    def list(self, request, *args, **kwargs):
        page = self.paginate_queryset(self.filtered(self.get_queryset()))
        return self.get_paginated_response(self.shown_list(page))

    def shown_list(self, page):
        return self.get_serializer(page, many=True).data

    def retrieve(self, request, *args, **kwargs):
        return Response(self.get_serializer(self.get_object()).data)


# None is a method that the address does not have: 405 for those who may read.
READS = frozenset({"list", "retrieve", "metadata", None})


def _is_json(response):
    renderer = getattr(response, "accepted_renderer", None)
    return getattr(renderer, "media_type", "") == "application/json"
