"""Counting and paginating long lists without counting a million rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

# Longer lists are not counted and use keyset pagination, because OFFSET reads the skipped rows.
COUNT_LIMIT: Final = 10_000


def bounded_count(rows: QuerySet[Any]) -> int | None:
    """Return the number of ``rows``, or None if there are more than ``COUNT_LIMIT``."""
    count = rows.order_by()[: COUNT_LIMIT + 1].count()
    return None if count > COUNT_LIMIT else count


def estimated_count(model: type[Model]) -> int:
    """Return the approximate number of rows of ``model``: its keys are consecutive, and few rows are
    ever deleted."""
    keys = model._default_manager.values_list("pk", flat=True)
    # Two index lookups: for Min and Max in one query, SQLite would scan the table.
    first, last = keys.order_by("pk").first(), keys.order_by("-pk").first()
    return 0 if first is None or last is None else int(last - first + 1)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first ``COUNT_LIMIT`` rows; ``is_cut``: whether there are more."""

    @cached_property
    def _length(self) -> int | None:
        return bounded_count(self.object_list)  # type: ignore[arg-type]

    @property
    def is_cut(self) -> bool:
        return self._length is None

    @property
    def count(self) -> int:
        return COUNT_LIMIT if self._length is None else self._length
