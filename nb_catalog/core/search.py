"""Search by words in the fields of any model, written as in Django's admin."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.db.models import QuerySet

# How a word is compared with a field, by the first character of the field's name.
_LOOKUPS: Final = {"^": "istartswith", "=": "iexact"}


def field_path(name: str) -> str:
    """Return ``name`` without the character that says how it is compared."""
    return name.lstrip("^=")


def with_words(rows: QuerySet[Any], *, fields: Collection[str], term: str) -> QuerySet[Any]:
    """Return those of ``rows`` that have every word of ``term`` in one of ``fields``; none without both.

    Fields that cannot be compared with a word, such as a number with "red", are skipped.
    """
    found = None
    for word in term.split():
        matches = []
        for name in fields:
            lookup = f"{field_path(name)}__{_LOOKUPS.get(name[:1], 'icontains')}"
            with suppress(ValueError, ValidationError):
                matches.append(rows.filter(**{lookup: word}))
        if not matches:
            return rows.none()
        with_word = reduce(or_, matches)
        found = with_word if found is None else found & with_word
    return rows.none() if found is None else found
