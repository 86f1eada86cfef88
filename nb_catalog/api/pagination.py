"""Pages of bounded length, with no settings of the host's."""

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.response import Response

from nb_catalog.core import pagination

PAGE_SIZE = 50
MOST = 200


class KeysetPagination(CursorPagination):
    """Pages found by key: the hundred-thousandth costs what the first does."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST


class CatalogPagination(PageNumberPagination):
    """Numbered pages and their ``count``. The pages of a list too long to be counted have no number and
    a null ``count``: ``next`` leads on by key. Who asks for a ``page`` by its number gets it, counted.
    """

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST

    def __init__(self):
        self._long = None

    def paginate_queryset(self, queryset, request, view=None):
        numbered = self.page_query_param in request.query_params
        goes_on = KeysetPagination.cursor_query_param in request.query_params
        is_table = isinstance(queryset, QuerySet)
        if is_table and (goes_on or not numbered and pagination.bounded_count(queryset) is None):
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
        found = super().get_paginated_response_schema(schema)
        found["properties"]["count"]["nullable"] = True
        return found
