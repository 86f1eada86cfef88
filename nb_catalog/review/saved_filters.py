"""Filters of the review page that people have saved under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ReviewFilter
from nb_catalog.models.reviews import LONGEST_NAME, LONGEST_QUERY

# What the review page filters by, in the order of its form.
FIELDS: Final = (
    "q", "state", "run", "model", "product", "scene", "series", "by", "queue", "picture", "draft", "batch",
)  # fmt: skip


def query_of(values: Mapping[str, str]) -> str:
    """Return what of ``values`` is filtered by as a query string, without a position in the queue."""
    return urlencode([(name, values[name]) for name in FIELDS if values.get(name)])


def saved_filters(*, user: Actor) -> QuerySet[ReviewFilter]:
    """Return the filters of ``user``, and those that others have shared, by name."""
    return ReviewFilter.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


def save_filter(name: str, *, query: str, is_shared: bool, user: Actor) -> ReviewFilter:
    """Save ``query``, a query string, as a filter of ``user``; one of the same name is replaced.

    Raises ``RequestRefused`` without a name, or for one or a query that is too long.
    """
    name = strip_unstorable(name).strip()
    if not name:
        raise RequestRefused(_("Give the filter a name."))
    if len(name) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        message = _(
            "The name or the filter is too long. At most %(longest)d characters are possible."
        )
        longest = LONGEST_NAME if len(name) > LONGEST_NAME else LONGEST_QUERY
        raise RequestRefused(message % {"longest": longest})
    saved, _created = ReviewFilter.objects.update_or_create(
        owner=user, name=name, defaults={"query": query, "is_shared": is_shared}
    )
    return saved


def delete_filter(pk: int, *, user: Actor) -> bool:
    """Delete a filter of ``user``. Returns whether there was one."""
    return bool(ReviewFilter.objects.filter(pk=pk, owner=user).delete()[0])
