"""Base classes for admin pages; most of our tables are read-only for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, reverse

from nb_catalog import live
from nb_catalog.admin import catalog_objects
from nb_catalog.admin.changelists import KeysetChangeList
from nb_catalog.admin.search import Search
from nb_catalog.core.pagination import BoundedPaginator
from nb_catalog.core.permissions import Action, may


def refuse_nul(request: HttpRequest) -> None:
    """Raise ``BadRequest`` for an address with a NUL, which PostgreSQL fails to compare."""
    if "%00" in request.META["QUERY_STRING"]:
        raise BadRequest("NUL in the query string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a page or an action of a list does, and the operations of the API that do it."""

    action: Action
    api: tuple[str, ...]
    only_here: str = ""


def declares(action: Action, *, api: str) -> Callable[[Any], Any]:
    """Decorate an action of a list with what it does, and the operations of the API that do the same."""

    def declare(function: Any) -> Any:
        function.declared = Declared(action=action, api=tuple(api.split()))
        return function

    return declare


class AdminPages:
    """Mixin for additional pages of a ``ModelAdmin``, each behind the admin's login.

    ``view_action`` replaces Django's own permission to view its rows.
    """

    view_action: ClassVar[Action | None] = None

    def page(
        self,
        route: str,
        view: Callable[..., HttpResponse],
        *,
        name: str,
        action: Action,
        api: str = "",
        only_here: str = "",
        cacheable: bool = False,
    ) -> URLPattern:
        """Return the URL pattern of ``view``, for users who may do ``action``.

        ``api`` names the operations of the API that do the same, separated by spaces; ``only_here`` is the
        reason why there is none. Unless ``cacheable``, browsers may not cache the response.
        """

        @wraps(view)
        def permitted(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
            may_open = (
                self.has_view_permission(request)
                if action == self.view_action
                else may(request.user, action)
            )
            if not may_open:
                raise PermissionDenied
            refuse_nul(request)
            return view(request, *args, **options)

        guarded = self.admin_site.admin_view(permitted, cacheable=cacheable)
        guarded.declared = Declared(action=action, api=tuple(api.split()), only_here=only_here)
        return path(route, guarded, name=f"nb_catalog_{self.opts.model_name}_{name}")

    def live_response(
        self, request: HttpRequest, feed: live.Feed, *, obj: Model | None = None
    ) -> HttpResponseBase:
        """Return the events of ``feed`` to users who may view ``obj``, as long as they may."""

        def is_allowed(request: HttpRequest) -> bool:
            return self.admin_site.has_permission(request) and self.has_view_permission(
                request, obj
            )

        if not is_allowed(request):
            raise PermissionDenied
        return live.response(request, feed, is_allowed=is_allowed)

    def url_of(self, name: str, *args: Any, model: str = "") -> str:
        model = model or self.opts.model_name
        return reverse(f"{self.admin_site.name}:nb_catalog_{model}_{name}", args=args)

    def changelist_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        refuse_nul(request)
        return super().changelist_view(request, *args, **options)  # type: ignore[misc]

    def page_context(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {**self.admin_site.each_context(request), "opts": self.opts, **context}


class ReadOnlyAdmin(AdminPages, admin.ModelAdmin):
    """Read-only list and detail pages that also work with millions of rows."""

    actions = None
    show_full_result_count = False
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if self.view_action is None:
            return super().has_view_permission(request, obj)
        return may(request.user, self.view_action)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class SearchableAdmin:
    """Mixin for lists that are searched by what people call things, as ``operations.search`` says.

    A term that is a product's key, as a number, means that product only.
    """

    # The table whose rows say whether a number is a product's key; None for the list's own.
    keys_of: ClassVar[type[Model] | None] = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        rows = queryset if self.keys_of is None else self.keys_of._default_manager.all()
        search = Search(term=term, rows=rows)
        search.warn(request)
        return queryset.filter(search.condition(self.model)), False


class CatalogObjectAdmin(SearchableAdmin, ReadOnlyAdmin):
    """Rows that belong to catalog objects. Titles are fetched at once; search matches the objects' names."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows: Sequence[Any] = list(changelist.result_list)
        catalog_objects.attach_info(rows, site=self.admin_site)
        changelist.result_list = rows
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            catalog_objects.attach_info([row], site=self.admin_site)
        return row

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Any = None,
        **options: Any,
    ) -> HttpResponseBase:
        """Name the product, for which a row itself has only a key."""
        if obj is not None:
            context["subtitle"] = obj.object_info.title
        return super().render_change_form(request, context, *args, obj=obj, **options)
