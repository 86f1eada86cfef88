"""Pagination with bounded page sizes, independent of the host's DRF settings."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from nb_catalog.api.keyset import InvalidCursor, Keyset
from nb_catalog.core import pagination

PAGE_SIZE = 50
MOST = 200
CURSOR = "cursor"


class CatalogPagination(PageNumberPagination):
    """Keyset pagination: ``next`` leads to every row once, whatever is written meanwhile.

    ``count`` is null for lists too long to count. A ``page`` may be requested by its number, too, and is
    always counted then; so are pages of what is not a table, or is sorted by something else than its columns.
    """

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST
    query_parameters = ("page", "page_size", CURSOR)

    def __init__(self):
        self._keyset_page = self._count = None

    def paginate_queryset(self, queryset, request, view=None):
        self.request = request
        cursor = request.query_params.get(CURSOR)
        keyset = Keyset.of(queryset) if isinstance(queryset, QuerySet) else None
        if keyset is None and cursor is not None:
            raise NotFound(_("This list has no cursors. Request its pages by number."))
        if cursor is None and (keyset is None or self.page_query_param in request.query_params):
            return super().paginate_queryset(queryset, request, view)
        self._count = pagination.bounded_count(queryset)
        try:
            self._keyset_page = keyset.page(
                queryset, size=self.get_page_size(request), cursor=cursor
            )
        except InvalidCursor as error:
            raise NotFound(
                _("This cursor is not from this list. Begin again without it, and follow “next”.")
            ) from error
        return self._keyset_page.rows

    def get_page_size(self, request):
        """Return the requested size, at most ``MOST``. Raises ``ValidationError`` for anything else."""
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        # A few digits are enough: int() raises ValueError for thousands of them.
        if not (text.isascii() and text.isdecimal()) or not (size := int(text[:9])):
            message = _("The number of rows of a page, from 1 to %(most)s.") % {"most": MOST}
            raise ValidationError({self.page_size_query_param: [message]})
        return min(size, self.max_page_size)

    def get_paginated_response(self, data):
        if self._keyset_page is None:
            body = super().get_paginated_response(data).data
        else:
            body = {
                "count": self._count,
                "next": self._link(self._keyset_page.next_cursor),
                "previous": self._link(self._keyset_page.previous_cursor),
                "results": data,
            }
        links = (("next", body["next"]), ("prev", body["previous"]))
        header = ", ".join(f'<{url}>; rel="{name}"' for name, url in links if url)
        return Response(body, headers={"Link": header} if header else {})

    def _link(self, cursor):
        if cursor is None:
            return None
        url = remove_query_param(self.request.build_absolute_uri(), self.page_query_param)
        return replace_query_param(url, CURSOR, cursor)

    @classmethod
    def parameters(cls):
        """Return the parameters of a list for its OpenAPI schema."""
        number = {"type": "integer", "minimum": 1}
        described = {
            "page": (number, "The number of a page. Follow `next` instead to read a whole list."),
            "page_size": (
                number | {"default": PAGE_SIZE},
                f"Rows of a page; more than {MOST} are taken as {MOST}.",
            ),
            CURSOR: ({"type": "string"}, "Part of the addresses in `next` and `previous`."),
        }
        return [
            {"name": name, "in": "query", "schema": schema, "description": text}
            for name, (schema, text) in described.items()
        ]

    def get_paginated_response_schema(self, schema):
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {
                    "type": "integer",
                    "nullable": True,
                    "description": "Null if the list is too long to be counted.",
                },
                "next": link,
                "previous": link,
                "results": schema,
            },
        }
