"""Selected catalog objects, stored in the session between two pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Self
from uuid import uuid4

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from nb_catalog.exceptions import NotRegistered
from nb_catalog.registry import CatalogSource, source_for

SESSION_KEY: Final = "nb_catalog_selections"
# A selection of 100,000 objects takes about 300 KB of session data.
MAX_SELECTIONS: Final = 3
# Keys per query: below the parameter limit of every database.
BLOCK_SIZE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Keys of catalog objects of one model, as text. ``token`` identifies it in the session."""

    token: str
    label: str
    keys: tuple[str, ...]

    @property
    def source(self) -> CatalogSource:
        return source_for(self.label)

    def products(self, *, limit: int | None = None) -> SelectedQuerySet:
        """Return the objects, or the first ``limit`` of them, without deleted ones."""
        return SelectedQuerySet.of(self.source, keys=self.keys[:limit])

    def __len__(self) -> int:
        return len(self.keys)


class SelectedQuerySet(QuerySet):
    """Objects by their keys, read in blocks, so that any number works with every database."""

    source: CatalogSource
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: CatalogSource, *, keys: tuple[str, ...]) -> Self:
        queryset = cls(model=source.model)
        queryset.source, queryset.keys = source, keys
        return queryset

    def iterator(self, chunk_size: int | None = None) -> Iterator[Model]:
        """Yield the objects in the order of their keys, using one query per block."""
        keys = iter(self.keys)
        while block := list(islice(keys, min(chunk_size or BLOCK_SIZE, BLOCK_SIZE))):
            rows = {str(row.pk): row for row in self.source.queryset().filter(pk__in=block)}
            yield from (rows[key] for key in block if key in rows)

    def _clone(self) -> Self:
        copy = super()._clone()
        copy.source, copy.keys = self.source, self.keys
        return copy


def store_selection(request: HttpRequest, *, model: type[Model], keys: Iterable[Any]) -> str:
    """Store ``keys`` in the session and return their token. Raises ``NotRegistered``."""
    selections = dict(request.session.get(SESSION_KEY, {}))
    token = uuid4().hex
    selections[token] = {
        "label": source_for(model).label,
        "keys": list(dict.fromkeys(str(key) for key in keys)),
    }
    request.session[SESSION_KEY] = dict(list(selections.items())[-MAX_SELECTIONS:])
    return token


def load_selection(request: HttpRequest, token: str) -> Selection | None:
    """Return the selection stored under ``token``; None if it expired or its model is not registered."""
    entry = request.session.get(SESSION_KEY, {}).get(token)
    if entry is None:
        return None
    try:
        source_for(entry["label"])
    except NotRegistered:
        return None
    return Selection(token=token, label=entry["label"], keys=tuple(entry["keys"]))
