"""Selected catalog objects, stored between two pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NoReturn, Self
from uuid import uuid4

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from nb_catalog.exceptions import NotRegistered
from nb_catalog.models import ProductSelection
from nb_catalog.registry import CatalogSource, source_for

# Selections that are kept for each user.
MAX_SELECTIONS: Final = 3
# Keys per query: below the parameter limit of every database.
BLOCK_SIZE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Keys of catalog objects of one model, as text."""

    token: str
    label: str
    keys: tuple[str, ...]

    @property
    def source(self) -> CatalogSource:
        return source_for(self.label)

    def products(self, *, limit: int | None = None) -> QuerySet[Model]:
        """Return the objects, or the first ``limit`` of them, without deleted ones."""
        return SelectedQuerySet.of(self.source, keys=self.keys[:limit])

    def __len__(self) -> int:
        return len(self.keys)


class SelectedQuerySet(QuerySet):
    """Objects by their keys, read in blocks, so that any number works with every database.

    It is iterated, counted and sliced; whatever would need one query for all of them raises
    ``TypeError``.
    """

    source: CatalogSource
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: CatalogSource, *, keys: tuple[str, ...]) -> Self:
        queryset = cls(model=source.model)
        queryset.source, queryset.keys = source, keys
        # What is built on its query reads nothing, instead of the whole table.
        queryset.query.set_empty()
        return queryset

    def iterator(self, chunk_size: int | None = None) -> Iterator[Model]:
        """Yield the objects in the order of their keys, using one query per block."""
        keys = iter(self.keys)
        while block := list(islice(keys, min(chunk_size or BLOCK_SIZE, BLOCK_SIZE))):
            rows = {str(row.pk): row for row in self.source.queryset().filter(pk__in=block)}
            yield from (rows[key] for key in block if key in rows)

    def count(self) -> int:
        return sum(1 for _row in self.iterator())

    def exists(self) -> bool:
        return any(True for _row in self.iterator())

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._result_cache = list(self.iterator())

    def _refuse(self, *_args: Any, **_options: Any) -> NoReturn:
        raise TypeError("A selection cannot be filtered. Filter the model's own queryset.")

    filter = exclude = get = values = values_list = update = delete = aggregate = _refuse
    order_by = reverse = distinct = annotate = alias = extra = dates = datetimes = _refuse
    union = intersection = difference = __or__ = __and__ = __xor__ = resolve_expression = _refuse

    def none(self) -> Self:
        return self.of(self.source, keys=())

    def first(self) -> Model | None:
        return next(self.iterator(chunk_size=1), None)

    def last(self) -> Model | None:
        return next(reversed(self), None)

    def _clone(self) -> Self:
        copy = super()._clone()
        copy.source, copy.keys = self.source, self.keys
        return copy


def store_selection(request: HttpRequest, *, model: type[Model], keys: Iterable[Any]) -> str:
    """Store ``keys`` for the user and return their token. Raises ``NotRegistered``."""
    selection = ProductSelection.objects.create(
        token=uuid4().hex,
        user=request.user,
        label=source_for(model).label,
        keys=list(dict.fromkeys(str(key) for key in keys)),
    )
    of_user = ProductSelection.objects.filter(user=request.user).order_by("-pk")
    latest = list(of_user.values_list("pk", flat=True)[:MAX_SELECTIONS])
    of_user.exclude(pk__in=latest).delete()
    return selection.token


def load_selection(request: HttpRequest, token: str) -> Selection | None:
    """Return the user's selection stored as ``token``; None if it is gone or its model is not registered."""
    row = ProductSelection.objects.filter(token=token[:32], user=request.user).first()
    if row is None:
        return None
    try:
        source_for(row.label)
    except NotRegistered:
        return None
    return Selection(token=row.token, label=row.label, keys=tuple(row.keys))
