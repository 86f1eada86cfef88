"""Which catalog objects somebody chose, kept in the session between two pages."""

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
# A selection of 100,000 is some 300 KB of session: only the latest few are kept.
KEPT: Final = 3
# Keys of one query: below the least number of parameters that a database takes.
BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Keys of catalog objects of one model, as text. ``token`` is its name in the session."""

    token: str
    label: str
    keys: tuple[str, ...]

    @property
    def source(self) -> CatalogSource:
        return source_for(self.label)

    def products(self, *, limit: int | None = None) -> SelectedQuerySet:
        """The objects, or the first ``limit`` of them. Deleted ones are left out."""
        return SelectedQuerySet.of(self.source, keys=self.keys[:limit])

    def __len__(self) -> int:
        return len(self.keys)


class SelectedQuerySet(QuerySet):
    """Objects by their keys, read in blocks: any number of them fits every database."""

    chosen_from: CatalogSource
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: CatalogSource, *, keys: tuple[str, ...]) -> Self:
        found = cls(model=source.model)
        found.chosen_from, found.keys = source, keys
        return found

    def iterator(self, chunk_size: int | None = None) -> Iterator[Model]:
        """In the order of the keys; a query for each block, photos fetched along."""
        keys = iter(self.keys)
        while block := list(islice(keys, min(chunk_size or BLOCK, BLOCK))):
            rows = {str(row.pk): row for row in self.chosen_from.queryset().filter(pk__in=block)}
            yield from (rows[key] for key in block if key in rows)

    def _clone(self) -> Self:
        copy = super()._clone()
        copy.chosen_from, copy.keys = self.chosen_from, self.keys
        return copy


def store_selection(request: HttpRequest, *, model: type[Model], keys: Iterable[Any]) -> str:
    """Remember ``keys`` and answer the token to find them by. Raises ``NotRegistered``."""
    kept = dict(request.session.get(SESSION_KEY, {}))
    token = uuid4().hex
    kept[token] = {
        "label": source_for(model).label,
        "keys": list(dict.fromkeys(str(key) for key in keys)),
    }
    request.session[SESSION_KEY] = dict(list(kept.items())[-KEPT:])
    return token


def selection(request: HttpRequest, token: str) -> Selection | None:
    """What was kept under ``token`` in this session, as long as its model is registered."""
    entry = request.session.get(SESSION_KEY, {}).get(token)
    if entry is None:
        return None
    try:
        source_for(entry["label"])
    except NotRegistered:
        return None
    return Selection(token=token, label=entry["label"], keys=tuple(entry["keys"]))
