"""Pagination with bounded page sizes, independent of the host's DRF settings."""

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.response import Response

from nb_catalog.core import pagination

PAGE_SIZE = 50
MOST = 200


class KeysetPagination(CursorPagination):
    """Keyset pagination: every page costs the same, however deep."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST


class CatalogPagination(PageNumberPagination):
    """Numbered pages with a ``count``; keyset pagination for lists too long to count.

    Pages of long lists have no number and a null ``count``; follow ``next``. A request for a
    ``page`` by number is always counted.
    """

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST

    def __init__(self):
        self._long = None

    def paginate_queryset(self, queryset, request, view=None):
        numbered = self.page_query_param in request.query_params
        has_cursor = KeysetPagination.cursor_query_param in request.query_params
        is_table = isinstance(queryset, QuerySet)
        if is_table and (has_cursor or not numbered and pagination.bounded_count(queryset) is None):
            self._long = KeysetPagination()
            self._long.ordering = queryset.query.order_by or queryset.model._meta.ordering
            return self._long.paginate_queryset(queryset, request, view)
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data):
        if self._long is None:
            return super().get_paginated_response(data)
        return Response(
            {
                "count": None,
                "next": self._long.get_next_link(),
                "previous": self._long.get_previous_link(),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema):
        page_schema = super().get_paginated_response_schema(schema)
        page_schema["properties"]["count"]["nullable"] = True
        return page_schema
