"""Pages of bounded length, with no settings of the host's."""

from rest_framework.pagination import PageNumberPagination


class CatalogPages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
