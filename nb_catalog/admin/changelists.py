"""Change lists and filters for large tables: keyset pagination, estimated counts, known choices."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.conf import settings
from nb_catalog.core import pagination
from nb_catalog.core.types import Treatment
from nb_catalog.models import Scene
from nb_catalog.providers import model_specs
from nb_catalog.registry import registered

# At most 18 digits: any match fits into a big integer column.
INTEGER_KEY: Final = re.compile(r"[0-9]{1,18}")
BEFORE: Final = "before"
AFTER: Final = "after"


def key_in(query: QueryDict, name: str) -> int | None:
    """Return the key of a row that ``query`` has under ``name``; None if it has none."""
    value = query.get(name, "")
    return int(value) if INTEGER_KEY.fullmatch(value) else None


def query_from(query: QueryDict, **position: int) -> str:
    """Return ``query`` as a query string for the rows after or before ``position``, or for the first ones."""
    query = query.copy()
    for name in (AFTER, BEFORE):
        query.pop(name, None)
    query.update({name: str(value) for name, value in position.items()})
    return query.urlencode()


class KeysetChangeList(ChangeList):
    """Django's own list, until ``BoundedPaginator`` finds that it is too long to count.

    Long lists are ordered by key, newest first, with links to newer and older rows.
    """

    is_long = False
    newer_url = older_url = ""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        filters: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in filters.items() if name not in (BEFORE, AFTER)}

    def get_results(self, request: HttpRequest) -> None:
        before, after = self._pop_key(BEFORE), self._pop_key(AFTER)
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            # The last page has become shorter: its rows may have been unpublished one after another.
            pages = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
            self.page_num = min(self.page_num, pages.num_pages)
            super().get_results(request)
        self.is_long = self.paginator.is_cut
        if not self.is_long:
            return
        size, rows = self.list_per_page, self.queryset
        if after is not None:
            block = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
            has_newer, has_older = len(block) > size, True
            block = block[:size][::-1]
        else:
            older = rows if before is None else rows.filter(pk__lt=before)
            block = list(older.order_by("-pk")[: size + 1])
            has_newer, has_older = before is not None, len(block) > size
            block = block[:size]
        self.result_list = block
        if block and has_newer:
            self.newer_url = self._page_url(**{AFTER: block[0].pk})
        if block and has_older:
            self.older_url = self._page_url(**{BEFORE: block[-1].pk})
        # Read by the templates. Selecting the whole list for an action is not possible.
        self.result_count = self.full_result_count = len(block)
        self.show_full_result_count = self.multi_page = self.can_show_all = False
        self.show_admin_actions = bool(block)
        self.sortable_by = ()

    @property
    def how_many(self) -> str:
        names = self.opts.verbose_name_plural
        if self.query or self.has_active_filters:
            return gettext("More than %(count)d %(names)s") % {
                "count": pagination.COUNT_LIMIT, "names": names
            }  # fmt: skip
        count = pagination.estimated_count(self.model)
        # Two significant digits: it is an estimate.
        step = 10 ** max(0, len(str(count)) - 2)
        rounded = round(count / step) * step
        return gettext("About %(count)d %(names)s") % {"count": rounded, "names": names}

    def _pop_key(self, name: str) -> int | None:
        """Return the key in query parameter ``name`` and remove it, so that links do not carry it on."""
        self.filter_params.pop(name, None)
        key = self.params.pop(name, None)
        if key is None:
            return None
        if not INTEGER_KEY.fullmatch(key):
            raise IncorrectLookupParameters
        return int(key)

    def _page_url(self, **key: int) -> str:
        return str(self.get_query_string({PAGE_VAR: None, ORDER_VAR: None, **key}))


class SettingsFilter(admin.ChoicesFieldListFilter, ABC):
    """A filter whose choices are known. Django would read the whole table to find them."""

    @abstractmethod
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        """Return (value, label) pairs."""

    def choices(self, changelist: ChangeList) -> Iterator[Mapping[str, Any]]:
        remove = [self.lookup_kwarg, self.lookup_kwarg_isnull]
        yield {
            "selected": self.lookup_val is None,
            "query_string": changelist.get_query_string(remove=remove),
            "display": _("All"),
        }
        for value, name in self.known_choices():
            yield {
                "selected": self.lookup_val is not None and value in self.lookup_val,
                "query_string": changelist.get_query_string({self.lookup_kwarg: value}, remove),
                "display": name,
            }


class TierFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [(name, name) for name in settings.TIERS]


class ProviderFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [(alias, alias) for alias in settings.PROVIDERS]


class ModelFilter(SettingsFilter):
    """Filters by a provider's model."""

    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [(name, name) for name in sorted(model_specs.all_specs())]


class SceneFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [("", Treatment.PHOTO.label), *Scene.objects.values_list("key", "name")]


class SlotFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        slots = {slot for source in registered().values() for slot in source.slot_table}
        return [(slot, slot) for slot in sorted(slots)]


class LanguageFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [("", _("all")), *django_settings.LANGUAGES]


class StaleFilter(admin.SimpleListFilter):
    """Filters by whether the text of a published picture differs from the shop's current text."""

    title = _("out of date")
    parameter_name = "is_stale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(stale_since__isnull=self.value() == "no")
