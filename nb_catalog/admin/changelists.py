"""Lists of a million rows: paged by key, counted by estimate, filtered by what is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.review.forms import LOOKS_LIKE_A_KEY
from nb_catalog.conf import settings
from nb_catalog.core import pagination
from nb_catalog.models import Scene
from nb_catalog.providers import model_specs
from nb_catalog.registry import registered

BEFORE: Final = "before"
AFTER: Final = "after"


class KeysetChangeList(ChangeList):
    """Django's own list while it is short, which ``lengths.ShortPaginator`` tells. A long one stands in
    the order of its keys, the newest first, with links to the rows before and after."""

    is_long = False
    newer_url = older_url = ""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BEFORE, AFTER)}

    def get_results(self, request: HttpRequest) -> None:
        before, after = self._taken(BEFORE), self._taken(AFTER)
        super().get_results(request)
        self.is_long = self.paginator.is_cut
        if not self.is_long:
            return
        self.result_list = rows = self._slice(before=before, after=after)
        # What the templates ask for. The whole list cannot be chosen for an action.
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.multi_page = self.can_show_all = False
        self.show_admin_actions = bool(rows)
        self.sortable_by = ()

    @property
    def how_many(self) -> str:
        names = self.opts.verbose_name_plural
        if self.query or self.has_active_filters:
            return gettext("More than %(count)d %(names)s") % {
                "count": pagination.COUNT_LIMIT, "names": names
            }  # fmt: skip
        count = pagination.estimated_count(self.model)
        return gettext("About %(count)d %(names)s") % {"count": _rounded(count), "names": names}

    def _taken(self, name: str) -> int | None:
        """The key that the address gives as ``name``, which filters and searches then do not keep."""
        self.filter_params.pop(name, None)
        given = self.params.pop(name, None)
        if given is None:
            return None
        if not LOOKS_LIKE_A_KEY.fullmatch(given):
            raise IncorrectLookupParameters
        return int(given)

    def _slice(self, *, before: int | None, after: int | None) -> list[Any]:
        size, rows = self.list_per_page, self.queryset
        if after is not None:
            found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
            has_newer, has_older = len(found) > size, True
            found = found[:size][::-1]
        else:
            older = rows if before is None else rows.filter(pk__lt=before)
            found = list(older.order_by("-pk")[: size + 1])
            has_newer, has_older = before is not None, len(found) > size
            found = found[:size]
        if found and has_newer:
            self.newer_url = self._address(**{AFTER: found[0].pk})
        if found and has_older:
            self.older_url = self._address(**{BEFORE: found[-1].pk})
        return found

    def _address(self, **key: int) -> str:
        return str(self.get_query_string({PAGE_VAR: None, ORDER_VAR: None, **key}))


def _rounded(count: int) -> int:
    """Two digits that mean something, as estimates have."""
    step = 10 ** max(0, len(str(count)) - 2)
    return round(count / step) * step


class SettingsFilter(admin.ChoicesFieldListFilter, ABC):
    """A filter by values that are known beforehand. To find them in the table, Django would read
    all of it."""

    @abstractmethod
    def known(self) -> Iterable[tuple[str, Any]]:
        """(value, its name)"""

    def choices(self, changelist: ChangeList) -> Iterator[Mapping[str, Any]]:
        remove = [self.lookup_kwarg, self.lookup_kwarg_isnull]
        yield {
            "selected": self.lookup_val is None,
            "query_string": changelist.get_query_string(remove=remove),
            "display": _("All"),
        }
        for value, name in self.known():
            yield {
                "selected": self.lookup_val is not None and value in self.lookup_val,
                "query_string": changelist.get_query_string({self.lookup_kwarg: value}, remove),
                "display": name,
            }


class TierFilter(SettingsFilter):
    def known(self) -> Iterable[tuple[str, Any]]:
        return [(name, name) for name in settings.TIERS]


class ProviderFilter(SettingsFilter):
    def known(self) -> Iterable[tuple[str, Any]]:
        return [(alias, alias) for alias in settings.PROVIDERS]


class ModelFilter(SettingsFilter):
    """A provider's model."""

    def known(self) -> Iterable[tuple[str, Any]]:
        return [(name, name) for name in sorted(model_specs.all_specs())]


class SceneFilter(SettingsFilter):
    def known(self) -> Iterable[tuple[str, Any]]:
        return list(Scene.objects.values_list("key", "name"))


class SlotFilter(SettingsFilter):
    def known(self) -> Iterable[tuple[str, Any]]:
        slots = {slot for source in registered().values() for slot in source.slots}
        return [(slot, slot) for slot in sorted(slots)]


class LanguageFilter(SettingsFilter):
    def known(self) -> Iterable[tuple[str, Any]]:
        return [("", _("all")), *django_settings.LANGUAGES]


class StaleFilter(admin.SimpleListFilter):
    """Whether the shop would say something else today than the published picture does."""

    title = _("out of date")
    parameter_name = "is_stale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(stale_since__isnull=self.value() == "no")
